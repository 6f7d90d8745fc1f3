"""What a name means: phrases to concepts of the trade, by the kind of object the name stands in."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache

from app.domain.matching.names import spell_out, split
from app.domain.matching.shelf import phrases, read_yaml

ADDRESS_PARTS = frozenset({
    "street", "street_2", "street_3", "city", "state", "postal_code", "country", "latitude", "longitude",
    "house_number", "address_block",
})  # fmt: skip
_BLOCKS = {
    "billing": "billing", "bill": "billing", "invoice": "billing", "invoicing": "billing",
    "shipping": "shipping", "ship": "shipping", "delivery": "shipping", "dispatch": "shipping",
    "mailing": "mailing", "mail": "mailing", "email": "mailing", "correspondence": "mailing",
    "primary": "main", "main": "main", "office": "main", "work": "main", "headquarters": "main", "business": "main",
    "other": "other", "alternate": "other", "alternative": "other", "secondary": "other", "additional": "other",
    "home": "home", "private": "home",
}  # fmt: skip
_NUMBERED = {"1": "main", "2": "other"}
_TRAILERS = frozenset({"id", "name", "code", "number", "key", "value", "text", "ref", "reference"})
_NO_GROUND = frozenset({"code", "to", "from", "on", "at", "by", "in", "e", "no"})
"""Words that, alone inside a longer name, say nothing of it."""
_KEYS = frozenset({("key",), ("id",), ("code",), ("number",), ("field",), ("user",)})
"""What is numbered without the first being the one: KEY1."""
_SOMEONE = frozenset({
    "employer", "emergency", "guarantor", "guardian", "insurance", "insurer", "spouse", "referring", "pharmacy",
    "school", "mother", "father", "kin", "landlord", "subscriber",
})  # fmt: skip
"""First words of a name that tells something of somebody else than the record's person."""
_ACTIVITIES = frozenset({"task", "event", "call", "note", "activity"})
_PLACES = frozenset({"address", "addresses", "location", "geo", "residence", "residential"})
_PEOPLE = frozenset({"staff", "user", "employee", "person", "member", "agent", "id", "name", "number"})
"""Words behind "by" that say who as little as none."""
_TIMES = frozenset({"at", "on", "date", "time", "datetime", "timestamp", "stamp", "when", "t"})
"""Words that say no more than that something is a point in time."""
_FLAGS = frozenset({
    "is", "has", "can", "allow", "allows", "enable", "enables", "use", "uses", "show", "shows", "receive", "receives",
    "require", "requires", "include", "includes", "accepts", "was", "should", "hide",
})  # fmt: skip
"""First words of a name that asks yes or no."""


class Concepts:
    """Phrases with their concepts; `general` hold everywhere, `special` by kind."""

    def __init__(self) -> None:
        self.general: dict[tuple[str, ...], list[str]] = {}
        self.special: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._loose: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._words: dict[str, set[str]] = defaultdict(set)
        for block in read_yaml("concepts.yaml").values():
            for line in block.splitlines():
                self._enter(line)

    def _enter(self, line: str) -> None:
        head, _, text = line.partition(":")
        concept, _, kinds = head.strip().partition(" @")
        for phrase in phrases(text):
            key = spell_out(split(phrase))
            for kind in filter(None, kinds.split(",")):
                self.special.setdefault((kind.strip(), key), []).append(concept)
                self._loosen(kind.strip(), key, concept)
            if not kinds:
                self.general.setdefault(key, []).append(concept)
                self._loosen("", key, concept)

    def _loosen(self, kind: str, phrase: tuple[str, ...], concept: str) -> None:
        loose = in_any_order(phrase)
        if loose and concept not in self._loose.setdefault((kind, loose), []):
            self._loose[kind, loose].append(concept)

    def words_for(self, concept: str) -> frozenset[str]:
        """Every word of the phrases for a concept."""
        if not self._words:
            said = [*self.general.items(), *((phrase, found) for (_, phrase), found in self.special.items())]
            for phrase, found in said:
                for one in found:
                    self._words[one].update(phrase)
        return frozenset(self._words.get(concept, ()))

    def of(self, phrase: tuple[str, ...], kind: str) -> list[str]:
        """Concepts of exactly this phrase in an object of this kind."""
        return self.special.get((kind, phrase)) or self.general.get(phrase) or []

    def about(self, phrase: tuple[str, ...], kind: str) -> list[str]:
        """Concepts of these words in another order, or with another word for a point in time."""
        loose = in_any_order(phrase)
        return (self._loose.get((kind, loose)) or self._loose.get(("", loose)) or []) if loose else []


def in_any_order(phrase: tuple[str, ...]) -> tuple[str, ...]:
    """What two phrases have in common that differ in order or in how they say that something is a point in time:
    "arrived at", "time arrived". Empty for a single word."""
    core = sorted(one for one in phrase if one not in _TIMES)
    return (*core, "~") if core and len(core) < len(phrase) else tuple(core) if len(core) > 1 else ()


@cache
def concepts() -> Concepts:
    """The concept book, built on first use."""
    return Concepts()


