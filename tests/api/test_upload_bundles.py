"""Workbooks, JSON and archives over the API: taken apart into tables and documents, or refused with nothing left."""

import csv
import io
import zipfile
from hashlib import sha256

import httpx
import pytest

from app.engagements import bundles, uploads
from app.engagements.shelf import UploadShelf
from connectors.table_files import find_document, rows_of
from tests.api.conftest import Client
from tests.api.engagement_kit import Move, move, sandboxes
from tests.api.problem_kit import problem
from tests.connectors.hostile_archives import HOSTILE, TABLE
from tests.connectors.unpacking_kit import archive, sheet, workbook

__all__ = ["move", "sandboxes"]  # fixtures

SCAN = b"%PDF-1.7 " + bytes(range(256)) * 9_000  # more than one chunk
BUNDLE = archive({
    "customers.csv": b"id,name,born\n1,=1+1,03/04/2024\n2,b,05/06/2024,surplus\n",
    "bookings.json": b'{"bookings": [{"id": 7, "lines": [{"q": 1}, {"q": 2}]}, 5]}',
    "book.xlsx": workbook({"Quotes": [["id", "sum"], ["1", 5]], "Staff": [["id"], ["9"]]}),
    "documents/p1/scan.pdf": SCAN,
    "documents/list.csv": b"any\n",
    "documents.csv": b"id,path\n1,documents/p1/scan.pdf\n",
})  # fmt: skip


async def send(client: Client, path: str, name: str, body: bytes, kind: str = "application/zip") -> httpx.Response:
    headers = {"Content-Type": kind}
    return await client.post(f"{path}/uploads", params={"name": name}, content=body, headers=headers)


async def held(move: Move) -> tuple[int, int, int, int]:
    """Artifacts, chunks, reports and questions of the engagement."""
    chunks = (
        "SELECT count(*) FROM artifact_chunks WHERE artifact_id IN (SELECT id FROM artifacts WHERE engagement_id = $1)"
    )
    counts = [chunks] + [
        f"SELECT count(*) FROM {one} WHERE engagement_id = $1" for one in ("artifacts", "reports", "questions")
    ]
    async with move.runtime.db.connection(move.client.tenant_id) as connection:
        found = [int(await connection.fetchval(one, move.uuid)) for one in counts]
    return found[0], found[1], found[2], found[3]


def shelf(move: Move) -> UploadShelf:
    return UploadShelf(move.runtime, move.client.tenant_id, move.uuid)


def read_csv(answer: httpx.Response) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


