"""JSON and NDJSON files into tables: every list of objects becomes one, record by record, in flat memory."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson
import orjson

from connectors.json_records import MAX_DEPTH, Fields, RecordRefused, RecordTables, plain
from connectors.table_shape import Finding, Unreadable, clean_heading
from connectors.tabular import MAX_CELL, MAX_RECORD
from connectors.unpacking import Drafts, OpenPart, UnpackedTable

_PIECE = 64 * 1024
_WRAPPERS = frozenset({"data", "items", "records", "results", "rows", "list", "value"})
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
          (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
_MOST_DIGITS = 1_000
_WHOLE = 10**18


class _Bytes:
    """A file for the parser: UTF-8 without a mark, and an end to values that never end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._since = 0
        head = file.read(4)
        name = next((name for mark, name in _MARKS if head.startswith(mark)), "")
        self._decoder = codecs.getincrementaldecoder(name)() if name else None
        self._first = head.removeprefix(codecs.BOM_UTF8) if not name else head

    def read(self, size: int = -1) -> bytes:
        if not size:
            return b""  # the parser asks what kind of file this is
        chunk = (self._first or b"") + self._file.read(_PIECE if size < 0 or size > _PIECE else size)
        self._first = b""
        self._since += len(chunk)
        if self._since > MAX_RECORD:
            raise Unreadable(
                "cell-too-long", f"a record of the JSON is above {MAX_RECORD // 1024**2} MiB, or a text never ends"
            )
        if self._decoder is None:
            return chunk
        try:
            return self._decoder.decode(chunk, not chunk).encode("utf-8", "replace")
        except UnicodeDecodeError:
            raise Unreadable("encoding-unknown", "a character cannot be read; save the file as UTF-8") from None

    def progress(self) -> None:
        """A record is done with."""
        self._since = 0


def read_json(file: BinaryIO, stem: str, open_part: OpenPart) -> tuple[list[UnpackedTable], list[Finding]]:
    """The lists of objects of one JSON document; `stem` is the name of a list that has none of its own.

    A document without a list is a table of one row. Raises Unreadable with the byte where JSON ends to be JSON.
    """
    drafts = Drafts(open_part)
    stream = _Bytes(file)
    walk = _Walk(drafts, stem, stream)
    try:
        for event, value in ijson.basic_parse(stream, use_float=False):
            walk.take(event, value)
    except ijson.IncompleteJSONError as error:
        text = str(error)
        if walk.depth == 0 and walk.ended and "trailing" in text:
            raise Unreadable("malformed-json", "more follows after the JSON; a record a line is .ndjson") from None
        place = f"after record {walk.records} " if walk.records else ""
        cut = "it is not whole" if "incomplete" in text or "premature" in text else "something there is no JSON"
        raise Unreadable(
            "malformed-json", f"the JSON cannot be read {place}to its end: {cut}", line=walk.records
        ) from None
    except (ijson.JSONError, ValueError, ArithmeticError, SystemError):
        raise Unreadable(
            "malformed-json", f"the JSON cannot be read after record {walk.records}", line=walk.records
        ) from None
    return walk.tables("json")


