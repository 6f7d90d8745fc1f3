"""What kind of object a name speaks of: "tblKunden" and "Sales Account" are accounts."""

from collections.abc import Sequence
from functools import cache, lru_cache

from rapidfuzz import fuzz

from app.domain.matching.names import spell_out, split, written_out
from app.domain.matching.shelf import phrases, read_yaml

_LIKE = 0.9


class Kinds:
    """Names of kinds, substitutes and signs."""

    def __init__(self) -> None:
        book = read_yaml("objects.yaml")
        self.names: dict[str, str] = {}
        for part in ("foreign", "names"):
            for kind, text in book[part].items():
                for phrase in phrases(text):
                    for key in {" ".join(split(phrase)), " ".join(split(written_out(phrase)))}:
                        self.names.setdefault(key, kind) if part == "foreign" else self.names.update({key: kind})
        self.substitutes: dict[str, str] = book["substitutes"]
        self.technical = frozenset(phrases(book["technical"]))
        self.wrappings = frozenset(book["wrappings"].split())
        self.endings = tuple(book["endings"].split())
        self.signs = {kind: frozenset(text.split()) for kind, text in book["signs"].items()}


@cache
def kinds() -> Kinds:
    """The book of kinds, built on first use."""
    return Kinds()


@lru_cache(maxsize=10_000)
def kind_of_name(name: str) -> str:
    """The kind an object's name or label speaks of; "" for none."""
    if not name:
        return ""
    found = named_kind(name)
    return found[0] if found[1] >= 0.75 else ""


@lru_cache(maxsize=10_000)
def named_kind(name: str) -> tuple[str, float]:
    book = kinds().names
    plain = split(name)
    bare = _unwrapped(plain)
    for tokens, strength in ((plain, 1.0), (bare, 0.95), (spell_out(plain), 0.95), (spell_out(bare), 0.9)):
        for variant in _variants(tokens):
            if variant in book:
                return book[variant], strength
    for tokens in (plain, spell_out(plain)):
        for start in range(1, len(tokens)):  # the last word says what it is: "Sales Account", "crm.lead"
            for variant in _variants(tokens[start:]):
                if variant in book:
                    return book[variant], 0.85 - 0.05 * start
        for end in range(len(tokens) - 1, 0, -1):
            for variant in _variants(tokens[:end]):
                if variant in book:
                    return book[variant], 0.7 - 0.05 * (len(tokens) - end)
    near = max(((fuzz.ratio(" ".join(plain), key) / 100, kind) for key, kind in book.items()), default=(0.0, ""))
    return (near[1], near[0] * 0.8) if near[0] >= _LIKE else ("", 0.0)


def _unwrapped(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """The name without what only says that it is a table or a list: "Enquiry Register", "tblKunden", "Kundenstamm"."""
    core = tuple(one for one in tokens if one not in kinds().wrappings) or tokens
    for ending in kinds().endings:
        if core[-1:] and core[-1].endswith(ending) and len(core[-1]) > len(ending) + 2:
            return (*core[:-1], core[-1].removesuffix(ending))
    return core


def _variants(tokens: Sequence[str]) -> list[str]:
    text = " ".join(tokens)
    made = [text]
    for ending, instead in (("ies", "y"), ("ses", "s"), ("es", ""), ("s", "")):
        if text.endswith(ending) and len(text) > len(ending) + 2:
            made.append(text.removesuffix(ending) + instead)
    bare = text.rstrip(" 0123456789")
    return [*made, bare] if bare != text else made
