"""Names as words: splitting API names and labels, spelling out short forms, and finding words in run-together ones."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache

from rapidfuzz.distance import DamerauLevenshtein

from app.domain.matching.shelf import phrases, read_yaml

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_PARTS = re.compile(r"[^\W_]+", re.UNICODE)
_JOINED = (
    (re.compile(r"(?<![a-z])e[-_ ]mail", re.IGNORECASE), "email"),
    (re.compile(r"(?<![a-z])web[-_ ]site", re.IGNORECASE), "website"),
    (re.compile(r"%"), " percent "),
    (re.compile(r"#"), " number "),
)
_TAIL = re.compile(r"__[a-z]{1,2}$", re.IGNORECASE)
_VOWELS = re.compile("[aeiou]")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_WRITTEN_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "ø": "oe", "æ": "ae"}
)
MAX_NAME = 300
_MISSPELT = 6
_LONGEST_WORD = 24


def fold(text: str) -> str:
    """Lower case without accents; ß becomes ss, ł becomes l."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ı", "i").replace("ø", "o"))
    return "".join(one for one in plain if not unicodedata.combining(one) or "\u3040" <= one <= "\u30ff")


def written_out(text: str) -> str:
    """Without umlauts as keyboards without them have it: "Aufträge" → "Auftraege"."""
    return unicodedata.normalize("NFC", text).translate(_WRITTEN_OUT)


@lru_cache(maxsize=50_000)
def split(name: str) -> tuple[str, ...]:
    """The folded words of a name or label, nothing spelt out: "Shipping_Street__c" → shipping, street."""
    bare = _TAIL.sub("", unicodedata.normalize("NFKC", name[:MAX_NAME]).strip())
    for pattern, whole in _JOINED:
        bare = pattern.sub(whole, bare)
    return tuple(fold(part) for part in _PARTS.findall(_HUMPS.sub(" ", bare)))


def is_ideographic(word: str) -> bool:
    """Whether the word is of a script that writes without blanks."""
    return bool(_IDEOGRAPHS.search(word))


class Words:
    """The English words of the trade with how often they occur, short forms, and pieces words are cut down to."""

    def __init__(self) -> None:
        book = read_yaml("words.yaml")
        self.short: dict[str, tuple[str, ...]] = {key: tuple(text.split()) for key, text in book["short"].items()}
        self.filler = frozenset(book["filler"])
        self.whole = frozenset(book["whole"].split())
        self.clashes = [frozenset(group) for group in book["clashes"]]
        self.counts = Counter(word for text in _concept_phrases() for word in text.split() if word not in self.short)
        self.by_letter: dict[str, list[str]] = defaultdict(list)
        for word in sorted({*self.counts, *self.whole}):
            if len(word) >= _MISSPELT - 1:
                self.by_letter[word[0]].append(word)
        self.pieces: dict[str, str] = {}
        for word, _ in self.counts.most_common():
            for piece in _pieces_of(word):
                self.pieces.setdefault(piece, word)

    def known(self, word: str) -> bool:
        return word in self.counts or word in self.whole or word.isdigit()


def _concept_phrases() -> Iterable[str]:
    for block in read_yaml("concepts.yaml").values():
        for line in block.splitlines():
            yield from phrases(line.partition(":")[2])


def _pieces_of(word: str) -> Iterable[str]:
    """What people shorten a word to: without its vowels, or its first three, four or five letters."""
    if len(word) < 4 or not word.isalpha():
        return
    bare = word[0] + _VOWELS.sub("", word[1:])
    if len(bare) >= 2:
        yield bare
        yield re.sub(r"(.)\1", r"\1", bare)
    for length in (4, 3, 5, 6):
        if len(word) > length + 1:
            yield word[:length]


@cache
def words() -> Words:
    """The word book, built on first use."""
    return Words()


def spell_out(tokens: Iterable[str], near: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Tokens with short forms spelt out and run-together words taken apart; `near` are words that are likely here."""
    out: list[str] = []
    for token in _joined(tuple(tokens)):
        out.extend(_spelt(token, near))
    kept = [word for word in dict.fromkeys(out) if word not in words().filler]
    return tuple(kept or dict.fromkeys(out))


def _joined(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Short forms that humps or marks took apart, whole again: L Name, D O B, Prov Num."""
    out: list[str] = []
    at = 0
    while at < len(tokens):
        length = next((n for n in (3, 2) if _is_short_form(tokens[at : at + n], n)), 1)
        out.append("".join(tokens[at : at + length]))
        at += length
    return tuple(out)


def _is_short_form(parts: tuple[str, ...], length: int) -> bool:
    whole = "".join(parts)
    apart = any(len(one) == 1 for one in parts) or len(whole) >= _MISSPELT
    return len(parts) == length and apart and whole.isalpha() and whole in words().short


@lru_cache(maxsize=50_000)
def _spelt(token: str, near: frozenset[str]) -> tuple[str, ...]:
    book = words()
    if token in book.short:
        return book.short[token]
    if book.known(token) or token in book.filler or token in near or not token.isascii() or len(token) < 2:
        return (token,)
    for ending, instead in (("ies", "y"), ("s", ""), ("es", "")):
        single = token.removesuffix(ending) + instead
        if token.endswith(ending) and len(single) > 2 and (book.known(single) or single in book.short):
            return book.short.get(single, (single,))
    return _respelt(token) or _taken_apart(token[:40], near) or (token,)


def _respelt(token: str) -> tuple[str, ...] | None:
    """The one word of the trade that is a letter away: "adresse", "departement", "recieved"."""
    if not _MISSPELT <= len(token) <= _LONGEST_WORD or not token.isalpha():
        return None
    close = [
        word for word in words().by_letter.get(token[0], ())
        if abs(len(word) - len(token)) <= 1 and DamerauLevenshtein.distance(word, token, score_cutoff=1) <= 1
    ]  # fmt: skip
    return (close[0],) if len(close) == 1 else None


def _taken_apart(token: str, near: frozenset[str]) -> tuple[str, ...] | None:
    """The cheapest reading of a token as whole words, short forms and cut-down words, or None when it stays odd."""
    best: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
    for end in range(1, len(token) + 1):
        options = []
        for start in range(max(0, end - 16), end):
            piece = token[start:end]
            cost, reading = _read_piece(piece, near)
            before = best[start]
            options.append((before[0] + cost, (*before[1], *reading)))
        best.append(min(options, key=lambda one: one[0]))
    cost, reading = best[-1]
    return reading if cost < 1.1 + 0.42 * len(token) else None


def _read_piece(piece: str, near: frozenset[str]) -> tuple[float, tuple[str, ...]]:
    book = words()
    bonus = 0.25
    if len(piece) >= 3 and (piece in book.counts or piece in near):
        return 1.0 - bonus * (piece in near), (piece,)
    found = book.short.get(piece)
    if found is not None and len(piece) >= 2:
        return 1.25 - bonus * (found[0] in near), found
    close = _near_pieces(near).get(piece)
    if close is not None and len(piece) >= 2:
        return 1.35, (close,)
    word = book.pieces.get(piece)
    if word is not None and len(piece) >= 3:
        return 1.6, (word,)
    return 1.3 * len(piece) + 0.8, (piece,)


@lru_cache(maxsize=500)
def _near_pieces(near: frozenset[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for word in sorted(near, key=lambda one: (-words().counts[one], one)):
        for piece in _pieces_of(word):
            made.setdefault(piece, word)
    return made
