"""What a file that holds several tables is taken apart into, and where the parts go while that is done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from connectors.table_rows import TableDraft
from connectors.table_shape import Finding, Unreadable
from connectors.tabular import Dialect

MAX_TABLES = 100
MAX_NAME = 150
"""Characters of a sheet's or list's name."""


_APART = str.maketrans(dict.fromkeys("/:", "-"))
"""What parts the names of files, tables and questions from each other."""


class Part(Protocol):
    """Bytes being stored, not counting yet."""

    def write(self, chunk: bytes) -> None:
        """Takes the next bytes; raises only what ends the whole upload."""

    def close(self) -> None:
        """No more bytes come."""

    def reopen(self) -> BinaryIO:
        """What was written, to be read from any place. Only after `close`."""

    def discard(self) -> None:
        """The bytes are not needed any more."""


OpenPart = Callable[[], Part]


@dataclass(frozen=True, slots=True)
class UnpackedTable:
    """A table with the part that holds it. `name` and `parent` are within the file that was taken apart."""

    name: str
    stem: str
    part: Part
    dialect: Dialect
    parent: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class UnpackedDocument:
    """A file that is kept as it is, by its path in the archive."""

    path: str
    part: Part


@dataclass(slots=True)
class Unpacked:
    """All that was found in a file."""

    tables: list[UnpackedTable] = field(default_factory=list)
    documents: list[UnpackedDocument] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Drafts:
    """The tables of one workbook or JSON file while they are written."""

    def __init__(self, open_part: OpenPart) -> None:
        self._open_part = open_part
        self._drafts: dict[str, tuple[TableDraft, Part]] = {}
        self._names: set[str] = set()

    def open(self, name: str, *, stem: str, parent: str = "", path: str = "") -> TableDraft:
        """The draft of that name, begun where there is none. Raises Unreadable for more tables than can be kept."""
        known = self._drafts.get(name)
        if known:
            return known[0]
        given = name.translate(_APART)
        while given in self._names:  # two lists whose names differ only in what was replaced
            given += "_2"
        self._names.add(given)
        if len(self._drafts) >= MAX_TABLES:
            raise Unreadable("too-many-tables", f"the file holds more than {MAX_TABLES} tables; split it")
        if len(name) > 2 * MAX_NAME:
            raise Unreadable("name-too-long", f"a table's name is longer than {2 * MAX_NAME} characters")
        part = self._open_part()
        draft = TableDraft(given, part.write, stem=stem, parent=parent, path=path)
        self._drafts[name] = draft, part
        return draft

    def close(self, source: str) -> list[UnpackedTable]:
        """The tables in the order they were begun."""
        found = []
        for draft, part in self._drafts.values():
            part.close()
            dialect = draft.dialect(source)
            found.append(UnpackedTable(draft.name, draft.stem, part, dialect, draft.parent, draft.path))
        return found
