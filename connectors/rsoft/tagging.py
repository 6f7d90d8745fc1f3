"""Tags of all records: one spelling per tag, and what the list of tags adds to those on the records themselves."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

_TAG_BITS = 20
MOST_TAGS = 1 << _TAG_BITS
_HASH_MASK = (1 << (63 - _TAG_BITS)) - 1


class TagBook:
    """Tags by record in flat memory: eight bytes for each entry of the list."""

    def __init__(self) -> None:
        self._spellings: dict[str, Counter[str]] = {}
        self._numbers: dict[str, int] = {}
        self._chosen: list[str] = []
        self._entries = array("q")
        self.doubled = 0
        """Entries that say what the record or the list says already, in whatever case."""

    def hear(self, tags: Iterable[str]) -> None:
        """Takes spellings as they occur; the one used most becomes the tag's, of equals the first in the alphabet."""
        for tag in tags:
            if bare := " ".join(tag.split()):
                self._spellings.setdefault(bare.casefold(), Counter())[bare] += 1

    def add(self, kind: str, record_id: str, tag: str) -> None:
        """One entry of the list: a record and its tag. Beyond a million different tags further ones are left out."""
        folded = " ".join(tag.split()).casefold()
        if folded and len(self._numbers) < MOST_TAGS:
            number = self._numbers.setdefault(folded, len(self._numbers))
            self._entries.append(_place(kind, record_id) | number)

    def close(self) -> None:
        """Chooses the spellings and makes the list ready to be asked."""
        self._entries = array("q", sorted(set(self._entries)))
        self._chosen = [self.spelling(folded) for folded in self._numbers]

    def known(self, most: int) -> list[str]:
        """The tags that occur, the first `most` of the alphabet."""
        return sorted({self.spelling(folded) for folded in self._spellings})[:most]

    def spelling(self, tag: str) -> str:
        folded = " ".join(tag.split()).casefold()
        known = self._spellings.get(folded)
        return min(known, key=lambda one: (-known[one], one)) if known else " ".join(tag.split())

    def of(self, kind: str, record_id: str, own: Sequence[str]) -> list[str]:
        """All tags of a record, each once: its own first, then those of the list."""
        tags = [self.spelling(tag) for tag in own]
        place = _place(kind, record_id)
        at = bisect_left(self._entries, place)
        while at < len(self._entries) and self._entries[at] - place < MOST_TAGS:
            tags.append(self._chosen[self._entries[at] - place])
            at += 1
        unique = list(dict.fromkeys(tag for tag in tags if tag))
        self.doubled += len(tags) - len(unique)
        return unique


def _place(kind: str, record_id: str) -> int:
    return (hash((kind, record_id)) & _HASH_MASK) << _TAG_BITS
