"""Bad input ends a run with a problem that says what is wrong and what to do; nothing is half written."""

import socket
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from app.domain.mapping import FieldRule, LookupRule, MappingDocument, Missing
from app.runs.engine import advance
from connectors.registry import PLATFORMS, UnknownPair, load_blueprint
from connectors.zoho_crm.destination import ZohoDestination
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, road
from tests.runs.stands import CREDENTIALS


async def problem_of(way: Road, kind: str, *, expect: str = "failed", **options: Any) -> dict[str, Any]:
    await way.run(kind, expect=expect, **options)
    return dict((await way.row(way.runs[kind])).problem)


def test_a_pair_without_a_road_is_named() -> None:
    with pytest.raises(UnknownPair, match="no blueprint from servicetracker to nowhere"):
        load_blueprint("servicetracker", "nowhere")


@pytest.mark.parametrize("platform", ["servicetracker", "zoho_crm"])
async def test_wrong_credentials_pause_the_run(
    database_url: str, source_url: str, open_way: OpenWay, platform: str
) -> None:
    """A person can put them right, so the run keeps its place; the secret is not in the problem."""
    async with open_way() as other:
        wrong = {**CREDENTIALS, platform: {**CREDENTIALS[platform], "client_secret": "not-the-secret"}}
        async with road(database_url, source_url, other.urls["destination"], credentials=wrong) as way:
            problem = await problem_of(way, "discovery", expect="paused")
    assert problem["code"] == "credentials-rejected"
    assert "client" in problem["detail"]
    assert "not-the-secret" not in str(problem)


async def test_an_unreachable_host_is_tried_again_and_named(
    database_url: str, source_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run comes back to it with growing pauses, and fails in the end; calls themselves are not repeated here."""
    zoho = replace(PLATFORMS["zoho_crm"], destination=partial(ZohoDestination, retries=0))
    monkeypatch.setattr("app.engagements.connecting.PLATFORMS", {**PLATFORMS, "zoho_crm": zoho})
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with road(database_url, source_url, url, call_timeout_seconds=0.5) as way:
            run_id = await way.start("discovery")
            await advance(way.runtime, run_id, "test")
            run = await way.row(run_id)
            assert run.state == "running"
            assert run.problem["code"] == "retrying"
            assert url.removeprefix("http://") in run.problem["detail"]
            assert run.next_at > way.runtime.now()
            assert run.lease_until is None
            await way.execute("UPDATE runs SET attempts = 1000, next_at = now() WHERE id = $1", run_id)
            await advance(way.runtime, run_id, "test")
            run = await way.row(run_id)
            assert run.state == "failed"
            assert run.problem["code"] == "unreachable"


async def test_a_missing_stage_is_named_before_anything_is_written(open_way: OpenWay) -> None:
    """An org whose API takes no stages: provisioning waits for the administrator, and the full run looks again."""
    stages = ("On Hold", "In Progress", "Invoiced")
    async with open_way(options={"stage_create": "off"}) as way:
        await way.up_to("mapping")
        await way.run("provision", expect="waiting_admin")
        problem = (await way.row(way.runs["provision"])).problem
        assert problem["code"] == "admin-needed"
        assert (await way.told("provision"))[-1] == "run.waiting_admin"
        told = " ".join(problem["missing"])
        assert all(stage in told for stage in stages)
        before = await way.destination.dump()
        problem = await problem_of(way, "full")
        assert problem["code"] == "step-missing"
        assert (await way.told("full"))[-1] == "run.failed"
        assert set(stages) <= set(problem["stages"])
        assert await way.destination.dump() == before
        for stage in problem["stages"]:
            body = {"action": "create_stage", "name": stage, "probability": 50}
            await way.destination.post("admin", body)
        await way.run("provision")
        await way.run("full")
        assert (await way.destination.stats())["records"]["created"]["Deals"] > 10


async def test_without_provisioning_nothing_is_written(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("mapping")
        before = await way.destination.dump()
        problem = await problem_of(way, "full")
        assert problem["code"] == "mapping-invalid"
        assert "provision" in problem["detail"]
        assert any(one["pointer"].startswith("/loads/accounts/") for one in problem["errors"])
        assert await way.destination.dump() == before
        assert await way.ledger() == []


async def test_a_mapping_to_a_field_that_does_not_exist_is_refused(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        await way.confirm(with_rule(await way.document(), "contacts", FieldRule(target="No_Such", sources=("Title",))))
        problem = await problem_of(way, "full")
        assert problem["code"] == "mapping-invalid"
        assert [one["code"] for one in problem["errors"]] == ["unknown_target"]
        assert problem["errors"][0]["pointer"].startswith("/loads/contacts/fields/")
        assert "No_Such" in problem["errors"][0]["detail"]
        assert await way.destination.dump() == before


async def test_a_cycle_of_required_lookups_is_named(open_way: OpenWay) -> None:
    """Accounts that need their contact and contacts that need their account: no order could write them."""
    async with open_way() as way:
        await way.up_to("provision")
        before = await way.destination.dump()
        document = await way.document()
        for load, source, needed in (("accounts", "Email__c", "contacts"), ("contacts", "AccountId", "accounts")):
            lookup = LookupRule(loads=(needed,), on_missing=Missing.HOLD)
            target = {"accounts": "Primary_Contact__c", "contacts": "Account_Name"}[load]
            rule = FieldRule(target=target, sources=(source,), lookup=lookup, required=True)
            document = with_rule(document, load, rule)
        await way.confirm(document)
        problem = await problem_of(way, "full")
        assert problem["code"] == "plan-impossible"
        assert "accounts" in problem["detail"]
        assert "contacts" in problem["detail"]
        assert await way.destination.dump() == before


def with_rule(document: MappingDocument, load_key: str, rule: FieldRule) -> MappingDocument:
    """The document with a rule added, in place of the one for the same target."""
    loads = [
        one.model_copy(update={"fields": (*(r for r in one.fields if r.target != rule.target), rule)})
        if one.key == load_key
        else one
        for one in document.loads
    ]
    return document.model_copy(update={"loads": tuple(loads)})