def block_of(tokens: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Which address block a name speaks of ("" for none said), and the name without the words that say so."""
    block, rest = "", []
    for place, token in enumerate(tokens):
        found = _BLOCKS.get(token)
        if tokens[place : place + 2] == ("postal", "address"):
            found = "mailing"
        if found is None and token in _NUMBERED and len(tokens) > 2 and tokens[place - 1] in {"address", "addr"}:
            found = _NUMBERED[token]
        if found is not None and len(tokens) > 1:
            block = block or found
        else:
            rest.append(token)
    if block and "address" in rest and len(rest) > 1:
        rest.remove("address")
    if block and len(rest) > 1 and (rest[0] == "to" or (rest[0] == "street" and rest[1] in {"street", "line"})):
        rest = rest[1:]
    return block, tuple(rest)


def meanings(names: Iterable[tuple[str, ...]], kind: str, own_words: frozenset[str]) -> tuple[dict[str, float], str]:
    """Concepts with weights 0 to 1 of a field that has these names (word tuples), and its address block if any.

    A whole name counts 1, a name without the words of its own object or without a trailing "id" or "name" 0.9, one
    part of a name less.
    """
    found: dict[str, float] = {}
    block = ""
    for tokens in dict.fromkeys(names):
        named, block_found = _meanings_of(tokens, kind, own_words)
        block = block or block_found
        for concept, weight in named.items():
            found[concept] = max(found.get(concept, 0.0), weight)
    return found, block if any(one in ADDRESS_PARTS and weight > 0.5 for one, weight in found.items()) else ""


def _in_order(tokens: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """A leading id at the end (id_cliente), and no "1" behind a name (Phone 1), unless that means something."""
    if len(tokens) < 2:
        return tokens
    if tokens[0] == "id" and tokens[1] != "number":
        tokens = (*tokens[1:], "id")
    first_of_some = tokens[-1] == "1" and tokens[:-1] not in _KEYS and not concepts().of(tokens, kind)
    return tokens[:-1] if first_of_some else tokens


def _of_its_own(word: str, kind: str) -> str:
    """What a field means that has one word beside those for its object: "Customer Id" among customers is the key, a
    parent task no record that the task is about."""
    return "id" if word == "id" else "parent" if word == "parent" and kind in _ACTIVITIES else ""


def _meanings_of(tokens: tuple[str, ...], kind: str, own_words: frozenset[str]) -> tuple[dict[str, float], str]:
    book = concepts()
    tokens = _in_order(tokens, kind)
    own = tuple(one for one in tokens if one not in own_words)
    if len(own) == 1 and len(tokens) > 1 and (said := _of_its_own(own[0], kind)):
        return {said: 0.95}, ""
    found: dict[str, float] = {}

    def note(phrase: tuple[str, ...], weight: float) -> bool:
        hits = book.of(phrase, kind) if phrase else []
        for concept in hits:
            found[concept] = max(found.get(concept, 0.0), weight)
        return bool(hits)

    whole = note(tokens, 1.0)
    block, parts = _address_parts(tokens, kind, whole)
    if parts and not (whole and set(found) - {"street", "address_block"}):
        return dict.fromkeys(parts, 1.0), block
    bare = own
    done = whole
    if bare and bare != tokens:
        done = note(bare, 0.9) or done
    if not done and (loosely := _loosely(tokens, bare, kind)):
        return loosely, block
    if not done and not _noted_peeled((bare, tokens), note):
        _note_parts(bare or tokens, note)
    return found, block


def _address_parts(tokens: tuple[str, ...], kind: str, whole: bool) -> tuple[str, list[str]]:
    """The address block that a name speaks of, and which part of an address it is, if any."""
    block, rest = block_of(tokens)
    if not block and not whole and len(tokens) > 1 and tokens[0] in _PLACES:
        rest = tokens[1:]
    elif not block:
        return "", []
    if block and rest == ("code",):
        return block, ["postal_code"]
    return block, [one for one in concepts().of(rest, kind) if one in ADDRESS_PARTS] if rest else []


def _noted_peeled(phrases: Iterable[tuple[str, ...]], note: Callable[[tuple[str, ...], float], bool]) -> bool:
    """Whether a phrase means something without trailing words that say nothing, or turned round."""
    for phrase in phrases:
        done = False
        while len(phrase) > 1 and phrase[-1] in _TRAILERS and not done:
            phrase = phrase[:-1]  # noqa: PLW2901  peeled from the end until something is known
            done = note(phrase, 0.85)
        if done or (len(phrase) > 1 and note(tuple(reversed(phrase)), 0.85)):
            return True
    return False


def _loosely(tokens: tuple[str, ...], bare: tuple[str, ...], kind: str) -> dict[str, float]:
    """What a name means that is no known phrase as it stands, but is in another order, or a question, or a count."""
    book = concepts()
    if found := book.about(tokens, kind) or book.about(bare, kind):
        return dict.fromkeys(found, 0.9)
    until = tokens.index("by") + 1 if "by" in tokens[1:-1] else 0
    if until and {*tokens[until:]} <= _PEOPLE and (found := book.of(tokens[:until], kind)):
        return dict.fromkeys(found, 0.9)
    if len(tokens) > 1 and tokens[0] in _FLAGS:
        return {"flag": 0.85}
    if tokens and tokens[0] in _SOMEONE and {*tokens[1:]} - _TRAILERS:
        return {"somebody_else": 0.85}
    return {tokens[-1]: 0.85} if len(tokens) > 1 and tokens[-1] in {"count", "currency"} else {}


def _note_parts(tokens: tuple[str, ...], note: Callable[[tuple[str, ...], float], bool]) -> None:
    count = len(tokens)
    for length in range(count - 1, 0, -1):
        pieces = (tokens[at : at + length] for at in range(count - length + 1))
        hits = [note(one, 0.1 + 0.55 * length / count) for one in pieces if length > 1 or one[0] not in _NO_GROUND]
        if any(hits) and length * 2 > count:
            return
