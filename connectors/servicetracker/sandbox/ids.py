"""Record ids: 15 case-sensitive characters and the 3 that make them safe where case is lost.

Source fact sheet section 1.3: the first three are the object's key prefix and the API always returns 18.
"""

import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_POD = "5g"
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
# Two characters and their case bits at once: ids are made by the million.
_PAIRS = [(a + b, (1 if a.isupper() else 0) | (2 if b.isupper() else 0)) for a in ALPHABET for b in ALPHABET]


def suffix(fifteen: str) -> str:
    """The checksum of a 15-character id: one character per block of five, from the places of its capitals."""
    blocks = (fifteen[start : start + 5] for start in (0, 5, 10))
    return "".join(_SUFFIX[sum(1 << place for place, sign in enumerate(block) if sign.isupper())] for block in blocks)


class IdMaker:
    """Makes the n-th id of an object; ascending numbers give ascending ids."""

    def __init__(self, prefix: str) -> None:
        head = f"{prefix}{_POD}00000"
        self._head = head
        self._checked = suffix(head + "00000")[:2]

    def __call__(self, number: int) -> str:
        """The id of `number`, which must be below 62 ** 5 (916 million)."""
        rest, low = divmod(number, 3844)
        first, high = divmod(rest, 3844)
        lead = ALPHABET[first]
        middle, bits_middle = _PAIRS[high]
        last, bits_last = _PAIRS[low]
        bits = (1 if lead.isupper() else 0) | bits_middle << 1 | bits_last << 3
        return f"{self._head}{lead}{middle}{last}{self._checked}{_SUFFIX[bits]}"


def full_id(value: str) -> str | None:
    """The 18-character form of a 15- or 18-character id; None where it is neither."""
    if not _FORM.fullmatch(value):
        return None
    return value[:15] + suffix(value[:15])


def number_of(record_id: str) -> int:
    """The number an id of ours was made from; meaningless, but harmless, for ids from elsewhere."""
    number = 0
    for sign in record_id[10:15]:
        number = number * len(ALPHABET) + ALPHABET.index(sign)
    return number
