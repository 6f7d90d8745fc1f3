"""What every column of a table begins with says nothing of the single one: CUNAME, CUCITY and CUZIP are of one file."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_FEWEST = 6
_SHARE = 0.9
_LENGTHS = (4, 3, 2, 1)
_MARKS = "_.-"
_UNMARKED = 2


def shared_prefix(names: Sequence[str]) -> str:
    """The two to four letters (one before a mark), with the mark behind them if any, that nine of ten names begin
    with; "" for none.

    No blanks; without a mark only names of old programs, one case throughout. A name that would have fewer than two
    letters left keeps a prefix from being one.
    """
    return _shared(tuple(names[:400]))


@lru_cache(maxsize=2_000)
def _shared(names: tuple[str, ...]) -> str:
    if len(names) < _FEWEST or any(" " in one for one in names):
        return ""
    old = all(one.isupper() for one in names) or all(one.islower() for one in names)
    for length in _LENGTHS:
        (found, times), *_ = Counter(one[:length] for one in names).most_common(1)
        if times < _SHARE * len(names) or not found.isalpha():
            continue
        marked = [one for one in names if one.startswith(found) and one[length : length + 1] in _MARKS]
        whole = found + marked[0][length] if len(marked) == times and marked[0][length : length + 1] else found
        goes_on = Counter(one[: length + 1] for one in names).most_common(1)[0][1] >= _SHARE * len(names)
        if whole == found and goes_on:  # a word of the table's: supplier_id, supplier_name
            return ""
        if whole == found and (not old or length < _UNMARKED):
            continue
        return whole if all(len(one) >= len(whole) + 2 for one in names if one.startswith(whole)) else ""
    return ""


def without_prefix(name: str, prefix: str) -> str:
    """The name without the prefix of its table."""
    return name.removeprefix(prefix) if prefix else name
