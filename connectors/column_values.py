"""Cells into the texts that vendors' APIs write: dates in ISO form, numbers with a point, booleans as true and false.

Each converter is made for one column from its votes and, where they left a question, a person's answer.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from app.domain.moments import instant_of
from app.domain.numerals import unit_of
from connectors.cell_signs import repaired
from connectors.centuries import Century
from connectors.column_votes import ALWAYS_BLANK, FALSE_WORDS, MARKERS, TRUE_WORDS, ColumnProfile, DateOrder, Kind
from connectors.date_forms import PIVOT, day_parts
from connectors.number_forms import DecimalMark, bare_number

Read = Callable[[str], str]
"""From a cell to a text, "" for a blank. Raises ValueError for what the votes did not show."""

_GROUPS = dict.fromkeys(map(ord, "'’ \u00a0\u202f"))


def text_reader(blank_markers: bool, repair: bool = False) -> Read:
    """Texts as they stand; with `blank_markers` those that may stand for a blank do, with `repair` garbled ones
    are mended.

    Both are for a person to say (questions `blank-markers` and `mojibake`).
    """
    blanks = MARKERS if blank_markers else ALWAYS_BLANK
    if repair:
        return lambda cell: "" if cell in blanks else repaired(cell)
    return lambda cell: "" if cell in blanks else cell


def boolean_reader() -> Read:
    def read(cell: str) -> str:
        if cell in ("true", "false"):
            return cell
        word = cell.strip().lower()
        if not word or cell in MARKERS:
            return ""
        if word in TRUE_WORDS:
            return "true"
        if word in FALSE_WORDS:
            return "false"
        raise ValueError("not a boolean")

    return read


def number_reader(mark: DecimalMark) -> Read:
    """`mark` is POINT or COMMA (NONE counts as POINT)."""
    point, group = (",", ".") if mark is DecimalMark.COMMA else (".", ",")

    def read(cell: str) -> str:
        if cell in MARKERS:
            return ""
        text, power = unit_of(bare_number(cell))
        text = text.translate(_GROUPS).replace(group, "").replace(point, ".")
        return format(Decimal(text).scaleb(power), "f") if power else text

    return read


def date_reader(order: DateOrder, pivot: int = PIVOT) -> Read:
    """Dates as YYYY-MM-DD. `pivot`: years of two digits below it are of this century."""

    def read(cell: str) -> str:
        if cell in MARKERS or not cell.strip():
            return ""
        year, month, day = _day(cell, order, pivot)
        return f"{year:04d}-{month:02d}-{day:02d}"

    return read


def datetime_reader(
    order: DateOrder, zone: tzinfo | None, noticed: Counter[str] | None = None, pivot: int = PIVOT
) -> Read:
    """Date-times with offset in ISO form. `zone` is that of stamps without an offset; None: there are none.

    Stamps that the zone's clock skipped or showed twice are counted in `noticed` as `dst-gap` and `dst-fold`; the
    first is read an hour on, the second as the earlier of the two.
    """

    def read(cell: str) -> str:
        if len(cell) >= 20 and cell[4] == "-" and cell[10] == "T" and (cell[-1] == "Z" or cell[-5] in "+-"):
            return cell
        if cell in MARKERS or not cell.strip():
            return ""
        year, month, day = _day(cell, order, pivot)
        found = day_parts(cell, pivot)
        if found is None or found[5] is None:
            raise ValueError("not a date-time")
        hour = int(found[5])
        if found[9]:
            hour = hour % 12 + (12 if found[9][0] in "pP" else 0)
        fraction = (found[8] or "").ljust(6, "0")
        plain = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{found[6]}:{found[7] or '00'}.{fraction}"
        if found[10]:
            return datetime.fromisoformat(plain + found[10]).astimezone(UTC).isoformat()
        moment = instant_of(plain, zone) if zone else None
        if moment is not None and zone is not None and noticed is not None:
            code = clock_change(plain, zone)
            noticed.update([code] if code else [])
        if moment is None:
            raise ValueError("a date-time without a zone")
        return moment.isoformat()

    return read


def clock_change(plain: str, zone: tzinfo) -> str:
    """dst-gap for a local time that the zone's clock skips, dst-fold for one that it shows twice, "" for any other."""
    local = datetime.fromisoformat(plain).replace(tzinfo=zone)
    early, late = local.utcoffset(), local.replace(fold=1).utcoffset()
    if early is None or late is None or early == late:
        return ""
    return "dst-fold" if early > late else "dst-gap"


def _day(cell: str, order: DateOrder, pivot: int) -> tuple[int, int, int]:
    found = day_parts(cell, pivot)
    if found is None:
        raise ValueError("not a date")
    one, two, three = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        return one, two, three
    return (three, one, two) if order is DateOrder.MONTH else (three, two, one)


def resolved_order(column: ColumnProfile, answer: str) -> DateOrder | None:
    """The order to read dates in; None while nobody has said. `answer` is that to the column's question or ""."""
    if column.order is DateOrder.AMBIGUOUS:
        return DateOrder(answer) if answer in (DateOrder.DAY, DateOrder.MONTH) else None
    return column.order or DateOrder.YEAR


def resolved_pivot(column: ColumnProfile, answer: str) -> int | None:
    """Below which two digits of a year are of this century; None while nobody has said."""
    if column.short is None:
        return PIVOT
    if column.short.doubtful and answer not in tuple(Century):
        return None
    return column.short.lowest if column.short.doubtful and answer == Century.LAST else column.short.pivot


def resolved_mark(column: ColumnProfile, answer: str) -> DecimalMark | None:
    """The decimal mark to read by; None while nobody has said."""
    if column.mark is DecimalMark.AMBIGUOUS:
        return DecimalMark(answer) if answer in (DecimalMark.POINT, DecimalMark.COMMA) else None
    return column.mark or DecimalMark.NONE


def resolved_kind(column: ColumnProfile, answer: str, century: str = "") -> Kind:
    """What to take a column as where no schema says: its own kind, or that which answers have settled."""
    asked = column.order is DateOrder.AMBIGUOUS or (column.short is not None and bool(column.short.doubtful))
    dated = Kind.DATETIME if Kind.DATETIME in column.fits else Kind.DATE
    settled = resolved_order(column, answer) and resolved_pivot(column, century) is not None
    if asked and settled and dated in column.fits:
        return dated
    if answer and column.mark is DecimalMark.AMBIGUOUS and resolved_mark(column, answer):
        return Kind.DECIMAL
    return column.kind
