"""Uploaded export files: received, surveyed, refused in words, and read like the account's API."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.documents import engagement_key
from app.domain.ids import decode_id
from app.engagements import uploads
from app.engagements.connecting import open_source
from app.models.engagement import Connection, Engagement, Question
from app.models.file import Artifact, ArtifactChunk
from app.models.mapping import Report
from app.models.run import Run
from app.runs.engine import advance
from app.runs.staging import Scope, Staging
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import BODY, Move, move, sandboxes, unknown
from tests.api.problem_kit import problem

__all__ = ["move", "sandboxes"]  # fixtures

SMALL = b"Id,Name,Phone\n0015g00000000010AA,Nordlicht,+44 20 7946 0000\n"


async def send(client: Client, path: str, name: str, body: bytes, **headers: str) -> httpx.Response:
    return await client.post(
        f"{path}/uploads", params={"name": name}, content=body, headers={"Content-Type": "text/csv", **headers}
    )


async def exported(move: Move, name: str) -> bytes:
    """An object of the source sandbox as CSV; empty when it has no rows."""
    async with httpx.AsyncClient(trust_env=False, timeout=30, verify=False) as http:
        answer = await http.get(f"{move.sandboxes.source}/_sandbox/export", params={"object": name})
    answer.raise_for_status()
    return answer.content


async def objects(move: Move) -> list[str]:
    async with httpx.AsyncClient(trust_env=False, timeout=30, verify=False) as http:
        answer = await http.get(f"{move.sandboxes.source}/_sandbox/stats")
    return [name for name, count in answer.json()["records"].items() if count]


async def upload_all(move: Move, *, but: tuple[str, ...] = ()) -> None:
    for name in await objects(move):
        if name not in but:
            answer = await send(move.client, move.path, f"{name}.csv", await exported(move, name))
            assert answer.status_code == 201, (name, answer.text)


async def use_uploads(move: Move, **config: Any) -> httpx.Response:
    body = {"config": {"mode": "upload", **config}}
    stored = await move.client.put(f"{move.path}/connections/source", json=body)
    assert stored.status_code == 200, stored.text
    assert stored.json()["has_credentials"] is False
    return await move.client.post(f"{move.path}/connections/source/test")


async def run(move: Move, kind: str) -> Run:
    """Starts a run over the API and drives it to its end as a worker would."""
    answer = await move.start(kind)
    assert answer.status_code == 202, answer.text
    run_id = decode_id("run", answer.json()["id"])
    for _ in range(300):
        await advance(move.runtime, run_id, "test")
        row = await move.row(Run, id=run_id)
        if row.state not in ("running", "queued"):
            break
        move.runtime.now.advance(seconds=1)  # type: ignore[attr-defined]
    assert row.state == "completed", row.problem
    return row


async def staged(move: Move) -> dict[str, dict[str, Any]]:
    """Every live staged record by object and id."""
    async with move.runtime.db.transaction(move.client.tenant_id) as session:
        key = engagement_key(move.runtime, await session.get_one(Engagement, move.uuid))
    staging = Staging(move.uuid, move.client.tenant_id, key)
    found: dict[str, dict[str, Any]] = {}
    async with move.runtime.db.connection(move.client.tenant_id) as connection:
        for name in await staging.counts(connection):
            rows = await staging.page(connection, name, "", None, 100_000, Scope())
            found[name] = {row.source_id: row.record for row in rows}
    return found


async def deleted(move: Move) -> set[tuple[str, str, str | None]]:
    async with move.runtime.db.connection(move.client.tenant_id) as connection:
        rows = await connection.fetch(
            "SELECT object, source_id, merged_into FROM staged WHERE engagement_id = $1 AND deleted_at IS NOT NULL",
            move.uuid,
        )
    return {tuple(row) for row in rows}


async def files_left(move: Move) -> int:
    """Files and chunks that the engagement holds, whether they count or not."""
    async with move.runtime.db.connection(move.client.tenant_id) as connection:
        return int(
            await connection.fetchval(
                "SELECT (SELECT count(*) FROM artifacts WHERE engagement_id = $1) + (SELECT count(*) FROM"
                " artifact_chunks c WHERE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.id = c.artifact_id))",
                move.uuid,
            )
        )


class TestRoad:
    async def test_files_are_staged_as_the_api_would_be(self, move: Move) -> None:
        await upload_all(move)
        proved = await use_uploads(move, absent=", ".join({"Lead"} - set(await objects(move))))
        assert proved.status_code == 200, proved.text
        facts = proved.json()["facts"]
        assert (facts["mode"], facts["rejected_rows"], facts["mistyped"]) == ("upload", 0, [])
        await move.connect("destination")
        await run(move, "discovery")
        await run(move, "preflight")
        answer = await move.client.post("/v1/engagements", json=BODY)
        other = Move(move.client, move.runtime, move.sandboxes, answer.json()["id"])
        await other.connect()
        await run(other, "discovery")
        await run(other, "preflight")
        ours, theirs = await staged(move), await staged(other)
        assert {name: len(rows) for name, rows in ours.items()} == {name: len(rows) for name, rows in theirs.items()}
        assert await deleted(move) == await deleted(other) != set()
        for name, rows in theirs.items():
            for record_id, record in rows.items():
                assert ours[name][record_id] == record, (name, record_id)

    async def test_a_second_upload_is_what_the_next_read_sees(self, move: Move) -> None:
        await upload_all(move)
        assert (await use_uploads(move, complete=True)).status_code == 200
        await move.connect("destination")
        await run(move, "discovery")
        await run(move, "preflight")
        lines = (await exported(move, "Site__c")).splitlines(keepends=True)
        gone = lines[2].split(b",")[0].strip(b'"').decode()
        again = await send(move.client, move.path, "Site__c.csv", b"".join([*lines[:2], *lines[3:]]))
        assert again.status_code == 201
        assert (await move.client.get(f"{move.path}/connections/source")).json()["state"] == "untested"
        assert (await move.client.post(f"{move.path}/connections/source/test")).status_code == 200
        connection = await move.row(Connection, engagement_id=move.uuid, role="source")
        async with open_source(move.runtime, connection) as source:
            pages = [page async for page in source.read("Site__c", ["Name"], since=move.runtime.now())]
        assert [
            one.id for page in pages for one in page.deletions if (("Site__c", one.id, None) not in await deleted(move))
        ] == [gone]
        assert sum(len(page.records) for page in pages) == len((await staged(move))["Site__c"]) - 1


class TestReceiving:
    async def test_a_file_is_surveyed_and_told(self, move: Move) -> None:
        body = "Clients of 2024\nId;Näme;Näme;Served\n1;Ö;x;03/04/2024\n2;Ü;y\n".encode("cp1252")
        answer = await send(move.client, move.path, "Client.csv", body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert answer.headers["location"] == f"{move.path}/uploads/{told['id']}"
        assert (told["encoding"], told["delimiter"], told["first_data_line"], told["rows"]) == ("cp1252", ";", 3, 1)
        assert told["rejected"] == {"too-few-cells": 1}
        assert told["rejects"] == [{"line": 4, "cells": 3, "code": "too-few-cells", "text": "2;Ü;y\n", "cut": False}]
        assert {"encoding-assumed-cp1252", "headings-doubled", "lines-before-headings"} <= {
            one["code"] for one in told["findings"]
        }
        assert [one["name"] for one in told["columns"]] == ["Id", "Näme", "Näme_2", "Served"]
        assert told["columns"][3]["date_order"] == "ambiguous"
        listed = (await move.client.get(f"{move.path}/uploads")).json()["data"]
        assert [(one["id"], one["size"], one["questions"]) for one in listed] == [(told["id"], len(body), 1)]
        assert "rejects" not in listed[0]
        assert (await move.client.get(answer.headers["location"])).json() == told

    async def test_large_bodies_are_taken_in_a_stream(self, move: Move) -> None:
        body = b"Id,Name\n" + b"".join(b"%06d,Some name\n" % number for number in range(150_000))

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 70_000):
                yield body[start : start + 70_000]

        answer = await move.client.post(
            f"{move.path}/uploads",
            params={"name": "Account.csv"},
            content=chunks(),
            headers={"Content-Type": "application/octet-stream"},
        )
        assert answer.status_code == 201, answer.text
        assert (answer.json()["size"], answer.json()["rows"]) == (len(body), 150_000)
        kept = await move.row(ArtifactChunk, tenant_id=move.client.tenant_id)
        assert b"Some name" not in kept.body

    async def test_nothing_of_a_file_is_stored_in_clear(self, move: Move) -> None:
        await send(move.client, move.path, "Account.csv", SMALL + b"1,Secret Ltd\n")
        chunk = await move.row(ArtifactChunk, tenant_id=move.client.tenant_id)
        report = await move.row(Report, engagement_id=move.uuid, kind="upload")
        for stored in (chunk.body, report.body, str(report.summary).encode()):
            assert b"Nordlicht" not in stored
            assert b"Secret" not in stored

    async def test_the_same_name_replaces(self, move: Move) -> None:
        await send(move.client, move.path, "Account.csv", SMALL)
        await send(move.client, move.path, "Account.csv", SMALL + SMALL.splitlines(keepends=True)[1])
        listed = (await move.client.get(f"{move.path}/uploads")).json()["data"]
        assert [(one["name"], one["rows"]) for one in listed] == [("Account.csv", 2)]
        assert await files_left(move) == 1

    async def test_a_repeated_request_is_answered_again(self, move: Move) -> None:
        first = await send(move.client, move.path, "Account.csv", SMALL, **{"Idempotency-Key": "k-1"})
        again = await send(move.client, move.path, "Account.csv", SMALL, **{"Idempotency-Key": "k-1"})
        assert again.headers["idempotency-replayed"] == "true"
        assert (again.status_code, again.json()) == (201, first.json())
        other = await send(move.client, move.path, "Account.csv", SMALL + SMALL, **{"Idempotency-Key": "k-1"})
        problem(other, 422, "idempotency-key-reused")
        assert await files_left(move) == 1
        bare = await move.client.http.post(
            f"{move.path}/uploads?name=A.csv", content=SMALL, headers={"Authorization": f"Bearer {move.client.key}"}
        )
        problem(bare, 400, "idempotency-key-missing")

    async def test_a_file_can_be_taken_away(self, move: Move, stranger: Client) -> None:
        path = (await send(move.client, move.path, "Account.csv", SMALL)).headers["location"]
        for client in (stranger,):
            problem(await client.get(path), 404, "not-found")
            problem(await client.delete(path), 404, "not-found")
            problem(await send(client, move.path, "Account.csv", SMALL), 404, "not-found")
        assert (await move.client.delete(path)).status_code == 204
        problem(await move.client.get(path), 404, "not-found")
        problem(await move.client.delete(f"{move.path}/uploads/{unknown('upload')}"), 404, "not-found")
        assert await files_left(move) == 0
        assert await move.row(Report, engagement_id=move.uuid) is None

    async def test_a_reader_may_look_only(self, move: Move, make_client: MakeClient) -> None:
        reader = await make_client(role="viewer", tenant_id=move.client.tenant_id)
        problem(await send(reader, move.path, "Account.csv", SMALL), 403, "forbidden")
        assert (await reader.get(f"{move.path}/uploads")).status_code == 200

    async def test_not_under_a_run(self, move: Move) -> None:
        path = (await send(move.client, move.path, "Account.csv", SMALL)).headers["location"]
        await move.add_run("preflight", "running")
        problem(await send(move.client, move.path, "Account.csv", SMALL), 409, "another-run-active")
        problem(await move.client.delete(path), 409, "another-run-active")
        assert await files_left(move) == 1

    async def test_what_was_cut_off_is_cleared_away(self, move: Move) -> None:
        async with move.runtime.db.transaction(move.client.tenant_id) as session:
            part = {"tenant_id": move.client.tenant_id, "engagement_id": move.uuid, "kind": "upload-part"}
            session.add(Artifact(**part, name="A.csv", created_at=move.runtime.now()))
        move.runtime.now.advance(days=2)  # type: ignore[attr-defined]
        await send(move.client, move.path, "Account.csv", SMALL)
        assert await files_left(move) == 1


def workbook() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../../xl/workbook.xml", "0" * 100_000)
    return held.getvalue()


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "body", "status", "code", "word"),
        [
            ("Account.xlsx", SMALL, 415, "file-kind-unknown", "CSV"),
            ("Account.csv", workbook(), 415, "file-kind-unknown", "ZIP"),
            ("Account.csv", bytes(range(1, 32)) * 40, 415, "file-kind-unknown", "not text"),
            ("Account.csv", b"", 422, "file-unreadable", "empty"),
            ("Account.csv", b"Id,Name\n1," + b"x" * 10_000_000, 422, "file-unreadable", "line 2"),
            ("Account.csv", b"Id,Name\n1,\xe2\x82", 422, "file-unreadable", "not whole"),
            ("Account.csv", b"Id,Name\n1,\x81\xe9\n", 422, "file-unreadable", "UTF-8"),
            ("../Account.csv", SMALL, 422, "invalid", "without a folder"),
            ("..\\Account.csv", SMALL, 422, "invalid", "without a folder"),
            ("Acc\nount.csv", SMALL, 422, "invalid", "without a folder"),
            (".csv", SMALL, 422, "invalid", "without a folder"),
            ("", SMALL, 422, "invalid", "not valid"),
            ("a" * 201 + ".csv", SMALL, 422, "invalid", "not valid"),
        ],
    )
    async def test_files_that_are_none(
        self, move: Move, name: str, body: bytes, status: int, code: str, word: str
    ) -> None:
        refused = problem(await send(move.client, move.path, name, body), status, code)
        assert word in refused["detail"] or code == "invalid"
        assert await files_left(move) == 0
        assert (await send(move.client, move.path, "Account.csv", SMALL)).status_code == 201

    async def test_other_media_types(self, move: Move) -> None:
        files = {"file": ("Account.csv", SMALL)}
        answer = await move.client.post(f"{move.path}/uploads", params={"name": "Account.csv"}, files=files)
        problem(answer, 415, "file-kind-unknown")

    async def test_above_the_limit(self, move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 1_000_000)
        body = b"Id,Name\n" + b"1,A\n" * 500_000
        problem(await send(move.client, move.path, "Account.csv", body), 413, "file-too-large")
        assert await files_left(move) == 0

    async def test_too_many_files(self, move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(uploads, "MAX_FILES", 1)
        assert (await send(move.client, move.path, "A.csv", SMALL)).status_code == 201
        problem(await send(move.client, move.path, "B.csv", SMALL), 422, "too-many-files")
        assert (await send(move.client, move.path, "A.csv", SMALL)).status_code == 201


class TestConnection:
    async def test_needs_its_files(self, move: Move) -> None:
        await upload_all(move, but=("WorkOrder", "Contact"))
        refused = problem(await use_uploads(move), 422, "uploads-incomplete")
        assert "WorkOrder.csv" in refused["detail"]
        assert "Contact.csv" in refused["detail"]
        assert "Account.csv" not in refused["detail"]
        assert refused["reason"] == "files-missing"
        shown = (await move.client.get(f"{move.path}/connections/source")).json()
        assert (shown["state"], shown["problem"]["code"]) == ("failed", "uploads-incomplete")
        steps = {step["key"]: step["state"] for step in (await move.view())["road"]}
        assert steps["connect_source"] == "open"

    async def test_waits_for_answers(self, move: Move) -> None:
        await upload_all(move, but=("Contact",))
        body = b"Id,LastName,Birthdate\n0035g00000000010AA,Berg,03/04/1990\n"
        await send(move.client, move.path, "Contact.csv", body)
        refused = problem(await use_uploads(move), 422, "uploads-incomplete")
        assert refused["reason"] == "needs-answer"
        assert "1990" not in str(refused)
        questions = (await move.client.get(f"{move.path}/questions")).json()["data"]
        question = next(one for one in questions if one["code"] == "date-order")
        assert question["options"]["choices"] == ["day-first", "month-first"]
        assert "1990" not in str(question)
        wrong = await move.client.post(f"/v1/questions/{question['id']}/answer", json={"answer": {"choice": "maybe"}})
        assert wrong.status_code == 422
        answer = {"answer": {"choice": "day-first"}}
        assert (await move.client.post(f"/v1/questions/{question['id']}/answer", json=answer)).status_code == 200
        assert (await move.client.post(f"{move.path}/connections/source/test")).status_code == 200
        connection = await move.row(Connection, engagement_id=move.uuid, role="source")
        async with open_source(move.runtime, connection) as source:
            pages = [page async for page in source.read("Contact", ["Birthdate"])]
        assert pages[0].records[0]["Birthdate"] == "1990-04-03"
        await send(move.client, move.path, "Contact.csv", body)
        assert (await move.client.post(f"{move.path}/connections/source/test")).status_code == 200

    async def test_a_century_is_asked_with_examples_and_a_suggestion(self, move: Move) -> None:
        await upload_all(move, but=("Contact",))
        body = b"Id,LastName,Birthdate\n0035g00000000010AA,Berg,31/12/24\n"
        await send(move.client, move.path, "Contact.csv", body)
        refused = problem(await use_uploads(move), 422, "uploads-incomplete")
        assert "century" in refused["detail"]
        questions = (await move.client.get(f"{move.path}/questions")).json()["data"]
        question = next(one for one in questions if one["code"] == "century")
        assert question["options"] == {"choices": ["this-century", "last-century"], "suggested": "this-century"}
        assert question["detail"]["examples"] == ["24: 1924 or 2024"]
        answer = {"answer": {"choice": "last-century"}}
        assert (await move.client.post(f"/v1/questions/{question['id']}/answer", json=answer)).status_code == 200
        assert (await move.client.post(f"{move.path}/connections/source/test")).status_code == 200
        connection = await move.row(Connection, engagement_id=move.uuid, role="source")
        async with open_source(move.runtime, connection) as source:
            pages = [page async for page in source.read("Contact", ["Birthdate"])]
        assert pages[0].records[0]["Birthdate"] == "1924-12-31"

    async def test_open_questions_go_with_their_file(self, move: Move) -> None:
        path = (await send(move.client, move.path, "X.csv", b"Id,On\n1,03/04/1990\n")).headers["location"]
        assert await move.row(Question, engagement_id=move.uuid) is not None
        await move.client.delete(path)
        assert await move.row(Question, engagement_id=move.uuid) is None

    @pytest.mark.parametrize(
        ("role", "body", "pointer"),
        [
            ("destination", {"config": {"mode": "upload"}}, "/config/mode"),
            ("source", {"config": {"mode": "carrier-pigeon"}}, "/config/mode"),
            ("source", {"config": {"mode": "upload"}, "credentials": {"client_id": "x"}}, "/credentials"),
        ],
    )
    async def test_only_sources_and_without_credentials(
        self, move: Move, role: str, body: dict[str, Any], pointer: str
    ) -> None:
        answer = await move.client.put(f"{move.path}/connections/{role}", json=body)
        assert problem(answer, 422, "invalid")["errors"][0]["pointer"] == pointer

    async def test_changing_over_forgets_the_credentials(self, move: Move) -> None:
        assert (await move.put_connection("source")).json()["has_credentials"] is True
        assert (await use_uploads(move)).status_code == 422
        back = await move.client.put(f"{move.path}/connections/source", json={"config": move.config("source")})
        assert problem(back, 422, "invalid")["errors"][0]["pointer"] == "/credentials"
