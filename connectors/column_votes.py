"""What a column of text holds, voted by all its rows: numbers, dates, booleans; two readings make a question.

Values stay text: identifiers, phones and post codes never become numbers. Rules: source fact sheet section 6.2.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum

from app.domain.numerals import unit_of, without_rupees
from app.domain.schema import Frozen
from connectors.cell_signs import CellSigns, currency_of
from connectors.centuries import Century, ShortYears, short_years
from connectors.date_forms import date_order, day_parts, is_midnight, short_year
from connectors.number_forms import DecimalMark, bare_number, means_money, number_mark
from connectors.table_shape import Finding

ALWAYS_BLANK = frozenset({"\\N", "#N/A"})
"""Markers that no person would mean as a text."""
MAYBE_BLANK = frozenset({"NULL", "null", "Null", "N/A", "n/a", "NA", "None", "none", "-", "--", "nil", "0000-00-00"})
"""Texts that often stand for a blank, but are also a surname (Null), a country (NA) or a dash."""
MARKERS = ALWAYS_BLANK | MAYBE_BLANK
TRUE_WORDS = frozenset({"true", "yes", "y", "t", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "n", "f", "off", "0"})
_PAIRS = tuple(
    frozenset(pair) for pair in (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"))
)
_MOST_VALUES = 100
_LONGEST_VALUE = 255

_PLAIN = re.compile(r"-?(?:0|[1-9]\d{0,14})", re.ASCII)
_SIMPLE = re.compile(r"-?(?:0|[1-9]\d{0,14})\.(?:\d{1,2}|\d{4,15})", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)


class Kind(StrEnum):
    """What a column's values are."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"


class DateOrder(StrEnum):
    """What the first number of a date is; AMBIGUOUS needs a person, CONTRADICTORY leaves the column text."""

    YEAR = "year-first"
    DAY = "day-first"
    MONTH = "month-first"
    AMBIGUOUS = "ambiguous"
    CONTRADICTORY = "contradictory"


class ColumnQuestion(Frozen):
    """Something the values do not tell. `code`: date-order | century | decimal-mark | mojibake | blank-markers.

    `suggested` is the likelier choice, where one is; `examples` show what it is about.
    """

    code: str
    column: str
    text: str
    choices: tuple[str, ...]
    suggested: str = ""
    examples: tuple[str, ...] = ()


class ColumnProfile(Frozen):
    """One column as its rows show it.

    `fits` are all kinds that every value could be read as, `kind` the one to take where nothing else is known (TEXT
    while a question is open). `markers` are texts that may stand for blanks, with how often; `values` all distinct
    values while they are few. `naive` says that date-times without an offset occur, `short` how years of two digits are
    read.
    """

    name: str
    label: str
    index: int
    filled: int = 0
    longest: int = 0
    kind: Kind = Kind.TEXT
    fits: tuple[Kind, ...] = ()
    order: DateOrder | None = None
    mark: DecimalMark | None = None
    naive: bool = False
    short: ShortYears | None = None
    markers: dict[str, int] = {}
    values: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def questions(self) -> list[ColumnQuestion]:
        """What has to be asked about this column."""
        dated = Kind.DATE in self.fits or Kind.DATETIME in self.fits
        return [*self._about_signs(), *(self._about_century() if dated else ())]

    def _about_century(self) -> list[ColumnQuestion]:
        if self.short is None or not self.short.doubtful:
            return []
        text = (
            f"Years in {self.name} have two digits, and for some of them both centuries are possible. "
            "Are those of this century or of the last one?"
        )
        return [
            ColumnQuestion(
                code="century",
                column=self.name,
                text=text,
                choices=tuple(Century),
                suggested=Century.THIS,
                examples=tuple(self.short.examples()),
            )
        ]

    def _about_signs(self) -> list[ColumnQuestion]:
        if self.order is DateOrder.AMBIGUOUS and (Kind.DATE in self.fits or Kind.DATETIME in self.fits):
            text = f"Every date in {self.name} could be read in two ways. Does the day or the month come first?"
            return [
                ColumnQuestion(code="date-order", column=self.name, text=text, choices=("day-first", "month-first"))
            ]
        if self.mark is DecimalMark.AMBIGUOUS and Kind.DECIMAL in self.fits:
            text = f"Numbers in {self.name} look like 1.234: is the sign a decimal mark, or does it group thousands?"
            return [ColumnQuestion(code="decimal-mark", column=self.name, text=text, choices=("point", "comma"))]
        if self.kind is Kind.TEXT and any(one.code == "mojibake" for one in self.findings):
            text = f"Letters in {self.name} look garbled, like Ã© for é. Shall they be repaired, or stay as they are?"
            return [ColumnQuestion(code="mojibake", column=self.name, text=text, choices=("repair", "keep"))]
        return []


