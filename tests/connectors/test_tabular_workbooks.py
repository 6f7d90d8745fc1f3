"""Excel workbooks taken apart: what a person sees in a cell is what arrives, and broken ones are refused."""

import io
import zipfile

import openpyxl
import pytest

from connectors.table_shape import Unreadable
from connectors.workbooks import number_text, serial_text
from tests.connectors.unpacking_kit import archive, rows_of_table, sheet, tables_of, taken_apart, workbook


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ((45_657, "dd/mm/yyyy"), "2024-12-31"),
        ((45_657.5, "yyyy-mm-dd hh:mm"), "2024-12-31T12:00:00"),
        ((45_657, "yyyy-mm-dd hh:mm"), "2024-12-31T00:00:00"),
        ((45_657.999999, "dd/mm/yyyy hh:mm:ss"), "2024-12-31T23:59:59.914"),
        ((1, "dd/mm/yyyy"), "1900-01-01"),
        ((59, "dd/mm/yyyy"), "1900-02-28"),
        ((60, "dd/mm/yyyy"), "1900-02-29"),
        ((61, "dd/mm/yyyy"), "1900-03-01"),
        ((2_958_465, "dd/mm/yyyy"), "9999-12-31"),
        ((2_958_466, "dd/mm/yyyy"), "2958466"),
        ((-1, "dd/mm/yyyy"), "-1"),
        ((0.25, "hh:mm"), "06:00:00"),
        ((1.5, "[h]:mm"), "36:00:00"),
        ((0.1, "0.00"), "0.1"),
        ((0.1 + 0.2, "General"), "0.3"),
        ((1234.56, "#,##0.00"), "1234.56"),
        ((1e21, "0"), "1000000000000000000000"),
        ((919_877_000_000, "General"), "919877000000"),
        ((3.0, "0.00"), "3"),
        ((1e-7, "General"), "0.0000001"),
        ("00123", "00123"),
        ("=1+1", "0"),
        (True, "true"),
        ("+44 20", "+44 20"),
        ("São €", "São €"),
    ],
)  # fmt: skip
def test_cells(cell: object, text: str) -> None:
    rows = tables_of("xlsx", sheet([["id", "v"], ["1", cell]]))["Sheet1"]
    assert rows == [{"id": "1", "v": text}]


def test_the_1904_system() -> None:
    body = sheet([["id", "v"], ["1", (44_195, "dd/mm/yyyy")]], date_1904=True)
    assert tables_of("xlsx", body)["Sheet1"][0]["v"] == "2024-12-31"
    assert serial_text(0, "date", starts_1904=True) == "1904-01-01"
    assert serial_text(0, "date", starts_1904=False) is None


def test_numbers_never_have_an_exponent() -> None:
    assert [number_text(one) for one in (1e300, 5, -0.0, 1.10, 123456789.123456789)] == [
        "1" + "0" * 300, "5", "0", "1.1", "123456789.123457",
    ]  # fmt: skip


def test_sheets_are_tables_and_hidden_ones_are_told() -> None:
    found = taken_apart("xlsx", workbook({"A": [["x"], ["1"]], "B": [["y"], ["2"]], "C": []}, hidden="B"))
    assert [(one.name, one.stem) for one in found.tables] == [("A", "A"), ("B", "B")]
    assert {(one.code, one.column) for one in found.findings} == {("sheet-hidden", "B"), ("sheet-empty", "C")}


def test_one_sheet_is_called_after_its_file() -> None:
    table = taken_apart("xlsx", sheet([["x"], ["1"]]), "Customers").tables[0]
    assert (table.name, table.stem) == ("Sheet1", "Customers")


def test_titles_gaps_and_rows_beyond_the_headings() -> None:
    body = sheet(
        [
            ["Customers of 2024"],
            [],
            ["id", "name", "town", "tel"],
            ["1", "a", "b", "c"],
            [],
            ["2", "a", None, None],
            ["3", "a", "b", "c", "surplus"],
        ]
    )
    table = taken_apart("xlsx", body).tables[0]
    rows, rejects = rows_of_table(table)
    assert [(line, row["id"]) for line, row in rows] == [(4, "1"), (6, "2")]
    assert rejects == [(7, "too-many-cells", "3\ta\tb\tc\tsurplus")]
    told = {one.code: one.count for one in table.dialect.findings}
    assert (told["lines-before-headings"], told["blank-lines"]) == (1, 1)


