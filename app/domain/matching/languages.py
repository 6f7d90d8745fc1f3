"""Labels in other languages read as English words, so that everything behind speaks one language."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from app.domain.matching.names import fold, is_ideographic, split, words, written_out
from app.domain.matching.shelf import phrases, read_folder

MAX_SAMPLE = 400
_LONGEST = 6
_BORROWED = 4
_STEM = 5
_LINKS = ("", "s", "n", "en", "es", "e", "er", "ns")
_COMPOUNDING = frozenset({"de", "nl", "sv"})
_SMALL_WORDS = frozenset({
    "a", "al", "am", "an", "au", "auf", "aux", "av", "bij", "con", "d", "da", "das", "de",
    "degli", "dei", "del", "della", "delle", "dello", "dem", "den", "der", "des", "di", "die", "do", "dos", "du",
    "e", "een", "ein", "eine", "el", "em", "en", "et", "ett", "for", "fur", "gli", "het", "i", "icin",
    "il", "im", "in", "l", "la", "las", "le", "les", "lo", "los", "mit", "na", "no", "o", "och",
    "op", "os", "pa", "per", "till", "un", "und", "une", "van", "ve", "vom", "von", "voor", "w",
    "y", "z", "zu", "zum", "zur", "в", "для", "и", "на", "о", "по", "с",
})  # fmt: skip


class Language:
    """One language: phrases of folded words to English words."""

    def __init__(self, code: str, table: dict[str, str]) -> None:
        self.code = code
        self.table: dict[tuple[str, ...], tuple[str, ...]] = {}
        for english, text in table.items():
            for phrase in phrases(text):
                for written in dict.fromkeys((phrase, written_out(phrase))):
                    self.table.setdefault(split(written), tuple(english.split()))
        self.single = {key[0]: english for key, english in self.table.items() if len(key) == 1}
        self.vocabulary = frozenset(word for key in self.table for word in key)
        self.compounding = code in _COMPOUNDING
        self._beginnings = self._cut_short()
        self._stems = {word[:-1]: word for word in reversed(self.single) if len(word) > _STEM and word.isalpha()}

    def read(self, tokens: Sequence[str]) -> tuple[tuple[str, ...], int]:
        """English words for a label, and how many of its tokens were understood."""
        whole = self.table.get(tuple(tokens))
        if whole is not None:
            return whole, len(tokens)
        out: list[str] = []
        understood = at = 0
        while at < len(tokens):
            for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
                found = self.table.get(tuple(tokens[at : at + length]))
                if found is not None:
                    out.extend(found)
                    understood += length
                    at += length
                    break
            else:
                last = at and at == len(tokens) - 1
                extra, taken = (("number",), 1) if last and tokens[at] == "no" else self._one(tokens[at])
                out.extend(extra)
                understood += taken
                at += 1
        return tuple(out), understood

    def _one(self, token: str) -> tuple[tuple[str, ...], int]:
        if is_ideographic(token):
            return self._run_together(token)
        if token in _SMALL_WORDS:
            return (), 1
        halves = self._compound(token) if self.compounding and len(token) > 6 else None
        if halves is None and len(token) > 3 and not words().known(token):
            halves = self._halves(token)
        if halves:
            return halves, 1
        if words().known(token) or token in words().short:
            return (token,), 0
        meant = self._beginnings.get(token) or self._inflected(token)
        return (self.single[meant], 0) if meant is not None else ((token,), 0)

    def _inflected(self, token: str) -> str | None:
        """The word of the table that this is a form of: "klienta" of "klient", "adresu" of "adres"."""
        for cut in (1, 2):
            stem = token[:-cut]
            if len(stem) >= _STEM and (stem in self.single or stem in self._stems):
                return stem if stem in self.single else self._stems[stem]
        return None

    def _halves(self, token: str) -> tuple[str, ...] | None:
        """A column name of two short forms run together (TELNR, GEBDAT); only phrases and words of the table count."""
        least = 2 if self.compounding else 3
        for cut in range(len(token) - least, least - 1, -1):
            head, tail = token[:cut], token[cut:]
            whole = self.table.get((head, tail))
            if whole is not None:
                return whole
            if head in self.single and tail in self.single and max(len(head), len(tail)) > 2:
                return (*self.single[head], *self.single[tail])
        return None

    def _cut_short(self) -> dict[str, str]:
        """Beginnings of four letters and more that people cut words down to, to the first word of the table."""
        made: dict[str, str] = {}
        for word in self.single:
            for length in range(4, len(word) - 1) if word.isalpha() and not is_ideographic(word) else ():
                made.setdefault(word[:length], word)
        return made

    def _compound(self, token: str) -> tuple[str, ...] | None:
        for cut in range(len(token) - 3, 2, -1):
            tail = self.single.get(token[cut:])
            if tail is None:
                continue
            for link in _LINKS:
                head = token[:cut].removesuffix(link) if link else token[:cut]
                found = self.single.get(head)
                if found is not None:
                    return (*found, *tail)
        return None

    def _run_together(self, token: str) -> tuple[tuple[str, ...], int]:
        out: list[str] = []
        hits = at = 0
        while at < len(token):
            for length in range(min(10, len(token) - at), 0, -1):
                found = self.single.get(token[at : at + length])
                if found is not None:
                    out.extend(found)
                    hits += length
                    at += length
                    break
            else:
                at += 1
        return (tuple(out), 1) if hits * 2 >= len(token) else ((*out, token), 0)


@cache
def languages() -> tuple[Language, ...]:
    """Every language there is a file for."""
    return tuple(Language(code, table) for code, table in read_folder("languages"))


@cache
def _everywhere() -> dict[str, tuple[str, ...]]:
    """Words of one language or more with what most of them mean by it; short ones have to be shared."""
    said: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for language in languages():
        for word, english in language.single.items():
            said[word][english] += 1
    best = {word: found.most_common(1)[0] for word, found in said.items()}
    return {
        word: english for word, (english, times) in best.items()
        if times * 2 > said[word].total() and len(word) >= (_BORROWED if times == 1 else _BORROWED - 1)
    }  # fmt: skip


def borrowed(token: str) -> tuple[str, ...] | None:
    """The English of a foreign word among English ones ("fk_pays", "pays": country); None for none."""
    book = words()
    if book.known(token) or token in book.short or token in book.filler:
        return None
    return _everywhere().get(token)


CLEARLY = 0.15
"""Share of words more that another language must explain than the likely one."""


@lru_cache(maxsize=50_000)
def _read(language: Language, tokens: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    return language.read(tokens)


def detect(labels: Iterable[str], likely: Language | None = None) -> Language | None:
    """The language most of the labels are in; None for English (or one without a file). Another than the `likely` one
    has to explain clearly more."""
    sample = [tokens for label in labels if (tokens := split(label))][:MAX_SAMPLE]
    if not sample:
        return None
    total = sum(len(tokens) for tokens in sample)
    book = words()
    english = sum(book.known(token) or token in book.short for tokens in sample for token in tokens) / total
    if english > 0.9:
        return None
    shares = {language: sum(_read(language, tokens)[1] for tokens in sample) / total for language in languages()}
    best, found = english, None
    for language, share in shares.items():
        if share > best + 0.02:
            best, found = share, language
    if likely is not None and found is not likely and best < shares[likely] + CLEARLY:
        return likely
    return found


def to_english(label: str, language: Language | None) -> tuple[str, ...]:
    """The words of a label, English where the language is known; else as they are."""
    tokens = split(label)
    return _read(language, tokens)[0] if language is not None and tokens else tokens


__all__ = ["Language", "detect", "fold", "languages", "to_english"]
