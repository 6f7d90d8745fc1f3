"""Freshsales: the account's plan, budget, jobs, rights and schema, and answers nobody documented."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from connectors.base import ChangeKind, SchemaChange, WriteStatus, WriteTarget
from connectors.errors import Ambiguous, BatchRefused, ContractBroken, CredentialsRejected, QuotaExhausted, Transient
from connectors.freshsales.destination import FreshsalesDestination
from connectors.freshsales.jobs import read_report
from connectors.freshsales.refusals import classify, messages, named_label
from connectors.freshsales.settings import FreshsalesConfig
from connectors.freshsales.wire import Job
from connectors.throttle import AccountThrottle
from tests.clock import FakeClock
from tests.connectors.connector_kit import freshsales_context, no_sleep
from tests.connectors.freshsales_kit import Account, account


def people(*numbers: int) -> list[dict[str, Any]]:
    return [{"last_name": f"P{n}", "external_id": f"st:Contact:{n}"} for n in numbers]


def hourly(budget: int, reserve: float) -> Any:
    def made(clock: FakeClock) -> AccountThrottle:
        return AccountThrottle(clock=clock, budget=budget, window=3600, reserve=reserve, turning=True)

    return made


async def _one_by_one(fresh: Account, size: int) -> None:
    for number in range(size):
        await fresh.upsert("contacts", "external_id", *people(number))


@pytest.mark.parametrize("header", ["seconds", "epoch"])
async def test_a_spent_hour_parks_until_it_turns_and_leaves_the_reserve(header: str) -> None:
    async with account(hourly_calls="20", reset_header=header, throttle=hourly(20, 0.25)) as fresh:
        fresh.clock.advance(seconds=600)
        with pytest.raises(QuotaExhausted) as caught:
            await _one_by_one(fresh, 30)
        assert caught.value.until == fresh.clock.at + timedelta(seconds=3000)
        assert (await fresh.stats())["calls"]["remaining"] == 5
        fresh.clock.advance(seconds=3000)
        assert (await fresh.upsert("contacts", "external_id", *people(29)))[0].status is WriteStatus.CREATED


async def test_a_429_says_until_when_though_our_count_saw_room() -> None:
    async with account(hourly_calls="6", throttle=hourly(5000, 0)) as fresh:
        fresh.clock.advance(seconds=1800)
        for _ in range(6):  # another integration of the customer takes everything
            await fresh.client.get("/crm/sales/api/selector/owners")
        with pytest.raises(QuotaExhausted) as caught:
            await fresh.destination.check()
        assert caught.value.until == fresh.clock.at + timedelta(seconds=1800)
        assert fresh.meter.rejected_429 == 1


async def test_a_limit_per_minute_passes_by_itself() -> None:
    async with account(per_minute="3") as fresh:
        with pytest.raises(Transient):
            await _one_by_one(fresh, 5)


async def test_all_jobs_taken_is_waited_for() -> None:
    async with account(job_seconds="40", jobs_in_flight="1") as fresh:
        body = {"contacts": [{"emails": "x@example.com", "data": {"last_name": "Other"}}]}
        assert (await fresh.client.post("/crm/sales/api/contacts/bulk_upsert", json=body)).is_success
        results = await fresh.upsert("contacts", "external_id", *people(*range(5)))
        assert [one.status for one in results] == [WriteStatus.CREATED] * 5
        assert fresh.clock.pauses.count(5.0) == 8
        stats = await fresh.stats()
        assert stats["refused"] == {"405": 8}
        assert stats["jobs"]["most_in_flight"] == 1


async def test_our_own_jobs_never_meet_the_ceiling() -> None:
    async with account(job_seconds="12") as fresh:
        await fresh.made("contacts", last_name="First")
        batches = [people(*range(start, start + 5)) for start in range(0, 60, 5)]
        done = await asyncio.gather(*(fresh.upsert("contacts", "external_id", *batch) for batch in batches))
        assert sum(one.status is WriteStatus.CREATED for results in done for one in results) == 60
        stats = await fresh.stats()
        assert stats["jobs"]["most_in_flight"] == 8
        assert stats["refused"] == {}


async def test_a_budget_that_ends_within_a_job_leaves_no_doubles() -> None:
    async with account(hourly_calls="3", throttle=hourly(3, 0)) as fresh:
        with pytest.raises(QuotaExhausted):
            await fresh.upsert("contacts", "external_id", *people(*range(5)))
        fresh.clock.advance(seconds=3600)
        assert (await fresh.stats())["records"]["live"] == {"contact": 5}
        results = await fresh.upsert("contacts", "external_id", *people(*range(5)))
        assert len({one.id for one in results}) == 5
        assert (await fresh.stats())["records"]["live"] == {"contact": 5}


async def test_jobs_that_stay_taken_are_transient() -> None:
    async with account(job_seconds="4000", jobs_in_flight="1") as fresh:
        body = {"contacts": [{"emails": "x@example.com", "data": {"last_name": "Other"}}]}
        await fresh.client.post("/crm/sales/api/contacts/bulk_upsert", json=body)
        with pytest.raises(Transient) as caught:
            await fresh.upsert("contacts", "external_id", *people(*range(5)))
        assert caught.value.code == "JOBS_BUSY"


async def test_a_job_without_an_end_is_ambiguous_and_may_be_sent_again() -> None:
    async with account(job_seconds="900", config={"job_timeout": 600}) as fresh:
        with pytest.raises(Ambiguous, match="not ended"):
            await fresh.upsert("contacts", "external_id", *people(*range(5)))
        fresh.clock.advance(seconds=900)
        await fresh.faults(job_seconds=0)  # the first job is carried out as well, late
        fresh.clock.advance(seconds=60)
        results = await fresh.upsert("contacts", "external_id", *people(*range(5)))
        assert [one.status for one in results] == [WriteStatus.UPDATED] * 5
        assert await fresh.destination.count("contacts") == 5


async def test_later_jobs_are_asked_for_when_earlier_ones_ended() -> None:
    async with account(job_seconds="20") as fresh:
        for start in (0, 10, 20, 30):
            calls = fresh.count()
            await fresh.upsert("contacts", "external_id", *people(*range(start, start + 10)))
        assert calls.by_purpose()["job contacts"] <= 4
        assert calls.by_purpose()["bulk contacts"] == 1


async def test_rows_refused_by_chance_are_named() -> None:
    async with account() as fresh:
        await fresh.faults(reject_row=5_000, seed=3)
        results = await fresh.upsert("contacts", "external_id", *people(*range(20)))
        refused = [n for n, one in enumerate(results) if one.status is WriteStatus.REFUSED]
        assert 0 < len(refused) < 20
        found = await fresh.destination.find("contacts", "external_id", [f"st:Contact:{n}" for n in range(20)])
        assert set(found) == {f"st:Contact:{n}" for n in range(20) if n not in refused}


@pytest.mark.parametrize(
    ("data", "placed", "unplaced"),
    [
        ({"record_status": {"succeeded": 2, "failed": 0}}, {}, 0),
        ({"record_status": {"failed": 1}, "detailed_failure_report": [{"row": 1, "errors": "no"}]}, {1: ["no"]}, 0),
        ({"record_status": {"failed": 1}, "detailed_failure_report": [{"id": "B", "message": ["no"]}]}, {1: ["no"]}, 0),
        ({"record_status": {"failed": 1}, "detailed_failure_report": {"a": 1}}, {}, 1),
        ({"record_status": {"failed": 2}, "detailed_failure_report": ["no", "nope"]}, {}, 2),
    ],
)
def test_failure_reports_of_several_shapes(data: Any, placed: dict[int, list[str]], unplaced: int) -> None:
    report = read_report(Job(status="SUCCESS", data=json.dumps(data)), ["a", "b"])
    assert (report.failures, len(report.unplaced)) == (placed, unplaced)


@pytest.mark.parametrize("data", [None, "no json", "[]", '{"record_status": 3}'])
def test_a_report_that_says_nothing_is_ambiguous(data: Any) -> None:
    with pytest.raises(Ambiguous):
        read_report(Job(status="SUCCESS", data=data), ["a"])


@pytest.mark.parametrize(
    ("body", "text", "code", "label"),
    [
        ({"errors": {"code": 400, "message": ["Name has already been taken"]}}, "Name has already been taken",
         "DUPLICATE_DATA", "Name"),
        ({"errors": {"message": ["Contact is not unique"]}}, "Contact is not unique", "DUPLICATE_DATA", "Contact"),
        ({"errors": {"message": "email ya existe"}}, "email ya existe", "DUPLICATE_DATA", "email"),
        ({"errors": {"code": 400, "message": ["Source can't be empty"]}}, "Source can't be empty",
         "MANDATORY_NOT_FOUND", "Source"),
        ({"errors": {"code": 400, "message": ["The type for sales_accounts is invalid."]}},
         "The type for sales_accounts is invalid.", "INVALID_DATA", "sales_accounts"),
        ({"message": "Site is too long (maximum is 255 characters)"}, "Site is too long (maximum is 255 characters)",
         "TOO_LONG", "Site"),
        ({"description": "Nope", "errors": None}, "Nope", "HTTP_400", ""),
        (["a bare list"], "a bare list", "HTTP_400", ""),
        (True, "", "HTTP_400", ""),
    ],
)  # fmt: skip
def test_refusals_in_every_shape_of_section_15(body: Any, text: str, code: str, label: str) -> None:
    texts = messages(body)
    assert "; ".join(texts) == text
    assert classify(texts) == code
    assert named_label(text) == label


@pytest.mark.parametrize(("edition", "calls"), [("growth", 1000), ("pro", 2000), ("enterprise", 5000)])
async def test_the_plan_is_told_by_the_hourly_limit(edition: str, calls: int) -> None:
    async with account(edition=edition) as fresh:
        facts = await fresh.destination.check()
        assert (facts["edition"], facts["calls_per_window"], facts["users_active"]) == (edition, calls, 3)
        assert fresh.meter.made == 1
        assert facts["storage_bytes"] == 3 * int(str(facts["storage_per_user"]))


async def test_the_connection_may_state_the_plan() -> None:
    async with account(hourly_calls="700", config={"edition": "pro"}) as fresh:
        facts = await fresh.destination.check()
        assert (facts["edition"], facts["calls_per_window"]) == ("pro", 700)


async def test_a_key_that_may_not_list_users_works_and_says_so() -> None:
    async with account(owners_denied="on") as fresh:
        facts = await fresh.destination.check()
        inventory = await fresh.destination.describe()
        assert facts["users_active"] is None
        assert "administrator" in str(facts["users_unreadable"])
        assert inventory.users == ()
        assert inventory.object("contacts") is not None


async def test_describing_costs_few_calls_and_names_what_is_left() -> None:
    async with account() as fresh:
        await fresh.unique_key()
        before = fresh.meter.made
        inventory = await fresh.destination.describe()
        assert fresh.meter.made - before <= 16
        slots = inventory.facts["slots"]
        assert isinstance(slots, dict)
        assert slots["sales_accounts"] == {"unique": 0, "custom": 629}
        key = inventory.object("contacts").field("external_id")  # type: ignore[union-attr]
        assert key is not None
        assert (key.unique, key.external_id) == (True, True)
        stages = {(one.name, one.probability, one.forecast) for one in inventory.stages}
        assert ("Won", 100, "Closed Won") in stages


def module(name: str = "cm_work_order") -> SchemaChange:
    attributes = {"singular": "Work Order", "plural": "Work Orders"}
    return SchemaChange(kind=ChangeKind.OBJECT, object=name, label="Work Orders", attributes=attributes)


def field(owner: str, label: str, **attributes: Any) -> SchemaChange:
    return SchemaChange(
        kind=ChangeKind.FIELD, object=owner, name=f"cf_{label}", label=label, attributes={"type": "text", **attributes}
    )


async def test_a_plan_without_modules_gets_an_instruction() -> None:
    async with account(edition="pro") as fresh:
        result = await fresh.destination.provision(module(), {})
        assert result.api_name == ""
        assert "Enterprise" in result.manual
        with pytest.raises(ContractBroken):
            await fresh.destination.provision(field("cm_work_order", "X"), {})


async def test_forms_of_standard_modules_that_refuse_become_instructions() -> None:
    async with account(standard_field_create="off") as fresh:
        result = await fresh.destination.provision(field("contacts", "Role"), {})
        assert "An administrator must create the field “Role”" in result.manual
        await fresh.admin("create_field", module="contact", label="Role", type="text")
        again = await fresh.destination.provision(field("contacts", "Role"), {})
        assert (again.api_name, again.existed, again.manual) == ("cf_role", True, "")


async def test_integer_codes_that_nobody_knows_become_instructions() -> None:
    async with account(field_create="code") as fresh:
        result = await fresh.destination.provision(field("contacts", "Role"), {})
        assert "text" in result.manual


async def test_a_field_costs_one_call_once_the_module_is_known() -> None:
    async with account() as fresh:
        await fresh.destination.describe()
        calls = fresh.count()
        made = await fresh.destination.provision_many([field("contacts", f"Field {n}") for n in range(10)], {})
        assert len({one.api_name for one in made}) == 10
        assert calls.by_purpose() == {"provision": 10}
        again = await fresh.destination.provision_many([field("contacts", f"Field {n}") for n in range(10)], {})
        assert all(one.existed for one in again)
        assert calls.by_purpose() == {"provision": 10}
        assert (await fresh.made("contacts", last_name="P", cf_field_3="x")) != ""


async def test_caps_by_type_become_instructions() -> None:
    async with account(edition="growth") as fresh:
        changes = [field("contacts", f"Area {n}", type="textarea") for n in range(6)]
        results = await fresh.destination.provision_many(changes, {})
        assert [bool(one.manual) for one in results] == [False] * 5 + [True]
        assert "maximum number" in results[5].manual
        lookup = field("contacts", "Site", type="lookup", references="sales_accounts")
        assert (await fresh.destination.provision(lookup, {})).manual


async def test_only_an_administrator_adds_options_and_stages() -> None:
    async with account() as fresh:
        made = await fresh.destination.provision(field("deals", "Kind", type="picklist", picklist=["A"]), {})
        options = SchemaChange(
            kind=ChangeKind.PICKLIST_VALUES, object="deals", name=made.api_name, attributes={"picklist": ["A", "B"]}
        )
        stages = SchemaChange(
            kind=ChangeKind.STAGES, object="deals", name="deal_stage_id",
            attributes={
                "stages": [{"name": "Won"}, {"name": "Invoiced", "probability": 100, "forecast": "Closed Won"}]
            },
        )  # fmt: skip
        first, second = await fresh.destination.provision_many([options, stages], {})
        assert first.manual.endswith("the dropdown “Kind” of deals: B, then check again.")
        assert "Invoiced (100 %, Closed Won)" in second.manual
        assert "Won," not in second.manual


async def test_unique_flags_are_advice_where_they_save_calls() -> None:
    async with account() as fresh:
        accounts = await fresh.destination.provision(field("sales_accounts", "Key", unique=True), {})
        deals = await fresh.destination.provision(field("deals", "Key", unique=True), {})
        assert (accounts.manual, deals.manual, deals.advice) == ("", "", "")
        assert "unique" in accounts.advice
        again = await fresh.destination.provision(field("sales_accounts", "Key", unique=True), {})
        assert (again.existed, again.advice) == (True, accounts.advice)
        await fresh.admin("set_unique", module="sales_account", field=accounts.api_name)
        await fresh.destination.describe()
        done = await fresh.destination.provision(field("sales_accounts", "Key", unique=True), {})
        assert (done.existed, done.advice) == (True, "")


@pytest.mark.parametrize("fault", ["fail429", "fail5xx", "fail5xx_after"])
async def test_a_hiccup_among_many_fields_is_repeated_in_place(fault: str) -> None:
    """Each field is made once, by us, whether its call was refused or its answer lost."""
    async with account() as fresh:
        changes = [module(), *(field("cm_work_order", f"Field {n}") for n in range(20))]
        changes += [field("sales_accounts", "Key", unique=True), *(field("contacts", f"Field {n}") for n in range(10))]
        await fresh.faults(**{fault: 1_500}, seed=4)
        made = await fresh.destination.provision_many(changes, {})
        injected = (await fresh.stats())["faults"][fault]
        await fresh.faults(**{fault: 0})
        assert injected >= 3
        assert not any(one.existed or one.manual for one in made)
        assert len({(one.change.object, one.api_name) for one in made}) == len(changes)
        assert "unique" in made[21].advice
        inventory = await fresh.destination.describe()
        custom = inventory.object("cm_work_order")
        assert custom is not None
        assert sum(one.label.startswith("Field ") for one in custom.fields) == 20


async def test_activities_have_no_fields_to_make() -> None:
    async with account() as fresh:
        result = await fresh.destination.provision(field("tasks", "Key"), {})
        assert "description" in result.manual
        assert fresh.meter.made == 0


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("acme.myfreshworks.com", "https://acme.myfreshworks.com/crm/sales/api"),
        ("https://acme.myfreshworks.com/crm/sales", "https://acme.myfreshworks.com/crm/sales/api"),
        ("https://acme.myfreshworks.com/crm/sales/api/", "https://acme.myfreshworks.com/crm/sales/api"),
        ("https://acme.freshsales.io", "https://acme.freshsales.io/api"),
        ("http://127.0.0.1:9003", "http://127.0.0.1:9003/crm/sales/api"),
    ],
)
def test_the_address_as_people_copy_it(given: str, url: str) -> None:
    assert FreshsalesConfig(base_url=given).api_url() == url


BASE = "http://odd.example.net/crm/sales/api"


def odd() -> FreshsalesDestination:
    return FreshsalesDestination(freshsales_context("http://odd.example.net"), transport=httpx.AsyncHTTPTransport(),
                                 sleep=no_sleep, retries=0)  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="<html>busy</html>"), ContractBroken),
        (httpx.Response(200, json={"users": 3}), ContractBroken),
        (httpx.Response(302, headers={"location": "https://login.example.net"}), ContractBroken),
        (httpx.Response(401, json={"message": "Incorrect or expired API key sandbox-key"}), CredentialsRejected),
        (httpx.Response(401, text="no json"), CredentialsRejected),
        (httpx.Response(429, headers={"retry-after": "30"}), Transient),
        (httpx.Response(429, headers={"retry-after": "1800"}), QuotaExhausted),
        (httpx.Response(500, text="undefined method for nil"), Transient),
    ],
)
@respx.mock
async def test_odd_answers_to_a_look_at_the_account(answer: httpx.Response, error: type[Exception]) -> None:
    respx.get(f"{BASE}/selector/owners").mock(return_value=answer)
    destination = odd()
    with pytest.raises(error) as caught:
        await destination.check()
    assert "sandbox-key" not in str(caught.value)
    await destination.close()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, json=True), Ambiguous),
        (httpx.Response(200, json={"note": {}}), Ambiguous),
        (httpx.Response(500, text="no implicit conversion of Symbol into String"), Ambiguous),
        (httpx.Response(502, text="bad gateway"), Ambiguous),
        (httpx.Response(403, json={"errors": {"code": 403, "message": ["no autorizado"]}}), CredentialsRejected),
        (httpx.Response(413), BatchRefused),
    ],
)
@respx.mock
async def test_odd_answers_to_a_write(answer: httpx.Response, error: type[Exception]) -> None:
    respx.post(f"{BASE}/notes").mock(return_value=answer)
    destination = odd()
    with pytest.raises(error):
        await destination.write(WriteTarget("notes"), [b'{"description":"x"}'])
    await destination.close()


@respx.mock
async def test_an_unwrapped_answer_is_an_answer() -> None:
    respx.post(f"{BASE}/notes").mock(return_value=httpx.Response(200, json={"id": 5, "description": "x"}))
    destination = odd()
    (result,) = await destination.write(WriteTarget("notes"), [b'{"description":"x"}'])
    assert (result.status, result.id) == (WriteStatus.CREATED, "5")
    await destination.close()