def test_merged_headings_stand_over_all_their_columns() -> None:
    rows = [
        ["id", None, None, "town", "note"],
        [None, "Phone", "Mail", None, None],
        ["1", "5", "a@example.com", "X", "n"],
    ]
    table = taken_apart("xlsx", sheet(rows, merges=[(0, 1, 0, 2, "Contact")])).tables[0]
    assert table.dialect.columns == ("id", "Contact Phone", "Contact Mail", "town", "note")
    assert [row for _, row in rows_of_table(table)[0]] == [
        {"id": "1", "Contact Phone": "5", "Contact Mail": "a@example.com", "town": "X", "note": "n"}
    ]


def test_merged_cells_below_the_headings_are_told_and_not_copied() -> None:
    rows = [["id", "name", "town"], ["1", "a", None], ["2", "b", None]]
    table = taken_apart("xlsx", sheet(rows, merges=[(1, 2, 2, 2, "Bonn")])).tables[0]
    assert [row["town"] for _, row in rows_of_table(table)[0]] == ["Bonn", ""]
    assert {one.code: one.count for one in table.dialect.findings}["cells-merged"] == 1


def test_formulas_come_by_their_stored_value_and_without_one_are_told() -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "sum"])
    book.active.append(["1", "=A2+1"])
    held = io.BytesIO()
    book.save(held)
    table = taken_apart("xlsx", held.getvalue()).tables[0]
    assert rows_of_table(table)[0] == [(2, {"id": "1", "sum": ""})]
    assert {one.code: one.count for one in table.dialect.findings}["formulas-without-value"] == 1


def test_error_cells_stay_and_are_told() -> None:
    body = changed(
        sheet([["id", "v"], ["1", 5]]),
        "xl/worksheets/sheet1.xml",
        b"<v>5</v>",
        b"<v>#REF!</v>",
        b'<c r="B2">',
        b'<c r="B2" t="e">',
    )
    table = taken_apart("xlsx", body).tables[0]
    assert rows_of_table(table)[0] == [(2, {"id": "1", "v": "#REF!"})]
    assert {one.code: one.count for one in table.dialect.findings}["error-cells"] == 1


def changed(body: bytes, part: str, *pairs: bytes) -> bytes:
    """A workbook with texts of one part replaced."""
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in members[part]
        members[part] = members[part].replace(old, new)
    return archive(members)


PLAIN = sheet([["id", "v"], ["1", 5]])
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"id,v\n1,2\n", "format-mismatch"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "format-not-supported"),
        (b"", "empty"),
        (archive({"a.csv": b"x"}), "workbook-broken"),
        (PLAIN[:-100], "truncated"),
        (sheet([]), "empty"),
        (changed(PLAIN, SHEET, b'<row r="2"', b'<row r="99999999999"'), "workbook-hostile"),
        (changed(PLAIN, SHEET, b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "workbook-hostile"),
        (changed(PLAIN, SHEET, b"</sheetData>", b""), "workbook-broken"),
        (changed(PLAIN, SHEET, b'r="B2"', b'r="ZZZZZ2"'), "workbook-hostile"),
        (changed(PLAIN, SHEET, b'r="B2"', b'r="2"'), "workbook-broken"),
        (changed(PLAIN, SHEET, b"<v>5</v>", b"<v>" + b"5" * (9 * 1024 * 1024) + b"</v>"), "cell-too-long"),
        (changed(PLAIN, "xl/workbook.xml", b"<sheets>", b"<sheets"), "workbook-broken"),
    ],
)
def test_workbooks_that_cannot_be_read(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        taken_apart("xlsx", body)
    assert refused.value.code == code, refused.value.detail
