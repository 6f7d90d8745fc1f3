"""A delta is a three-way merge: what people changed at the destination stays, and a real conflict is asked about."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from app.engagements.questions import MERGE_CONFLICT, answer_question
from app.models.columns import new_id
from app.models.engagement import Question
from app.runs import findings
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.customer import edit
from tests.runs.road import Road, sandbox
from tests.runs.test_again import writes


@dataclass
class Both:
    """A company that lives in both systems, with hands in each."""

    way: Road
    tracker: Tracker
    accounts: list[tuple[str, str]]
    """(source id, destination id)"""

    async def there(self, record_id: str) -> dict[str, Any]:
        dump = await self.way.destination.dump()
        return next(line["data"] for line in dump if line.get("id") == record_id)

    async def counts(self) -> dict[str, int]:
        stage = (await self.way.stages(self.way.runs["delta"]))["load:accounts"]
        return {name: stage.counts.get(name, 0) for name in ("updated", "unchanged", "kept_edits", "conflicts")}

    async def questions(self) -> list[Question]:
        async with self.way.runtime.db.transaction(self.way.tenant_id) as session:
            rows = await session.exec(select(Question).where(Question.code == MERGE_CONFLICT))
            return [row for row in rows.all() if row.answered_at is None]

    async def answer(self, question: Question, **answer: Any) -> None:
        async with self.way.runtime.db.transaction(self.way.tenant_id) as session:
            now = self.way.runtime.now()
            await answer_question(session, self.way.tenant_id, question.id, answer, by=new_id(), at=now)


@pytest.fixture(scope="module")
async def both(open_way: OpenWay) -> AsyncIterator[Both]:
    with sandbox("servicetracker", SandboxConfig(scale=120, seed=21)) as url:
        async with Tracker(url) as tracker, open_way(source=url) as way:
            await way.up_to("provision")
            await way.run("full")
            rows = await way.ledger("source_object = 'Account' AND part = '' AND target_object = 'Accounts'")
            yield Both(way, tracker, [(row["source_id"], row["record_id"]) for row in rows])


async def test_each_side_keeps_what_it_alone_changed(both: Both) -> None:
    source_id, record_id = both.accounts[0]
    await both.tracker.change("Account", source_id, Description="Said by the source")
    await edit(both.way, "Accounts", record_id, Phone="+49 30 1234567")
    made = await writes(both.way)
    await both.way.delta()
    data = await both.there(record_id)
    assert (data["Description"], data["Phone"]) == ("Said by the source", "+49 30 1234567")
    assert await both.counts() == {"updated": 1, "unchanged": 0, "kept_edits": 1, "conflicts": 0}
    assert await writes(both.way) == made + 1
    assert await both.questions() == []
    assert await kept(both, record_id) == ["Phone"]
    # neither a reconciliation nor a repair takes it for damage
    await both.way.run("reconcile")
    assert (await both.way.row(both.way.runs["reconcile"])).counts["readback"]["discrepancies"] == 0
    await both.way.run("repair")
    assert (await both.there(record_id))["Phone"] == "+49 30 1234567"


async def kept(both: Both, record_id: str) -> list[str]:
    """Fields of the record that people keep."""
    rows = await both.way.fetch("SELECT field FROM merge_findings WHERE record_id = $1 AND state = 'kept'", record_id)
    return [row["field"] for row in rows]


async def test_both_sides_make_a_conflict_that_a_person_decides(both: Both) -> None:
    """Whole field for the source, one record for the destination; nothing is overwritten before the answer."""
    way, chosen = both.way, both.accounts[1:4]
    for number, (source_id, record_id) in enumerate(chosen):
        await both.tracker.change("Account", source_id, Description=f"Source {number}")
        await edit(way, "Accounts", record_id, Description=f"People {number}")
    await way.delta()
    assert [(await both.there(one[1]))["Description"] for one in chosen] == ["People 0", "People 1", "People 2"]
    assert (await both.counts())["conflicts"] == 3
    [question] = await both.questions()
    assert (question.detail["load"], question.detail["field"]) == ("accounts", "Description")
    assert question.detail["records"] == 3
    assert "Source" not in str(question.detail)  # values stay sealed
    row = (await way.fetch("SELECT * FROM merge_findings WHERE source_id = $1", chosen[0][0]))[0]
    sides = findings.open_sides(await way.key(), "accounts", chosen[0][0], "Description", row["sides"])
    assert (sides["source"], sides["destination"]) == ("Source 0", "People 0")
    # asked again without an answer: nothing happens, nothing is asked twice
    made = await writes(way)
    await way.delta()
    assert await writes(way) == made
    assert len(await both.questions()) == 1
    await both.answer(question, choice="source", records={chosen[1][0]: "destination"})
    await way.delta()
    assert [(await both.there(one[1]))["Description"] for one in chosen] == ["Source 0", "People 1", "Source 2"]
    made = await writes(way)
    await way.delta()
    assert await writes(way) == made
    assert await both.questions() == []


async def test_a_record_with_an_open_conflict_still_follows_in_its_other_fields(both: Both) -> None:
    source_id, record_id = both.accounts[4]
    await both.tracker.change("Account", source_id, Description="First")
    await edit(both.way, "Accounts", record_id, Description="Theirs")
    await both.way.delta()
    await both.tracker.change("Account", source_id, Website="https://follow.example.com")
    await both.way.delta()
    data = await both.there(record_id)
    assert (data["Description"], data["Website"]) == ("Theirs", "https://follow.example.com")
    assert (await both.counts())["conflicts"] == 1  # still open: it is not taken for a kept edit
    for question in await both.questions():
        await both.answer(question, choice="destination")
    await both.way.delta()
    assert (await both.there(record_id))["Description"] == "Theirs"


async def test_what_people_deleted_there_is_not_made_again_in_silence(both: Both) -> None:
    source_id, record_id = both.accounts[5]
    body = {"action": "delete_record", "module": "Accounts", "id": record_id, "as": "owner1@example.com"}
    await both.way.destination.post("admin", body)
    await both.tracker.change("Account", source_id, Description="Too late")
    await both.way.delta()
    [row] = await both.way.ledger(f"source_id = '{source_id}' AND target_object = 'Accounts' AND part = ''")
    assert (row["outcome"], row["reason"]) == ("quarantined", "gone_at_destination")


async def test_a_source_whose_clock_lags_loses_no_change(both: Both) -> None:
    """The mark lies minutes after the change by the source's clock; the overlap reads it all the same, once."""
    source_id, record_id = both.accounts[6]
    await both.tracker.change("Account", source_id, Description="Stamped early")
    way = both.way
    way.batch += 1
    since = way.runtime.now() + timedelta(minutes=5)
    await way.run("delta", options={"batch": way.batch, "since": since.isoformat()})
    assert (await both.there(record_id))["Description"] == "Stamped early"


async def test_the_forecast_of_a_delta_counts_what_it_found(both: Both) -> None:
    """It is made when the changes have been read, and says at least the calls that writing them took."""
    source_id, record_id = both.accounts[0]
    await both.tracker.change("Account", source_id, Description="Counted")
    made = await writes(both.way)
    await both.way.delta()
    run = await both.way.row(both.way.runs["delta"])
    assert (await both.there(record_id))["Description"] == "Counted"
    assert run.forecast["phases"]["accounts"]["records"] >= 1
    assert run.forecast["write_calls"] >= await writes(both.way) - made >= 1