class ColumnVote:
    """Gathers the votes of one column, a block of rows at a time; `year` is that of the export (0: this year)."""

    def __init__(self, name: str, label: str, index: int, year: int = 0) -> None:
        self._name, self._label, self._index = name, label, index
        self._filled = self._longest = self._scientific = 0
        self._year, self._short_years = year, Counter[int]()
        self._markers: dict[str, int] = {}
        self._words: set[str] | None = set()
        self._marks: set[DecimalMark] | None = set()
        self._units: set[bool] = set()
        self._orders: set[str] | None = set()
        self._timed: set[bool] = set()
        self._naive = False
        self._seen = self._percents = self._midnights = 0
        self._signs = CellSigns()
        self._currencies: set[str] = set()
        self._values: set[str] | None = set()

    def add(self, cells: Sequence[str]) -> None:
        """The column's cells of some rows, in any order."""
        distinct = set(cells)
        self._filled += len(cells) - (cells.count("") if "" in distinct else 0)
        self._longest = max(self._longest, max(map(len, distinct), default=0))
        for marker in distinct & MARKERS:
            self._markers[marker] = self._markers.get(marker, 0) + cells.count(marker)
        distinct -= MARKERS
        distinct.discard("")
        self._keep(distinct)
        self._signs.look(distinct)
        self._scientific += sum(1 for value in distinct if "E+" in value and _SCIENTIFIC.fullmatch(value.strip()))
        if self._words is not None or self._marks is not None or self._orders is not None:
            for value in distinct:
                self._vote(value.strip())

    def profile(self) -> ColumnProfile:
        fits = self._fits()
        order, mark = self._order(), self._mark()
        findings = self._findings(order, mark)
        short = short_years(self._name, self._short_years, self._year or datetime.now(UTC).year)
        return ColumnProfile(
            name=self._name,
            label=self._label,
            index=self._index,
            filled=self._filled,
            longest=self._longest,
            kind=self._kind(fits, order, mark, doubtful=short is not None and bool(short.doubtful)),
            fits=fits,
            order=order,
            mark=mark,
            naive=self._naive,
            short=short,
            markers=dict(sorted(self._markers.items())),
            values=tuple(sorted(self._values)) if self._values else (),
            findings=tuple(findings),
        )

    def _findings(self, order: DateOrder | None, mark: DecimalMark | None) -> list[Finding]:
        counts = self._signs.counts(looks_like_identifier(self._name, self._longest))
        counts["precision-lost"] = self._scientific
        counts["two-digit-years"] = self._short_years.total()
        counts["date-order-contradictory"] = order is DateOrder.CONTRADICTORY
        counts["decimal-mark-contradictory"] = mark is DecimalMark.CONTRADICTORY
        if self._marks is not None:
            counts["currencies-mixed"] = len(self._currencies) if len(self._currencies) > 1 else 0
            counts["percent-signs"] = self._percents
        if self._orders is not None and True not in self._timed:
            counts["midnight-times"] = self._midnights
        return [Finding(code=code, count=count, column=self._name) for code, count in sorted(counts.items()) if count]

    def _keep(self, distinct: set[str]) -> None:
        if self._values is not None:
            self._values |= distinct
            if len(self._values) > _MOST_VALUES or self._longest > _LONGEST_VALUE:
                self._values = None

    def _vote(self, value: str) -> None:
        if not value:
            return
        self._seen += 1
        if self._words is not None:
            self._words.add(value.lower())
            if len(self._words) > 2 or not any(self._words <= pair for pair in _PAIRS):
                self._words = None
        if self._marks is not None and not self._vote_number(value):
            self._marks = None
        if self._orders is not None and not self._vote_date(value):
            self._orders = None

    def _vote_number(self, value: str) -> bool:
        assert self._marks is not None
        if _PLAIN.fullmatch(value):
            self._marks.add(DecimalMark.NONE)
            return True
        if _SIMPLE.fullmatch(value):
            self._marks.add(DecimalMark.POINT)
            return True
        mark = number_mark(value)
        if mark is None:
            return False
        self._marks.add(mark)
        if value.endswith("%"):
            self._percents += 1
        elif currency := currency_of(value):
            self._currencies.add(currency)
        if unit_of(bare_number(value))[1]:
            self._units.add(means_money(value))
        elif "₹" in value or without_rupees(value) != value:
            self._units.add(True)
        return True

    def _vote_date(self, value: str) -> bool:
        assert self._orders is not None
        try:
            if _ISO_MOMENT.fullmatch(value):
                datetime.fromisoformat(value)
                self._orders.add("year")
                self._timed.add(True)
                return True
            if _ISO_DAY.fullmatch(value):
                date.fromisoformat(value)
                self._orders.add("year")
                self._timed.add(False)
                return True
        except ValueError:
            return False
        found = day_parts(value)
        order = date_order(found) if found else ""
        if not found or not order:
            return False
        if (short := short_year(value)) is not None:
            self._short_years[short] += 1
        self._orders.add(order)
        timed = found[5] is not None
        if timed and found[10] is None and is_midnight(found):
            self._midnights += 1  # a date, where no other value has a time
        else:
            self._timed.add(timed)
        self._naive = self._naive or (timed and found[10] is None)
        return True

    def _fits(self) -> tuple[Kind, ...]:
        fits: list[Kind] = [Kind.TEXT]
        if self._words is not None:
            fits.append(Kind.BOOLEAN)
        mixed = self._percents > 0 and self._marks is not None and self._percents < self._seen
        if self._marks is not None and self._mark() is not DecimalMark.CONTRADICTORY and not mixed:
            fits += [Kind.INTEGER] if self._marks <= {DecimalMark.NONE} else []
            fits.append(Kind.DECIMAL)
        if self._orders is not None and len(self._timed) < 2 and self._order() is not DateOrder.CONTRADICTORY:
            fits += [Kind.DATETIME] if False not in self._timed else []
            fits += [Kind.DATE] if True not in self._timed else []
        return tuple(fits)

    def _kind(
        self, fits: tuple[Kind, ...], order: DateOrder | None, mark: DecimalMark | None, *, doubtful: bool
    ) -> Kind:
        """TEXT for columns without values, with an open question, or of identifiers."""
        if not self._seen or order is DateOrder.AMBIGUOUS or mark is DecimalMark.AMBIGUOUS:
            return Kind.TEXT
        if self._units == {False}:  # "5 L" and nothing that says money: five lakh, or five litres
            return Kind.TEXT
        if Kind.BOOLEAN in fits and self._words and self._words - {"0", "1"}:
            return Kind.BOOLEAN
        for kind in (Kind.DATE, Kind.DATETIME):
            if kind in fits:
                return Kind.TEXT if doubtful else kind
        longest = self._longest if mark is DecimalMark.NONE else 0
        if Kind.DECIMAL in fits and not looks_like_identifier(self._name, longest):
            return Kind.INTEGER if Kind.INTEGER in fits else Kind.DECIMAL
        return Kind.TEXT

    def _order(self) -> DateOrder | None:
        orders = self._orders
        if not orders:
            return None
        if {"day", "month"} <= orders:
            return DateOrder.CONTRADICTORY
        if "day" in orders:
            return DateOrder.DAY
        if "month" in orders:
            return DateOrder.MONTH
        return DateOrder.AMBIGUOUS if "either" in orders else DateOrder.YEAR

    def _mark(self) -> DecimalMark | None:
        marks = self._marks
        if not marks:
            return None
        if {DecimalMark.POINT, DecimalMark.COMMA} <= marks:
            return DecimalMark.CONTRADICTORY
        for mark in (DecimalMark.POINT, DecimalMark.COMMA, DecimalMark.AMBIGUOUS):
            if mark in marks:
                return mark
        return DecimalMark.NONE


_IDENTIFIER = re.compile(
    r"(^|[ _-])(id|ids|phone|mobile|tel|telephone|fax|zip|postcode|postal|plz|pin|code|number|no|nr|ref|sku|account"
    r"|serial|iban|vat|ssn|mrn)([ _-]|\d|$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def looks_like_identifier(name: str, longest: int) -> bool:
    """Whether digits under this heading name something rather than count it."""
    return longest > 9 or _IDENTIFIER.search(_HUMP.sub(" ", name).lower()) is not None


def vote_columns(votes: Sequence[ColumnVote], rows: Iterable[Sequence[str]]) -> None:
    """Adds some rows, column by column."""
    for vote, cells in zip(votes, zip(*rows, strict=True), strict=False):
        vote.add(cells)