class _Walk:
    """Follows the parser: outside of lists it keeps the path, inside it builds records."""

    def __init__(self, drafts: Drafts, stem: str, stream: _Bytes) -> None:
        self._drafts, self._stem, self._stream = drafts, stem, stream
        self._records = RecordTables(drafts)
        self._keys: list[str] = []
        self._rest = Fields()
        self._build: list[Any] = []
        self._names: list[str] = []
        self._in_list = False
        self._counts: dict[str, int] = {}
        self._called: dict[str, str] = {}  # tables by path
        self._loose: list[Any] = []
        self.depth, self.records, self.ended = 0, 0, False

    def take(self, event: str, value: Any) -> None:
        if self._in_list:
            self._inside(event, value)
        elif event == "map_key":
            self._keys[-1] = value
        elif event == "start_map":
            self._keys.append("")
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise Unreadable("too-deep", f"the JSON is nested deeper than {MAX_DEPTH} levels")
        elif event == "end_map":
            self._keys.pop()
            self.depth -= 1
            self.ended = self.depth == 0
        elif event == "start_array":
            self._in_list, self._loose = True, []
        else:
            self._stay(_scalar(event, value))

    def _inside(self, event: str, value: Any) -> None:
        build = self._build
        if event == "map_key":
            self._names[-1] = value
        elif build and event == "string" and len(value) <= MAX_CELL:  # most of a file; the rest takes the long way
            into = build[-1]
            into.append((self._names[-1], value) if into.__class__ is Fields else value)
        elif event in ("start_map", "start_array"):
            if len(build) >= 4 * MAX_DEPTH:
                raise Unreadable(
                    "too-deep", f"a record is nested deeper than {MAX_DEPTH} levels", line=self.records + 1
                )
            build.append(Fields() if event == "start_map" else [])
            self._names.append("")
        elif event in ("end_map", "end_array"):
            if not build:
                self._end_list()
                return
            self._names.pop()
            self._put(build.pop())
        else:
            self._put(_scalar(event, value))

    def _put(self, value: Any) -> None:
        if value.__class__ is str and len(value) > MAX_CELL:
            raise Unreadable("cell-too-long", f"a value of record {self.records + 1} is above {MAX_CELL // 1024} KiB")
        if self._build:
            into = self._build[-1]
            into.append((self._names[-1], value) if isinstance(into, Fields) else value)
            return
        self._stream.progress()
        if isinstance(value, Fields):
            self._record(value)
        elif self._path() in self._counts:
            self._refuse(value, "not-an-object")
        else:
            self._loose.append(value)
            if len(self._loose) > 100_000:
                raise Unreadable("cell-too-long", "a list of plain values is longer than a cell may be")

    def _path(self) -> str:
        return ".".join(self._keys)

    def _table(self) -> Any:
        """The draft of the list at hand; lists of one name (in a wrapper such as `data`) are called after the file."""
        path = self._path()
        if path not in self._counts:
            self._counts[path] = 0
            named = ".".join(key for key in self._keys if key.lower() not in _WRAPPERS) or self._stem
            name = path if named in self._called.values() else named
            self._called[path] = clean_heading(name) or self._stem
        name = self._called[path]
        return self._drafts.open(name, stem=name)

    def _record(self, record: Fields) -> None:
        draft, path = self._table(), self._path()
        loose, self._loose = self._loose, []
        for value in loose:
            self._refuse(value, "not-an-object")
        self._counts[path] += 1
        self.records += 1
        try:
            self._records.add(draft, self._counts[path], record)
        except RecordRefused as refused:
            self._counts[path] -= 1
            self._refuse(record, refused.code)

    def _refuse(self, value: Any, code: str) -> None:
        draft, path = self._table(), self._path()
        self._counts[path] += 1
        text = "" if code == "too-deep" else orjson.dumps(plain(value)).decode()
        draft.reject(self._counts[path], 0, code, text)

    def _end_list(self) -> None:
        self._in_list = False
        self.ended = self.depth == 0
        if self._loose:
            loose, self._loose = self._loose, []
            if self._keys:
                self._stay(loose)
                return
            self._loose = []
            for value in loose:
                self._refuse(value, "not-an-object")
        elif self._path() not in self._counts:
            self._table()  # an empty list is a table without rows

    def _stay(self, value: Any) -> None:
        """What stands beside the lists."""
        if len(self._rest) >= 2_000:
            raise Unreadable("too-many-columns", "the JSON has more values outside of lists than a table has columns")
        self._stream.progress()
        self._rest.append((self._path(), value))

    def tables(self, source: str) -> tuple[list[UnpackedTable], list[Finding]]:
        if not self._called:
            if not self._keys and not self._rest:
                raise Unreadable("empty", "the JSON holds no record")
            draft = self._drafts.open(self._stem, stem=self._stem)
            self._records.add(draft, 1, self._rest)
            return self._drafts.close(source), []
        beside = [Finding(code="values-beside-tables", count=1, column=name[:200]) for name, _ in self._rest[:100]]
        return self._drafts.close(source), beside


def _scalar(event: str, value: Any) -> Any:
    """Numbers as the text they are written in."""
    if event == "number":
        if value.__class__ is int and -_WHOLE < value < _WHOLE:
            return str(value)
        text = str(value) if value.__class__ is not int or abs(value) < 10**_MOST_DIGITS else ""
        if not text or len(text) > _MOST_DIGITS:
            raise Unreadable("number-too-long", f"a number has more than {_MOST_DIGITS} digits")
        return text
    return value


def read_lines(file: BinaryIO, stem: str, open_part: OpenPart) -> tuple[list[UnpackedTable], list[Finding]]:
    """NDJSON: an object a line. A line that is none goes to the rejects, the others count. Raises Unreadable."""
    drafts = Drafts(open_part)
    records = RecordTables(drafts)
    draft = drafts.open(stem, stem=stem)
    for line, body in _lines(file):
        text = body.decode("utf-8", "replace")
        try:
            record = _parse(body)
            records.add(draft, line, record)
        except RecordRefused as refused:
            draft.reject(line, 0, refused.code, text)
    return drafts.close("ndjson"), []


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    stream, held, number = _Bytes(file), b"", 0
    while chunk := stream.read(_PIECE):
        stream.progress()
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            number += 1
            if line.strip():
                yield number, line.strip()
        if len(held) > MAX_RECORD:
            raise Unreadable(
                "cell-too-long", f"line {number + 1} is above {MAX_RECORD // 1024**2} MiB", line=number + 1
            )
    if held.strip():
        yield number + 1, held.strip()


def _parse(body: bytes) -> Fields:
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError:
        raise RecordRefused("not-utf-8") from None
    except RecursionError:
        raise RecordRefused("too-deep") from None
    except ValueError:
        raise RecordRefused("not-json") from None
    if not isinstance(value, Fields):
        raise RecordRefused("not-an-object")
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=Fields, parse_int=str, parse_float=str, parse_constant=_no_number)


def looks_like_lines(head: bytes) -> bool:
    """Whether a file that calls itself JSON has a record on each line."""
    first, _, second = head.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")
    if not second.lstrip().startswith(b"{") or len(first) > MAX_RECORD:
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False
