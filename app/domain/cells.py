"""Cells of the tables that we hand out: none of them may run as a formula in a spreadsheet (CWE-1236)."""

# The full-width forms are taken for the plain ones by some spreadsheets; a tab or line break hides what follows.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def guarded(cell: str) -> str:
    """The cell, with an apostrophe before it where a spreadsheet would calculate, also after leading blanks."""
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip(" \u00a0").startswith(_FORMULA) else cell
