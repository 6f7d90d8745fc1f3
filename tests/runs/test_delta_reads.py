"""A delta asks once per module what people changed, and reads back only those records."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from app.runs.untouched import reads_for
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.customer import edit
from tests.runs.road import Road, only, road, sandbox

CLIENTS, READ_CALLS = 420, 5  # a hundred records a call


@dataclass
class Moved:
    """Clients that were moved and reconciled; ids at both ends."""

    way: Road
    tracker: Tracker
    ids: list[tuple[str, str]]

    async def rename(self, word: str) -> None:
        """Changes every client at the source."""
        changes = (
            self.tracker.change("Account", one, Description=f"{word} {n}") for n, (one, _) in enumerate(self.ids)
        )
        await asyncio.gather(*changes)

    async def delta(self) -> tuple[Counter[str], dict[str, int]]:
        """What it asked the destination, as the sandbox counted it, and what became of the clients."""
        before = Counter((await self.way.destination.stats())["requests"])
        await self.way.delta()
        asked = Counter((await self.way.destination.stats())["requests"]) - before
        stage = (await self.way.stages(self.way.runs["delta"]))["load:accounts"]
        return asked, stage.counts

    async def described(self) -> dict[str, str]:
        """Descriptions of the clients at the destination, by their ids there."""
        data = {line["id"]: line.get("data", {}) for line in await self.way.destination.dump() if "id" in line}
        return {record_id: str(data[record_id].get("Description")) for _, record_id in self.ids}


@pytest.fixture(scope="module")
async def moved(database_url: str) -> AsyncIterator[Moved]:
    """The org's clock lags an hour until everything is reconciled, so that it lies behind the mark."""
    lag = [timedelta(hours=1)]
    options = {"token_limit": "1000"}
    org = SandboxConfig(edition="enterprise", options=options, clock=lambda: datetime.now(UTC) - lag[0])
    with sandbox("servicetracker", SandboxConfig()) as source, sandbox("zoho_crm", org) as destination:
        async with Tracker(source) as tracker:
            await asyncio.gather(*(tracker.create("Account", Name=f"Client {n:03}") for n in range(CLIENTS)))
            async with road(database_url, source, destination) as way:
                await way.up_to("mapping")
                await way.confirm(only(await way.document(), ["accounts"]))
                await way.run("provision")
                await way.run("full")
                lag[0] = timedelta()
                rows = await way.ledger("target_object = 'Accounts' AND part = ''")
                yield Moved(way, tracker, [(row["source_id"], row["record_id"]) for row in rows])


async def test_only_what_people_touched_is_read_back(moved: Moved) -> None:
    """Everything changed at the source, two records at the destination: two questions and one reading of two."""
    assert len(moved.ids) == CLIENTS
    kept, clash = moved.ids[7], moved.ids[301]
    await edit(moved.way, "Accounts", kept[1], Phone="+49 30 7654321")
    await edit(moved.way, "Accounts", clash[1], Description="By people")
    await moved.rename("First")
    asked, counts = await moved.delta()
    assert (counts["updated"], counts["conflicts"], counts["kept_edits"]) == (CLIENTS, 1, 1)
    # one reading before the writes, and all that the delta reads back of its writes afterwards
    assert asked["GET /crm/v8/Accounts"] == 1 + READ_CALLS
    assert asked["GET /crm/v8/Accounts/deleted"] == 1
    by_purpose = (await moved.way.row(moved.way.runs["delta"])).calls["by_purpose"]
    assert by_purpose["changes Accounts"] == 2
    held = await moved.described()
    assert held.pop(clash[1]) == "By people"
    assert all(text.startswith("First") for text in held.values())


async def test_what_a_delta_wrote_since_is_read_and_nothing_of_people_is_lost(moved: Moved) -> None:
    await edit(moved.way, "Accounts", moved.ids[50][1], Description="Later by people")
    await moved.rename("Second")
    _, counts = await moved.delta()
    held = await moved.described()
    assert held[moved.ids[50][1]] == "Later by people"
    assert counts["conflicts"] == 2  # the one of the delta before is still open


def test_reading_costs_calls_by_records_and_fields() -> None:
    assert reads_for(CLIENTS, 100, 30, 50) == READ_CALLS
    assert reads_for(CLIENTS, 100, 51, 50) == 2 * READ_CALLS
    assert reads_for(0, 100, 30, 50) == 0
