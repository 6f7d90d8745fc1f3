"""The cells of a sheet and the shared texts of a workbook, read from their XML piece by piece in flat memory.

Element names and cell types are those of ISO/IEC 29500-1, 18.3.1 and 18.4; entities were refused before
(`sheet_scans`). The usual library keeps an element and the attributes of every row, and all shared texts.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, BinaryIO, NamedTuple
from xml.parsers import expat

from connectors.table_shape import Unreadable

_PIECE = 64 * 1024
_LAST_COLUMN = 16_384
_DIGITS = "0123456789"


class SheetCell(NamedTuple):
    """A cell as it is stored. `kind` is the type attribute: n, s, str, inlineStr, b, e or d; `style` its format."""

    value: str
    kind: str
    style: int


Row = tuple[int, list[SheetCell | None]]


def shared_texts(part: BinaryIO) -> Iterator[str]:
    """The texts of `sharedStrings.xml` in order, runs joined, what is spelt out for reading aloud left out."""
    texts = _Texts()
    for _ in _parsed(part, texts):
        yield from texts.take()


def sheet_rows(part: BinaryIO, shared: Sequence[str] | Any) -> Iterator[Row]:
    """Rows with their numbers, blank ones between them included. Raises Unreadable, and ValueError or IndexError for
    XML that is no sheet."""
    sheet = _Sheet(shared)
    expected = 1
    for _ in _parsed(part, sheet):
        for line, cells in sheet.take():
            yield from ((blank, []) for blank in range(expected, line))
            expected = max(expected, line + 1)
            yield line, cells


def _parsed(part: BinaryIO, target: "_Texts | _Sheet") -> Iterator[None]:
    """Feeds the parser; the caller takes what is ready after each piece."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = target.start
    parser.EndElementHandler = target.end
    parser.CharacterDataHandler = target.data
    try:
        while piece := part.read(_PIECE):
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError:
        raise ValueError("the XML of the workbook is broken") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Texts:
    """Collects the items of the table of texts."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._text: list[str] = []
        self._taking = False
        self._aloud = 0

    def take(self) -> list[str]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        local = _local(name)
        if local == "si":
            self._text = []
        elif local == "rPh":
            self._aloud += 1
        elif local == "t":
            self._taking = not self._aloud

    def data(self, text: str) -> None:
        if self._taking:
            self._text.append(text)

    def end(self, name: str) -> None:
        local = _local(name)
        if local == "t":
            self._taking = False
        elif local == "rPh":
            self._aloud -= 1
        elif local == "si":
            # an underscore that only looks like the start of a character's number is written so
            self._done.append("".join(self._text).replace("x005F_", ""))


class _Sheet:
    """Collects the rows of a sheet."""

    def __init__(self, shared: Sequence[str] | Any) -> None:
        self._shared = shared
        self._done: list[Row] = []
        self._line = 0
        self._cells: list[SheetCell | None] | None = None
        self._column = 0
        self._kind: str | None = None
        self._style = 0
        self._value: list[str] = []
        self._inline: list[str] = []
        self._into: list[str] | None = None
        self._aloud = 0

    def take(self) -> list[Row]:
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name if ":" not in name else _local(name)
        if self._cells is None:
            if local == "row":
                self._line = int(float(attributes["r"])) if "r" in attributes else self._line + 1
                self._cells, self._column = [], 0
        elif self._kind is None:
            if local == "c":
                place = attributes.get("r")
                self._column = column_of(place) if place else self._column + 1
                if not 1 <= self._column <= _LAST_COLUMN:
                    raise Unreadable("workbook-hostile", "a cell of the workbook is in a column that Excel lacks")
                self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
                self._value, self._inline = [], []
        elif local == "v":
            self._into = self._value
        elif local == "rPh":
            self._aloud += 1
        elif local == "t":
            self._into = None if self._aloud else self._inline

    def data(self, text: str) -> None:
        if self._into is not None:
            self._into.append(text)

    def end(self, name: str) -> None:
        local = name if ":" not in name else _local(name)
        if local in ("v", "t"):
            self._into = None
        elif local == "c":
            self._end_cell()
        elif local == "row" and self._cells is not None:
            self._done.append((self._line, self._cells))
            self._cells = None
        elif local == "rPh":
            self._aloud -= 1

    def _end_cell(self) -> None:
        kind, cells = self._kind, self._cells
        if kind is None or cells is None:
            return
        self._kind = None
        value = "".join(self._inline if kind == "inlineStr" else self._value)
        if not value:
            return
        if kind == "s":
            value = self._shared[int(value)]
        missing = self._column - len(cells)
        if missing > 0:
            cells += [None] * missing
        cells[self._column - 1] = SheetCell(value, kind, self._style)


def column_of(reference: str) -> int:
    """The number of a cell's column, 28 for AB7. Raises ValueError."""
    return _number_of(reference.rstrip(_DIGITS))


@lru_cache(maxsize=2_048)
def _number_of(letters: str) -> int:
    if not (letters.isascii() and letters.isalpha() and letters.isupper()):
        raise ValueError("a cell's place cannot be read")
    number = 0
    for letter in letters[:8]:
        number = number * 26 + ord(letter) - 64
    return number
