"""Leads in an account of the classic suite, which has leads of their own: for every pair whose source has leads."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from app.domain.texts import parse_text_block
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.company import WRITTEN, Company, make_company
from tests.pairs.comparing import Expected, differences
from tests.pairs.conftest import Move, moving, provision
from tests.pairs.freshsales_company import add_more
from tests.pairs.freshsales_rows import leads as inquiries
from tests.pairs.rsoft_company import FILES, former
from tests.pairs.rsoft_rows import LEADS
from tests.pairs.test_rsoft_freshsales import administrate
from tests.pairs.uploading import send_files
from tests.pairs.vendors import Tracker
from tests.runs.road import Road, sandbox

PAIRS = ("rsoft", "servicetracker")
_OF_CONTACTS = {"lifecycle_stage_id", "contact_status_id", "Lead Company", "sales_account"}
_LOST = {"drop": 800, "seed": 5}
"""Of ten thousand answers of the destination, how many are lost after the work was done."""


def as_lead(row: Expected, stage: str) -> Expected:
    """The same record as the classic suite shows it: a stage of leads, and its company's name."""
    kept: dict[str, Any] = {name: value for name, value in row.values.items() if name not in _OF_CONTACTS}
    if "Lead Company" in row.values:
        kept["company_name"] = row.values["Lead Company"]
    return Expected("leads", row.former, {**kept, "lead_stage_id": stage})


@dataclass
class Classic:
    """A finished run into a classic account, with the leads it should have made and the account before it."""

    move: Move
    expected: Sequence[Expected]
    before: Sequence[dict[str, Any]]


@asynccontextmanager
async def company_of(source: str) -> AsyncIterator[tuple[str, Company]]:
    if source == "rsoft":
        yield "", Company()
        return
    with sandbox("servicetracker", SandboxConfig(clock=lambda: WRITTEN)) as url:
        async with Tracker(url) as tracker:
            company = await make_company(tracker)
            await add_more(tracker, company)
            yield url, company


def expected_of(source: str, company: Company) -> list[Expected]:
    if source == "rsoft":
        return [as_lead(LEADS[0], "Interested"), as_lead(LEADS[1], "Unqualified")]
    return [as_lead(row, "Contacted") for row in inquiries(company)]


async def by_hand(way: Road) -> None:
    if way.pair[0] == "rsoft":
        await administrate(way)
    else:
        body = {"action": "create_row", "selector": "lead_sources", "name": "ServiceTracker Website"}
        await way.destination.post("admin", body)


@pytest.fixture(scope="module", params=PAIRS)
async def classic(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Classic]:
    """The company after a full run in which answers were lost."""
    options = {"classic": "on", "search_lag_seconds": "0"}
    async with company_of(request.param) as (url, company):
        pair = (request.param, "freshsales")
        async with moving(database_url, url, company, pair=pair, options=options) as made:
            if not url:
                await send_files(made.road, FILES)
            for kind in ("discovery", "preflight"):
                await made.road.run(kind)
            await made.road.confirm(await made.road.propose())
            await made.road.decide_owners()
            await provision(made.road, by_hand)
            before = await made.road.destination.dump()
            await made.road.destination.faults(**_LOST)
            await made.road.run("full")
            await made.road.destination.faults()
            await made.account.sign_in()
            yield Classic(made, expected_of(request.param, company), before)


async def test_a_lead_stays_a_lead_field_by_field(classic: Classic) -> None:
    for expected in classic.expected:
        assert await differences(classic.move.reader, expected) == [], expected.former


async def test_no_lead_becomes_a_contact(classic: Classic) -> None:
    people = await classic.move.freshsales.records("contacts")
    assert not [one for one in people if one.endswith(":lead")]


async def test_the_mapping_and_the_gap_report_tell_which_way_leads_go(classic: Classic) -> None:
    document = await classic.move.road.document()
    keys = {load.key for load in document.loads}
    assert "classic_leads" in keys
    assert "leads" not in keys
    reports = await classic.move.road.reports(classic.move.road.runs["preflight"])
    gaps = next(body for kind, _, body in reports if kind == "gap")
    (found,) = [one for one in gaps["findings"] if one["code"] == "kind_of_account"]
    assert (found["object"], found["severity"]) == ("leads", "info")
    assert "classic suite" in found["text"]


async def test_lost_answers_leave_every_lead_once_and_the_run_proves_itself(classic: Classic) -> None:
    way = classic.move.road
    assert (await way.destination.stats())["faults"]["drop"] > 0
    rows = await classic.move.freshsales.rows("leads")
    written = await way.ledger("target_object = 'leads' AND outcome = 'created'")
    assert len(rows) == len(written) >= len(classic.expected)
    assert len({row["custom_field"]["cf_source_system_id"] for row in rows}) == len(rows)
    stages = await way.stages(way.runs["full"])
    assert {one.counts["discrepancies"] for one in stages.values() if one.kind == "reconcile"} == {0}


async def test_what_was_said_to_a_lead_hangs_on_it(classic: Classic) -> None:
    if classic.move.road.pair[0] != "rsoft":
        pytest.skip("inquiries of ServiceTracker have no history")
    lead = (await classic.move.freshsales.records("leads"))[former("leads", "LEA-1", "lead")]
    (note,) = await classic.move.freshsales.notes("leads", lead["id"])
    assert parse_text_block(note)[1]["Type"] == "SMS"


async def test_a_rollback_takes_leads_back(classic: Classic) -> None:
    """Comes last: it empties the account."""
    way = classic.move.road
    await way.run("rollback")
    await classic.move.account.sign_in()
    assert await classic.move.freshsales.records("leads") == {}
    left = {(one["module"], str(one["id"])) for one in await way.destination.dump() if one["module"] == "lead"}
    assert left == {(one["module"], str(one["id"])) for one in classic.before if one["module"] == "lead"}
    reports = await way.reports(way.runs["rollback"])
    report = next(body for kind, _, body in reports if kind == "rollback")["rollback"]
    assert report["equal"] is True
