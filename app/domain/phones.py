"""Cells that hold several phone numbers, told apart without guessing."""

import re

_BETWEEN = re.compile(r"\s*(?:[/,;|\n]|\s(?:or|and|&)\s)\s*", re.IGNORECASE)
_FEWEST_DIGITS = 7
_LONGEST = 250


def several_phones(text: str) -> list[str]:
    """The numbers of a cell in their order, each once; a cell that is no list of whole numbers stays one text.

    "98765 43210 / 044-2345678" holds two. "9876543210/11" stays whole: its end may stand for another last digit.
    """
    given = text.strip()
    if len(given) > _LONGEST:
        return [given]
    parts = [part for part in _BETWEEN.split(given) if part]
    whole = all(sum(map(str.isdigit, part)) >= _FEWEST_DIGITS for part in parts)
    return list(dict.fromkeys(parts)) if parts and whole else [given] if given else []