class TestBundles:
    async def test_an_archive_becomes_tables_and_documents(self, move: Move) -> None:
        answer = await send(move.client, move.path, "export.zip", BUNDLE)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert (told["format"], told["rows"], told["rejected"]) == ("zip", 7, {"not-an-object": 1, "too-many-cells": 1})
        assert (told["size"], told["sha256"]) == (len(BUNDLE), sha256(BUNDLE).hexdigest())
        assert (told["documents"], told["document_bytes"]) == (2, len(SCAN) + 4)
        assert {one["name"]: (one["table"], one["format"], one["rows"], one["parent"]) for one in told["tables"]} == {
            "export.zip/book.xlsx/Quotes": ("Quotes", "xlsx", 1, ""),
            "export.zip/book.xlsx/Staff": ("Staff", "xlsx", 1, ""),
            "export.zip/bookings.json/bookings": ("bookings", "json", 1, ""),
            "export.zip/bookings.json/bookings.lines": (
                "bookings.lines", "json", 2, "export.zip/bookings.json/bookings",
            ),
            "export.zip/customers.csv": ("customers", "text", 1, ""),
            "export.zip/documents.csv": ("documents", "text", 1, ""),
        }  # fmt: skip
        assert (await move.client.get(answer.headers["location"])).json() == told
        listed = (await move.client.get(f"{move.path}/uploads", params={"limit": 50})).json()["data"]
        assert {one["name"] for one in listed} == {"export.zip", *(one["name"] for one in told["tables"])}
        assert {one["bundle"] for one in listed} == {"export.zip", ""}

    async def test_connectors_reach_tables_and_documents(self, move: Move) -> None:
        assert (await send(move.client, move.path, "export.zip", BUNDLE)).status_code == 201
        files = shelf(move)
        tables = {one.stem: one for one in await files.tables()}
        assert set(tables) == {"Quotes", "Staff", "bookings", "bookings.lines", "customers", "documents"}
        child = tables["bookings.lines"]
        assert (child.parent, child.path, child.bundle) == (tables["bookings"].name, "lines", "export.zip")
        rows = [row.cells async for block in rows_of(files, child) for row in block]
        assert rows == [["7", "1", "1"], ["7", "2", "2"]]
        rows = [row.cells async for block in rows_of(files, tables["customers"]) for row in block]
        assert rows == [["1", "=1+1", "03/04/2024"]]  # a formula stays as it is where it is read
        documents = await files.documents()
        assert [(one.path, one.size, one.bundle) for one in documents] == [
            ("documents/list.csv", 4, "export.zip"), ("documents/p1/scan.pdf", len(SCAN), "export.zip"),
        ]  # fmt: skip
        scan = find_document(documents, "P1/scan.pdf")
        assert scan is not None
        fresh = shelf(move)  # another process, which has listed nothing
        assert b"".join([chunk async for chunk in fresh.read_document(scan)]) == SCAN
        assert scan.checksum == sha256(SCAN).hexdigest()

    async def test_nothing_lies_in_clear(self, move: Move) -> None:
        secret = b"Ada Lovelace-Nightingale"
        body = archive({"a.csv": b"id,name\n1," + secret + b"\n", f"docs/{secret.decode()}.txt": secret})
        assert (await send(move.client, move.path, "export.zip", body)).status_code == 201
        async with move.runtime.db.connection(move.client.tenant_id) as connection:
            for table in ("artifact_chunks", "artifacts", "reports", "questions"):
                rows = await connection.fetch(f"SELECT * FROM {table}")
                assert not any(
                    secret in repr(tuple(row)).encode() or secret.hex().encode() in repr(tuple(row)).encode()
                    for row in rows
                )

    async def test_rejects_and_documents_as_csv(self, move: Move) -> None:
        body = archive({
            "a.csv": b"id,name\n=1+1,b,c\n2\n3,ok\n",
            "b.json": b'[{"id": 1}, "=cmd()"]',
            "docs/=evil.txt": b"x",
        })  # fmt: skip
        told = (await send(move.client, move.path, "export.zip", body)).json()
        rejects = read_csv(await move.client.get(f"{move.path}/uploads/{told['id']}/rejects"))
        assert rejects == [
            ["file", "line", "column", "code", "row"],
            ["export.zip/a.csv", "2", "3", "too-many-cells", "'=1+1,b,c"],
            ["export.zip/a.csv", "3", "name", "too-few-cells", "2"],
            ["export.zip/b.json/b", "2", "", "not-an-object", '"=cmd()"'],
        ]
        documents = read_csv(await move.client.get(f"{move.path}/uploads/{told['id']}/documents"))
        assert documents == [["path", "size", "sha256"], ["docs/=evil.txt", "1", sha256(b"x").hexdigest()]]
        alone = (await send(move.client, move.path, "a.csv", b"id,name\n1\n", "text/csv")).json()
        assert len(read_csv(await move.client.get(f"{move.path}/uploads/{alone['id']}/rejects"))) == 2
        assert len(read_csv(await move.client.get(f"{move.path}/uploads/{alone['id']}/documents"))) == 1

    async def test_every_reject_is_listed_however_many_there_are(self, move: Move) -> None:
        body = b"id,name\n" + b"1\n" * 5_000
        told = (await send(move.client, move.path, "a.csv", body, "text/csv")).json()
        assert len(told["rejects"]) == 1_000
        rejects = read_csv(await move.client.get(f"{move.path}/uploads/{told['id']}/rejects"))
        assert [row[1] for row in rejects[1:]] == [str(line) for line in range(2, 5_002)]

    async def test_questions_name_the_table_and_answers_stay(self, move: Move) -> None:
        await send(move.client, move.path, "export.zip", BUNDLE)
        rows = (await move.client.get(f"{move.path}/questions")).json()["data"]
        assert [(one["code"], one["detail"]["file"]) for one in rows] == [("date-order", "export.zip/customers.csv")]
        answer = {"answer": {"choice": "day-first"}}
        assert (await move.client.post(f"/v1/questions/{rows[0]['id']}/answer", json=answer)).status_code == 200
        assert (await send(move.client, move.path, "export.zip", BUNDLE)).status_code == 201
        table = next(one for one in await shelf(move).tables() if one.stem == "customers")
        assert table.answer("born", "date-order") == "day-first"

    async def test_the_same_name_replaces_everything_and_delete_leaves_nothing(self, move: Move) -> None:
        await send(move.client, move.path, "export.zip", BUNDLE)
        before = await held(move)
        again = await send(move.client, move.path, "export.zip", BUNDLE)
        assert await held(move) == before
        small = await send(move.client, move.path, "export.zip", archive({"a.csv": TABLE}))
        assert (await move.client.get(again.headers["location"])).status_code == 404
        assert [one.stem for one in await shelf(move).tables()] == ["a"]
        assert await shelf(move).documents() == []
        assert (await move.client.delete(small.headers["location"])).status_code == 204
        assert await held(move) == (0, 0, 0, 0)

    async def test_the_same_key_gives_the_same_answer_and_leaves_nothing_twice(self, move: Move) -> None:
        headers = {"Content-Type": "application/zip", "Idempotency-Key": "bundle-1"}
        url, params = f"{move.path}/uploads", {"name": "export.zip"}
        first = await move.client.post(url, params=params, content=BUNDLE, headers=headers)
        before = await held(move)
        second = await move.client.post(url, params=params, content=BUNDLE, headers=headers)
        assert (second.status_code, second.json()) == (201, first.json())
        assert await held(move) == before

    @pytest.mark.parametrize(
        ("name", "kind", "body", "tables"),
        [
            ("Account.xlsx", "application/octet-stream", sheet([["Id", "Name"], ["1", "A"]]), ["Account"]),
            ("Account.json", "application/json", b'[{"Id": "1"}]', ["Account"]),
            ("Account.ndjson", "application/x-ndjson", b'{"Id": "1"}\n', ["Account"]),
            ("all.json", "application/json", b'{"Account": [{"Id": "1"}], "Contact": []}', ["Account", "Contact"]),
        ],
    )
    async def test_single_files(self, move: Move, name: str, kind: str, body: bytes, tables: list[str]) -> None:
        answer = await send(move.client, move.path, name, body, kind)
        assert answer.status_code == 201, answer.text
        assert [one["table"] for one in answer.json()["tables"]] == tables
        assert answer.json()["rows"] == 1


