"""ZIP archives taken apart: tables and documents, and hostile ones refused by code."""

import zipfile

import pytest

from connectors import archives
from connectors.table_files import StoredDocument, cell_values, find_document
from connectors.table_shape import Unreadable
from tests.connectors.hostile_archives import HOSTILE, TABLE, not_utf8
from tests.connectors.unpacking_kit import archive, bytes_of, rows_of_table, sheet, taken_apart


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(name: str) -> None:
    body, code = HOSTILE[name]
    with pytest.raises(Unreadable) as refused:
        taken_apart("zip", body)
    assert refused.value.code == code, refused.value.detail
    assert len(refused.value.detail) > 10


def test_members_become_tables_and_documents() -> None:
    found = taken_apart(
        "zip",
        archive({
            "export/customers.csv": TABLE,
            "export/bookings.json": b'[{"id": 7, "lines": [{"q": 1}]}]',
            "export/book.xlsx": sheet([["id", "n"], ["1", "x"]]),
            "export/documents/list.csv": b"not a table",
            "export/readme.txt": b"hello",
            "export/größe.pdf": b"%PDF",
            "export/empty.csv": b"",
            "__MACOSX/._a": b"x",
            "export/Thumbs.db": b"x",
        }),
    )  # fmt: skip
    named = {one.name: (one.stem, one.parent, one.path) for one in found.tables}
    assert named == {
        "export/customers.csv": ("customers", "", ""),
        "export/bookings.json/bookings": ("bookings", "", ""),
        "export/bookings.json/bookings.lines": ("bookings.lines", "export/bookings.json/bookings", "lines"),
        "export/book.xlsx/Sheet1": ("book", "", ""),
    }
    assert bytes_of(found.tables[0]) == TABLE
    assert rows_of_table(found.tables[2])[0] == [(1, {"_parent": "7", "_position": "1", "q": "1"})]
    assert sorted(one.path for one in found.documents) == [
        "export/documents/list.csv", "export/größe.pdf", "export/readme.txt",
    ]  # fmt: skip
    told = {(one.code, one.count, one.column) for one in found.findings}
    assert told == {("system-files-skipped", 2, ""), ("table-empty", 1, "export/empty.csv")}


def test_names_in_utf8_without_saying_so_are_told() -> None:
    body = bytearray(archive({"kaefer.csv": TABLE}))
    for mark, name in ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46)):
        at = body.index(mark) + name
        body[at : at + 6] = "käfer".encode()
    found = taken_apart("zip", bytes(body))
    assert found.tables[0].name == "käfer.csv"
    assert [one.code for one in found.findings] == ["names-assumed-utf8"]


def test_names_in_an_unknown_encoding_are_refused() -> None:
    with pytest.raises(Unreadable, match="not UTF-8"):
        taken_apart("zip", not_utf8(flag=False))


def test_more_members_than_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    with pytest.raises(Unreadable) as refused:
        taken_apart("zip", archive({f"{number}.csv": TABLE for number in range(4)}))
    assert refused.value.code == "too-many-members"


def test_a_stored_table_of_zeros_is_no_bomb() -> None:
    """What unpacks to its own size may be as dull as it likes."""
    body = b"id,name\n" + b"0,0\n" * 10
    assert taken_apart("zip", archive({"a.csv": body}, zipfile.ZIP_STORED)).tables[0].name == "a.csv"


def test_documents_are_found_by_the_name_a_table_gives() -> None:
    held = [
        StoredDocument(path, 1, "", "z.zip")
        for path in ("docs/p1/Scan.PDF", "docs/p2/scan.pdf", "docs/x.pdf", "y.pdf", "a/y.pdf")
    ]
    expected = {
        "docs/p1/Scan.PDF": "docs/p1/Scan.PDF", "P2\\SCAN.pdf": "docs/p2/scan.pdf", "./docs/x.pdf": "docs/x.pdf",
        "C:/old/x.pdf": "docs/x.pdf", "scan.pdf": None, "y.pdf": "y.pdf", "": None, "no.pdf": None,
    }  # fmt: skip
    for path, wanted in expected.items():
        found = find_document(held, path)
        assert (found.path if found else None) == wanted, path


def test_values_of_one_cell() -> None:
    assert cell_values('["a; b","2"]', ";") == ["a; b", "2"]
    assert cell_values("a; b;;c", ";") == ["a", "b", "c"]
    assert cell_values("[a", ";") == ["[a"]
    assert cell_values("", ";") == []
