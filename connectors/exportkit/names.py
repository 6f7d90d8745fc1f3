"""Which record a name means: an index of normalised names in flat memory, where a name of two records means neither."""

import unicodedata
from array import array
from enum import StrEnum

from app.domain.quality import HashSet
from connectors.errors import ContractBroken

MOST_NAMES = 2_000_000
"""Beyond this an export has to give ids: some 40 bytes a name are held while a table that refers by name is read."""
_AMBIGUOUS = 0xFFFFFFFF


def normal_name(text: str) -> str:
    """The same for names that differ in case, blanks or compatible characters only; never a guess beyond that."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Found(StrEnum):
    """How a reference was told: by id, by a name, by none, or by a name that several records bear."""

    ID = "id"
    NAME = "name"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


class NameIndex:
    """Names and ids of one object. Names of a later rank (an e-mail before a name, say) only count where none before
    them is known; see `NameIndex.look`.
    """

    def __init__(self, limit: int = MOST_NAMES) -> None:
        self._limit = limit
        self._ids = HashSet()
        self._texts = bytearray()
        self._hashes = array("q")
        self._places = array("I")
        self._slots = array("I", bytes(4 * 64))

    def add(self, record_id: str, names: list[str]) -> None:
        """A record with the names it can be called by. Raises ContractBroken beyond the limit."""
        self._ids.add(_unsigned(record_id))
        place = -1
        for rank, name in enumerate(names):
            bare = normal_name(name)
            if not bare:
                continue
            if place < 0:
                place = len(self._texts)
                self._texts += record_id.encode("utf-8", "surrogatepass") + b"\0"
            self._put(hash((rank, bare)), place, record_id)

    def look(self, text: str, ranks: int) -> tuple[Found, str]:
        """The id behind a reference, "" when it is not told. `ranks` is how many kinds of names there are."""
        given = text.strip()
        if _unsigned(given) in self._ids:
            return Found.ID, given
        bare = normal_name(text)
        for rank in range(ranks):
            entry = self._slots[self._slot(hash((rank, bare)))]
            if entry:
                place = self._places[entry - 1]
                return (Found.AMBIGUOUS, "") if place == _AMBIGUOUS else (Found.NAME, self._text(place))
        return Found.UNKNOWN, ""

    def _put(self, number: int, place: int, record_id: str) -> None:
        slot = self._slot(number)
        entry = self._slots[slot]
        if entry:
            other = self._places[entry - 1]
            if other != _AMBIGUOUS and self._text(other) != record_id:
                self._places[entry - 1] = _AMBIGUOUS
            return
        if len(self._hashes) >= self._limit:
            raise ContractBroken(
                f"more than {self._limit:,} names would have to be told apart; export ids for references instead",
                code="TOO_MANY_NAMES",
            )
        self._hashes.append(number)
        self._places.append(place)
        self._slots[slot] = len(self._hashes)
        if 2 * len(self._hashes) > len(self._slots):
            self._grow()

    def _slot(self, number: int) -> int:
        slots, mask = self._slots, len(self._slots) - 1
        place = number & mask
        while (entry := slots[place]) and self._hashes[entry - 1] != number:
            place = place + 1 & mask
        return place

    def _grow(self) -> None:
        self._slots = array("I", bytes(8 * len(self._slots)))
        for entry, number in enumerate(self._hashes, start=1):
            self._slots[self._slot(number)] = entry

    def _text(self, place: int) -> str:
        return self._texts[place : self._texts.index(0, place)].decode("utf-8", "surrogatepass")


def _unsigned(text: str) -> int:
    return hash(text) & 0xFFFFFFFFFFFFFFFF
