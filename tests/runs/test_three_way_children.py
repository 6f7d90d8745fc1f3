"""The merge of what hangs on records: notes that people edit, and files that they take away or that were replaced."""

import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlmodel import select

from app.engagements.questions import MERGE_CONFLICT, answer_question
from app.models.columns import new_id
from app.models.engagement import Question
from app.runs import findings
from app.runs.merging_files import _looks_like
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import edit
from tests.runs.doom import Killed, Policy, at, doomed
from tests.runs.road import Road, sandbox
from tests.runs.test_again import writes


def b64(content: bytes) -> str:
    """Bytes as the source's API takes them in a change."""
    return base64.b64encode(content).decode()


PHOTO = b"\x89PNG" + bytes(900)


@dataclass
class Both:
    """Two clients with notes and files, in both systems."""

    way: Road
    tracker: Tracker
    clients: list[str]
    notes: list[str]
    files: list[str]

    async def start(self) -> UUID:
        """Queues a delta over everything."""
        self.way.batch += 1
        since = self.way.runtime.now().replace(year=2020)
        return await self.way.start("delta", options={"batch": self.way.batch, "since": since.isoformat()})

    async def delta(self) -> dict[str, dict[str, Any]]:
        """One delta to its end; the counts of its loads."""
        run_id = await self.start()
        await self.way.drive(run_id)
        stages = await self.way.stages(run_id)
        return {name.removeprefix("load:"): stage.counts for name, stage in stages.items()}

    async def record_id(self, source_id: str, target: str) -> str:
        rows = await self.way.ledger(f"target_object = '{target}' AND source_id LIKE '{source_id}%'")
        assert len(rows) == 1
        return str(rows[0]["record_id"])

    async def note(self, number: int) -> dict[str, Any]:
        """The note as the org holds it now, by its marker or its id."""
        wanted = await self.record_id(self.notes[number], "Notes")
        return next(line["data"] for line in await self.way.destination.dump() if line["id"] == wanted)

    async def attached(self) -> list[tuple[str, int]]:
        dump = await self.way.destination.dump()
        return sorted((line["file_name"], line["size"]) for line in dump if line["module"] == "Attachments")

    async def remove_file(self, number: int) -> None:
        """What a person does on the record's page."""
        wanted = await self.record_id(self.files[number], "Attachments")
        line = next(one for one in await self.way.destination.dump() if one["id"] == wanted)
        async with httpx.AsyncClient(base_url=self.way.urls["destination"], verify=False) as client:
            form = {
                "grant_type": "refresh_token", "client_id": "sandbox-client", "client_secret": "sandbox-secret",
                "refresh_token": "sandbox-refresh",
            }  # fmt: skip
            token = (await client.post("/oauth/v2/token", data=form)).json()["access_token"]
            path = f"/crm/v8/{line['parent']['module']}/{line['parent']['id']}/Attachments/{wanted}"
            answer = await client.delete(path, headers={"Authorization": f"Zoho-oauthtoken {token}"})
            assert answer.status_code == 200, answer.text

    async def answer(self, **answer: Any) -> Question:
        """Answers the one open question."""
        way = self.way
        async with way.runtime.db.transaction(way.tenant_id) as session:
            rows = await session.exec(select(Question).where(Question.code == MERGE_CONFLICT))
            [question] = [row for row in rows.all() if row.answered_at is None]
            await answer_question(session, way.tenant_id, question.id, answer, by=new_id(), at=way.runtime.now())
        return question

    async def discrepancies(self) -> int:
        await self.way.run("reconcile")
        return int((await self.way.row(self.way.runs["reconcile"])).counts["readback"]["discrepancies"])


@pytest.fixture(scope="module")
async def both(open_way: OpenWay) -> AsyncIterator[Both]:
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker:
            clients = [await tracker.create("Account", Name=name) for name in ("Ash Ltd", "Birch Ltd")]
            notes = [
                await tracker.create("Note", ParentId=clients[0], Title=f"Note {n}", Body=f"Text {n}.")
                for n in range(5)
            ]
            files = [
                await tracker.create("Attachment", ParentId=clients[0], Name=f"photo {n}.png", Body=PHOTO + bytes(n))
                for n in range(4)
            ]
            async with open_way(source=url, call_timeout_seconds=0.5) as way:
                await way.up_to("provision")
                await way.run("full")
                yield Both(way, tracker, clients, notes, files)


async def test_an_edited_note_follows_in_what_people_left_alone(both: Both) -> None:
    await edit(both.way, "Notes", await both.record_id(both.notes[0], "Notes"), Note_Title="Renamed by people")
    await both.tracker.change("Note", both.notes[0], Body="Longer text.")
    counts = (await both.delta())["notes"]
    held = await both.note(0)
    assert held["Note_Title"] == "Renamed by people"
    assert held["Note_Content"].startswith("Longer text.\n\n")
    assert (counts["updated"], counts["kept_edits"], counts.get("conflicts", 0)) == (1, 1, 0)
    assert await both.discrepancies() == 0


async def test_a_note_changed_on_both_sides_waits_for_a_person(both: Both) -> None:
    await edit(both.way, "Notes", await both.record_id(both.notes[1], "Notes"), Note_Content="What people say")
    await both.tracker.change("Note", both.notes[1], Body="What the source says.")
    made = await writes(both.way)
    assert (await both.delta())["notes"]["conflicts"] == 1
    assert (await both.note(1))["Note_Content"] == "What people say"
    assert await writes(both.way) == made
    assert await both.discrepancies() == 0
    question = await both.answer(choice="source")
    assert (question.detail["load"], question.detail["field"], question.detail["records"]) == (
        "notes",
        "Note_Content",
        1,
    )
    await both.delta()
    assert (await both.note(1))["Note_Content"].startswith("What the source says.\n\n")