class TestHostileFiles:
    @pytest.mark.parametrize("name", HOSTILE)
    async def test_refused_whole_and_the_engagement_stays_usable(self, move: Move, name: str) -> None:
        body, code = HOSTILE[name]
        answer = await send(move.client, move.path, "export.zip", body)
        mismatched = code in ("format-mismatch", "binary")
        told = problem(answer, 415 if mismatched else 422, "file-kind-unknown" if mismatched else "file-unreadable")
        assert told["errors"][0]["code"] == code
        assert "Nothing was stored" in told["detail"]
        assert await held(move) == (0, 0, 0, 0)
        assert (await send(move.client, move.path, "export.zip", archive({"a.csv": TABLE}))).status_code == 201

    async def test_the_last_member_is_bad(self, move: Move) -> None:
        """All that was unpacked before it goes again."""
        body = archive({"a.csv": TABLE, "docs/a.pdf": SCAN, "b.json": b'[{"a": [{"b": 1}]}, {"a":'})
        told = problem(await send(move.client, move.path, "export.zip", body), 422, "file-unreadable")
        assert "b.json" in told["detail"]
        assert await held(move) == (0, 0, 0, 0)

    async def test_a_table_that_turns_bad_at_the_second_look(self, move: Move) -> None:
        body = archive({"a.csv": b"id,name\n1," + b"x" * 10_000_000})
        told = problem(await send(move.client, move.path, "export.zip", body), 422, "file-unreadable")
        assert (told["errors"][0]["code"], "a.csv" in told["detail"]) == ("cell-too-long", True)
        assert await held(move) == (0, 0, 0, 0)

    async def test_more_tables_than_an_engagement_holds(self, move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "MAX_FILES", 3)
        problem(await send(move.client, move.path, "export.zip", BUNDLE), 422, "too-many-files")
        assert await held(move) == (0, 0, 0, 0)

    async def test_a_death_in_the_middle_is_cleared_away_after_a_day(
        self, move: Move, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def nothing(*_: object) -> None:
            """A process that is gone removes nothing."""

        with monkeypatch.context() as gone:
            gone.setattr(bundles, "discard_parts", nothing)
            gone.setattr(uploads, "discard_parts", nothing)
            gone.setattr(uploads, "drop", nothing)
            await send(move.client, move.path, "export.zip", HOSTILE["checksum"][0])
            await send(move.client, move.path, "other.zip", archive({"docs/a.pdf": SCAN, "b.json": b"["}))
        assert (await held(move))[1] > 2
        move.runtime.now.advance(days=2)  # type: ignore[attr-defined]
        assert (await send(move.client, move.path, "a.csv", TABLE, "text/csv")).status_code == 201
        assert (await held(move))[1] == 1

    async def test_old_workbooks_and_wrong_endings(self, move: Move) -> None:
        for name, body, word in (
            ("a.xls", b"\xd0\xcf\x11\xe0", ".xlsx"),
            ("a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), ".xlsx"),
            ("a.json", archive({"a.csv": TABLE}), "ending"),
            ("a.csv", b'[{"a": 1}]', "JSON"),
            ("a.docx", archive({"a.csv": TABLE}), ".csv"),
        ):
            told = problem(await send(move.client, move.path, name, body), 415, "file-kind-unknown")
            assert word in told["detail"]
        assert await held(move) == (0, 0, 0, 0)


def test_kinds_of_hostile_archives_are_what_they_say() -> None:
    """The plain ones of them can be opened by anybody, so that the refusals are ours."""
    for name in ("traversal", "absolute", "symlink", "duplicates", "nested", "bomb"):
        with zipfile.ZipFile(io.BytesIO(HOSTILE[name][0])) as packed:
            assert packed.testzip() is None, name
