"""A sample that rehearses its rollback: written, taken back, compared, written again; the org does not tell."""

import pytest

from app.models.engagement import Engagement
from app.runs.service import _trial_options
from tests.runs.conftest import OpenWay
from tests.runs.doom import after, one_life
from tests.runs.judging import unequal

REHEARSE = {"rehearse_rollback": True}


async def test_the_sample_says_that_rollback_works_here(open_way: OpenWay) -> None:
    async with open_way() as plain, open_way() as way:
        for one in (plain, way):
            await one.up_to("provision")
        await plain.run("sample")
        before = {line["id"] for line in await way.destination.dump() if "id" in line}
        await way.run("sample", options=dict(REHEARSE))
        assert unequal(await way.destination.dump(), await plain.destination.dump()) == []
        run, other = await way.row(way.runs["sample"]), await plain.row(plain.runs["sample"])
        tried = run.counts["rollback_rehearsal"]
        assert (tried["equal"], tried["still_there"], tried["not_restored"], tried["kept"]) == (True, 0, 0, [])
        assert tried["deleted"] > 100
        outcomes = ("read", "created", "updated", "unchanged", "skipped", "quarantined", "held")
        assert {name: run.counts[name] for name in outcomes} == {name: other.counts[name] for name in outcomes}
        forecasts = [one.forecast["write_calls"] + one.forecast["read_calls"] for one in (run, other)]
        assert forecasts[0] > forecasts[1] * 2
        rows = await way.ledger("record_id IS NOT NULL")
        assert {row["run_id"] for row in rows} == {run.id}
        # and the rollback proper finds all of it
        await way.run("rollback")
        assert {line["id"] for line in await way.destination.dump() if "id" in line} == before


async def test_deaths_in_the_rehearsal_lose_and_double_nothing(open_way: OpenWay) -> None:
    async with open_way(call_timeout_seconds=0.5) as way, open_way() as plain:
        for one in (plain, way):
            await one.up_to("provision")
        await plain.run("sample")
        run_id = await way.start("sample", options=dict(REHEARSE))
        deaths = [(await one_life(way, run_id, after(patience))).last for patience in (15, 40, 70, 90)]
        await way.drive(run_id)
        assert sum(map(bool, deaths)) >= 3
        assert unequal(await way.destination.dump(), await plain.destination.dump()) == []
        assert (await way.row(run_id)).counts["rollback_rehearsal"]["equal"] is True


@pytest.mark.parametrize(
    ("destination", "asked", "loaded", "expected"),
    [
        ("zoho_crm", {}, False, True),
        ("zoho_crm", {"rehearse_rollback": False}, False, False),
        ("freshsales", {}, False, False),
        ("freshsales", {"rehearse_rollback": True}, False, True),
        ("zoho_crm", {"rehearse_rollback": True}, True, False),
    ],
)
def test_it_is_opt_in_where_automation_cannot_be_suppressed(
    destination: str, asked: dict[str, bool], loaded: bool, expected: bool
) -> None:
    engagement = Engagement(destination=destination)
    assert _trial_options(engagement, "sample", asked, loaded) == {"rehearse_rollback": expected}