async def test_a_note_that_moves_carries_what_people_wrote_into_it(both: Both) -> None:
    """Its parent changed at the source, its text on both sides: the conflict is asked about, nothing is lost."""
    old = await both.record_id(both.notes[2], "Notes")
    await edit(both.way, "Notes", old, Note_Content="Only here")
    await both.tracker.change("Note", both.notes[2], ParentId=both.clients[1], Body="Only there.")
    assert (await both.delta())["notes"]["conflicts"] == 1
    held = await both.note(2)
    assert await both.record_id(both.notes[2], "Notes") != old
    assert held["Note_Content"].startswith("Only here\n\n[servicetracker:Note:")
    dump = await both.way.destination.dump()
    assert len([line for line in dump if line["module"] == "Notes"]) == len(both.notes)
    assert held["Parent_Id"] == await both.record_id(both.clients[1], "Accounts")
    await both.answer(choice="destination")
    made = await writes(both.way)
    await both.delta()
    assert await writes(both.way) == made


async def test_a_note_that_people_deleted_is_not_made_again_in_silence(both: Both) -> None:
    gone = await both.record_id(both.notes[3], "Notes")
    await both.way.destination.post("admin", {"action": "delete_record", "module": "Notes", "id": gone})
    await both.tracker.change("Note", both.notes[3], Body="Too late.")
    await both.delta()
    [row] = await both.way.ledger(f"source_id = '{both.notes[3]}'")
    assert (row["outcome"], row["reason"]) == ("quarantined", "gone_at_destination")


async def test_a_file_that_people_removed_is_a_conflict(both: Both) -> None:
    """It is not attached again before a person says so, and no check calls it missing meanwhile."""
    await both.remove_file(0)
    await both.tracker.change("Attachment", both.files[0], Body=b64(PHOTO + b"retouched"))
    made, before = await writes(both.way), await both.attached()
    assert (await both.delta())["files"]["conflicts"] == 1
    assert (await writes(both.way), await both.attached()) == (made, before)
    row = (await both.way.fetch("SELECT * FROM merge_findings WHERE field = 'file'"))[0]
    sides = findings.open_sides(await both.way.key(), "files", row["source_id"], "file", row["sides"])
    assert (sides["destination"], sides["source"]["size"]) == (None, str(len(PHOTO) + 9))
    assert await both.discrepancies() == 0
    await both.answer(choice="source")
    await both.delta()
    assert ("photo 0.png", len(PHOTO) + 9) in await both.attached()
    assert len(await both.attached()) == len(before) + 1
    assert await both.discrepancies() == 0


async def test_a_removed_file_stays_away_when_a_person_wants_that(both: Both) -> None:
    await both.remove_file(1)
    await both.tracker.change("Attachment", both.files[1], Body=b64(PHOTO + b"unwanted"))
    assert (await both.delta())["files"]["conflicts"] == 1
    await both.answer(choice="destination")
    before = await both.attached()
    await both.delta()
    assert await both.attached() == before
    assert await both.discrepancies() == 0


@pytest.mark.parametrize("moment", [at("answer Attachments"), at("answer Attachments", skip=1), at("record files")])
async def test_an_untouched_file_is_replaced_once_even_when_the_worker_dies(both: Both, moment: Policy) -> None:
    """The new one is attached before the old one goes; whoever goes on finds it and does not ask a person."""
    way = both.way
    sizes = [size for name, size in await both.attached() if name == "photo 2.png"]
    await both.tracker.change("Attachment", both.files[2], Body=b64(PHOTO + bytes(sizes[0])))
    run_id = await both.start()
    with doomed(way.runtime, moment) as (runtime, doom):
        with suppress(Killed):
            await way.drive_once(run_id, runtime=runtime)
        assert doom.dead
        await runtime.db.close()
    await way.free(run_id)
    await way.drive(run_id)
    assert [size for name, size in await both.attached() if name == "photo 2.png"] == [len(PHOTO) + sizes[0]]
    stage = (await way.stages(run_id))["load:files"]
    assert (stage.counts["updated"], stage.counts.get("conflicts", 0)) == (1, 0)


@pytest.mark.parametrize(
    ("there", "same"),
    [
        ({"File_Name": "a.png", "Size": "12"}, True),
        ({"File_Name": "a.png", "Size": "13"}, False),
        ({"File_Name": "b.png", "Size": "12"}, False),
        ({"File_Name": "a.png", "Size": None}, True),
    ],
)
def test_a_listed_file_is_ours_by_name_and_size(there: dict[str, Any], same: bool) -> None:
    assert _looks_like({"name": "a.png", "size": 12}, there, 100) is same
    assert _looks_like({"name": "a.png", "size": 500}, {"File_Name": "a.png", "Size": "0"}, 100)  # a link stands there


async def test_a_rollback_leaves_what_people_wrote_into_notes_and_what_these_hang_on(both: Both) -> None:
    """Notes that nobody edited go, and so does everything that nothing of people's hangs on."""
    way = both.way
    kept = {await both.record_id(both.notes[number], "Notes") for number in (0, 2)}
    clients = {await both.record_id(one, "Accounts") for one in both.clients}
    await way.run("rollback")
    left = {(line["module"], line["id"]) for line in await way.destination.dump() if "id" in line}
    assert {record_id for module, record_id in left if module == "Notes"} == kept
    assert clients <= {record_id for module, record_id in left if module == "Accounts"}
    assert not [module for module, _ in left if module == "Attachments"]
    rows = {row["record_id"]: row["reason"] for row in await way.ledger("record_id IS NOT NULL")}
    assert rows == dict.fromkeys(kept, "kept_edited") | dict.fromkeys(clients, "kept_referred")
