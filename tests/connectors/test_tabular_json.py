"""JSON and NDJSON taken apart into tables: nesting, numbers as written, and what cannot be read."""

import pytest

from connectors.table_shape import Unreadable
from tests.connectors.unpacking_kit import profile_of, rows_of_table, tables_of, taken_apart

DEEP = b"[" * 100_000
LONG = b"x" * (10 * 1024 * 1024)

SHAPES: dict[str, tuple[bytes, dict[str, list[dict[str, str]]]]] = {
    "list": (b'[{"id": 1, "n": "a"}, {"n": "b"}]', {"file": [{"id": "1", "n": "a"}, {"id": "", "n": "b"}]}),
    "keys": (b'{"customers": [{"a": 1}], "jobs": []}', {"customers": [{"a": "1"}], "jobs": []}),
    "wrapper": (b'{"data": [{"a": 1}], "total": 1}', {"file": [{"a": "1"}]}),
    "wrapper-in-wrapper": (b'{"data": {"customers": [{"a": 1}]}}', {"customers": [{"a": "1"}]}),
    "two-wrappers": (b'{"data": [{"a": 1}], "items": [{"b": 2}]}', {"file": [{"a": "1"}], "items": [{"b": "2"}]}),
    "one-record": (b'{"a": 1, "b": {"c": null}}', {"file": [{"a": "1", "b.c": ""}]}),
    "nested-object": (b'[{"a": {"b": {"c": true}}}]', {"file": [{"a.b.c": "true"}]}),
    "list-of-values": (b'[{"t": ["x;y", 1, null]}]', {"file": [{"t": '["x;y","1",null]'}]}),
    "mixed-list": (b'[{"t": [{"a": 1}, 2]}]', {"file": [{"t": '[{"a":"1"},"2"]'}]}),
    "key-twice": (b'[{"a": 1, "a": 2}]', {"file": [{"a": "1", "a_2": "2"}]}),
    "numbers-as-written": (
        b'[{"a": 1.10, "b": 123456789012345678901234567890, "c": 0.1, "d": -0}]',
        {"file": [{"a": "1.10", "b": "123456789012345678901234567890", "c": "0.1", "d": "0"}]},
    ),
    "nul": (b'[{"a": "x\\u0000y"}]', {"file": [{"a": "xy"}]}),
    "byte-order-mark": (b'\xef\xbb\xbf[{"a": "\xc3\xa9"}]', {"file": [{"a": "é"}]}),
    "utf-16": ('[{"a": "é"}]'.encode("utf-16"), {"file": [{"a": "é"}]}),
    "empty-list": (b"[]", {"file": []}),
    "lines-called-json": (b'{"a": 1}\n{"a": 2}\n', {"file": [{"a": "1"}, {"a": "2"}]}),
    "formula": (b'[{"a": "=1+1"}]', {"file": [{"a": "=1+1"}]}),
    "children": (
        b'[{"id": "A", "lines": [{"q": 1, "sub": [{"z": 1}]}, {"q": 2}]}, {"n": 1, "lines": [{"q": 3}]}]',
        {
            "file": [{"id": "A", "n": "", "_row": ""}, {"id": "", "n": "1", "_row": "#2"}],
            "file.lines": [
                {"_parent": "A", "_position": "1", "q": "1", "_row": "A/1"},
                {"_parent": "A", "_position": "2", "q": "2", "_row": ""},
                {"_parent": "#2", "_position": "1", "q": "3", "_row": ""},
            ],
            "file.lines.sub": [{"_parent": "A/1", "_position": "1", "z": "1"}],
        },
    ),
    "list-in-object": (
        b'[{"id": 1, "a": {"b": [{"c": 2}]}}]',
        {"file": [{"id": "1"}], "file.a.b": [{"_parent": "1", "_position": "1", "c": "2"}]},
    ),
    "signs-that-part-names": (b'{"a/b": [{"x": 1}], "a:b": [{"y": 1}]}', {"a-b": [{"x": "1"}], "a-b_2": [{"y": "1"}]}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    body, expected = SHAPES[name]
    assert tables_of("json", body) == expected


def test_a_parents_own_id_by_the_name_of_its_table() -> None:
    found = tables_of("json", b'{"bookings": [{"bookingId": 9, "slots": [{"s": 1}]}]}')
    assert found["bookings.slots"][0]["_parent"] == "9"


def test_values_beside_the_tables_are_told() -> None:
    found = taken_apart("json", b'{"rows": [{"a": 1}], "total": 1, "meta": {"v": 2}}')
    assert {(one.code, one.column) for one in found.findings} == {
        ("values-beside-tables", "total"), ("values-beside-tables", "meta.v"),
    }  # fmt: skip


def test_elements_that_are_no_objects_are_rejected_with_their_text() -> None:
    table = taken_apart("json", b'[1, {"a": 1}, "x", [2]]').tables[0]
    rows, rejects = rows_of_table(table)
    assert [row for _, row in rows] == [{"a": "1"}]
    assert [(code, text) for _, code, text in rejects] == [
        ("not-an-object", '"1"'),
        ("not-an-object", '"x"'),
        ("not-an-object", '["2"]'),
    ]
    assert profile_of(table).rejected == {"not-an-object": 3}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'[{"a": 1}', "malformed-json"),
        (b'[{"a": NaN}]', "malformed-json"),
        (b'[{"a": 1}] more', "malformed-json"),
        (b'[{"a": 1},]', "malformed-json"),
        (b'[{"a": "\xff"}]', "malformed-json"),
        (b"a,b\n1,2\n", "malformed-json"),
        (b"PK\x03\x04", "format-mismatch"),
        (DEEP, "too-deep"),
        (b'{"a":' * 100_000, "too-deep"),
        (b'[{"a": "' + LONG + b'"}]', "cell-too-long"),
        (b'[{"a": "' + LONG[: 2 * 1024 * 1024] + b'"}]', "cell-too-long"),
        (b'[{"a": ' + b"1" * 20_000 + b"}]", "malformed-json"),
        (b'[{"a": ' + b"1" * 2_000 + b"}]", "number-too-long"),
        (b"[" + b",".join(b'{"c%d": 1}' % number for number in range(2_001)) + b"]", "too-many-columns"),
        (b"{" + b",".join(b'"t%d": [{"a": 1}]' % number for number in range(101)) + b"}", "too-many-tables"),
    ],
)
def test_json_that_cannot_be_read(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        taken_apart("json", body)
    assert refused.value.code == code, refused.value.detail


def test_lines_that_are_no_records_are_rejected_and_the_others_count() -> None:
    body = b'{"a": 1.50, "s": [{"v": 1}]}\r\n{"a": NaN}\n\n[1]\n{"a":\n{"a": "\xff"}\n' + DEEP + b'\n{"b": 2}'
    found = taken_apart("ndjson", body)
    rows, rejects = rows_of_table(found.tables[0])
    assert rows == [(1, {"a": "1.50", "_row": "#1", "b": ""}), (8, {"a": "", "_row": "", "b": "2"})]
    assert [(line, code) for line, code, _ in rejects] == [
        (2, "not-json"), (4, "not-an-object"), (5, "not-json"), (6, "not-utf-8"), (7, "too-deep"),
    ]  # fmt: skip
    assert rejects[0][2] == '{"a": NaN}'
    assert rows_of_table(found.tables[1])[0] == [(1, {"_parent": "#1", "_position": "1", "v": "1"})]


def test_a_line_without_an_end() -> None:
    with pytest.raises(Unreadable) as refused:
        taken_apart("ndjson", b'{"a": 1}\n{"a": "' + LONG)
    assert (refused.value.code, refused.value.line) == ("cell-too-long", 2)
