"""Cells of the tables that we hand out: none of them may run as a formula in a spreadsheet (CWE-1236)."""

import re

# The full-width forms are taken for the plain ones by some spreadsheets; a tab or line break hides what follows.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")

# A signed number is that number, and a phone number holds neither a name nor a call. With an apostrophe a refund would
# drop out of every sum, a longitude off the map, and a lead's number out of the import that the file is made for.
_PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?|\+(?:[ ()./-]{0,2}\d){7,20}", re.ASCII)


def guarded(cell: str) -> str:
    """The cell, with an apostrophe before it where a spreadsheet would calculate, also after leading blanks.
    Numbers with a sign and international phone numbers stay as they are."""
    if _PLAIN.fullmatch(cell):
        return cell
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip(" \u00a0").startswith(_FORMULA) else cell
