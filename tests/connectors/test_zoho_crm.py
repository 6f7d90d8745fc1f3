"""What is Zoho's own: provisioning by its rules, editions, credits, and answers a sandbox would not give."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import respx

from app.domain.schema import FieldType
from connectors.base import CallMeter, ChangeKind, SchemaChange, WriteResult, WriteStatus, WriteStyle, WriteTarget
from connectors.errors import (
    Ambiguous,
    BatchRefused,
    ConnectorError,
    ContractBroken,
    CredentialsRejected,
    QuotaExhausted,
    Transient,
)
from connectors.registry import PLATFORMS, load_blueprint
from connectors.sandboxkit.config import SandboxConfig
from connectors.zoho_crm.destination import ZohoDestination
from connectors.zoho_crm.editions import daily_credits, edition_slug
from connectors.zoho_crm.sandbox import create_app
from connectors.zoho_crm.settings import ZohoConfig
from tests.connectors.connector_kit import MemoryTokens, QuietThrottle, Sandbox, no_sleep, serve, zoho_context

TARGET = WriteTarget("Accounts", "Key")


def build_zoho(url: str, **overrides: Any) -> ZohoDestination:
    transport = overrides.pop("transport", None)
    return ZohoDestination(zoho_context(url, **overrides), transport=transport, sleep=no_sleep, retries=1)


@asynccontextmanager
async def org(edition: str | None = None, **options: str) -> AsyncIterator[tuple[Sandbox, ZohoDestination]]:
    """A fresh org with a connector."""
    async with serve(create_app(SandboxConfig(edition=edition, options=options))) as url:
        destination = build_zoho(url)
        try:
            yield Sandbox(url), destination
        finally:
            await destination.close()


def field(name: str, label: str, *, module: str = "Accounts", **attributes: Any) -> SchemaChange:
    return SchemaChange(kind=ChangeKind.FIELD, object=module, name=name, label=label, attributes=attributes)


class TestProvisioning:
    async def test_the_whole_plan_of_the_blueprint_twice(self) -> None:
        plan = load_blueprint("servicetracker", "zoho_crm").plan
        changes = [
            SchemaChange(
                kind=ChangeKind.OBJECT, object=one.key, label=one.plural,
                attributes={"singular": one.singular, "plural": one.plural},
            )
            for one in plan.objects
        ]  # fmt: skip
        for one in plan.fields:
            shown = one.model_dump(mode="json", exclude={"object", "key", "label"}, exclude_none=True)
            changes.append(field(one.key, one.label, module=one.object, **shown))
        async with org() as (sandbox, destination):
            first = await destination.provision_many(changes, {})
            assert [one.manual for one in first] == [""] * len(changes)
            assert all(one.api_name and one.id for one in first)
            assert not any(one.existed for one in first)
            calls = (await sandbox.stats())["requests"]["POST /crm/v8/settings/fields"]
            assert calls <= len(changes) / 5 + 12
            other = build_zoho(sandbox.url, tokens=destination._context.tokens)
            second = await other.provision_many(changes, {})
            assert all(one.existed for one in second)
            assert [one.api_name for one in second] == [one.api_name for one in first]
            await other.close()

    async def test_stages_are_options_and_places_in_the_pipeline(self) -> None:
        wanted = [{"name": "On Hold", "probability": 30}, {"name": "Invoiced", "forecast": "Closed Won"}]
        change = SchemaChange(kind=ChangeKind.STAGES, object="Deals", attributes={"stages": wanted})
        async with org() as (_, destination):
            first = await destination.provision(change, {})
            second = await destination.provision(change, {})
            assert (first.existed, first.manual, second.existed) == (False, "", True)
            stages = {one.name: one for one in (await destination.describe()).stages}
            assert stages["On Hold"].probability == 30
            assert stages["Invoiced"].forecast == "Closed Won"
            assert stages["On Hold"].pipeline
            body = {"Deal_Name": "D", "Stage": "On Hold", "Pipeline": stages["On Hold"].pipeline}
            (one,) = await destination.write(WriteTarget("Deals", style=WriteStyle.INSERT), [json.dumps(body).encode()])
            assert one.status is WriteStatus.CREATED

    async def test_stages_through_a_list_of_picklist_values(self) -> None:
        change = SchemaChange(
            kind=ChangeKind.PICKLIST_VALUES, object="Deals", name="Stage", attributes={"picklist": ["In Progress"]}
        )
        async with org() as (_, destination):
            assert (await destination.provision(change, {})).manual == ""
            assert "In Progress" in {one.name for one in (await destination.describe()).stages}

    async def test_stages_that_the_api_refuses_become_a_task_for_an_admin(self) -> None:
        change = SchemaChange(kind=ChangeKind.STAGES, object="Deals", attributes={"stages": ["On Hold"]})
        async with org(stage_create="off") as (sandbox, destination):
            refused = await destination.provision(change, {})
            assert "On Hold" in refused.manual
            assert "administrator" in refused.manual
            await sandbox.post("admin", {"action": "create_stage", "name": "On Hold", "probability": 10})
            again = build_zoho(sandbox.url, tokens=destination._context.tokens)
            done = await again.provision(change, {})
            assert (done.manual, done.existed) == ("", True)
            await again.close()

    async def test_modules_beyond_the_edition_become_a_task_for_an_admin(self) -> None:
        change = SchemaChange(kind=ChangeKind.OBJECT, object="Assets_C", label="Assets")
        async with org("Professional") as (_, destination):
            refused = await destination.provision(change, {})
            assert refused.api_name == ""
            assert "Assets" in refused.manual

    async def test_no_unique_slot_is_said_and_the_others_are_made(self) -> None:
        changes = [
            field("A__c", "Key A", type="text", unique=True),
            field("B__c", "Key B", type="text", external=True),
            field("C__c", "Key C", type="text", unique=True),
            field("D__c", "Plain D", type="text"),
        ]
        async with org() as (_, destination):
            results = await destination.provision_many(changes, {})
            assert [bool(one.api_name) for one in results] == [True, True, False, True]
            assert "LIMIT_EXCEEDED" in results[2].manual
            assert (await destination.check())["unique_slots_left"] == {
                "Accounts": 0, "Contacts": 2, "Deals": 2, "Products": 2,
            }  # fmt: skip

    async def test_an_existing_field_of_another_kind_is_not_taken(self) -> None:
        async with org() as (_, destination):
            await destination.provision(field("X__c", "Shared Label", type="date"), {})
            other = await destination.provision(field("X__c", "Shared Label", type="text", unique=True), {})
            assert other.api_name == ""
            assert "cannot serve" in other.manual

    async def test_names_are_read_back_and_not_derived(self) -> None:
        async with org() as (_, destination):
            result = await destination.provision(
                field("Customer_Since__c", "Customer — since / when?", type="date"), {}
            )
            inventory = await destination.describe()
            accounts = inventory.object("Accounts")
            assert accounts is not None
            made = accounts.field(result.api_name)
            assert made is not None
            assert made.type is FieldType.DATE

    async def test_fields_for_a_module_that_is_not_there(self) -> None:
        async with org() as (_, destination):
            with pytest.raises(ContractBroken):
                await destination.provision(field("X__c", "X", module="Nowhere", type="text"), {})

    async def test_layout_places_are_checked(self) -> None:
        change = SchemaChange(kind=ChangeKind.LAYOUT, object="Accounts", attributes={"fields": ["Phone"]})
        async with org() as (_, destination):
            result = await destination.provision(change, {})
            assert (result.existed, result.manual) == (True, "")


class TestOrg:
    async def test_check_names_edition_credits_and_features(self) -> None:
        async with org("Enterprise", licences="20") as (_, destination):
            facts = await destination.check()
            assert facts["edition"] == "enterprise"
            assert facts["users_active"]
            assert facts["credits_per_day"] == daily_credits("enterprise", int(str(facts["users_licensed"])))
            assert facts["concurrency"] == 20
            assert "custommodule" in json.dumps(facts["features"])

    async def test_an_edition_without_api_access(self) -> None:
        async with org(api_access="off") as (_, destination):
            with pytest.raises(ContractBroken, match="no API access") as caught:
                await destination.check()
            assert caught.value.code == "API_NOT_SUPPORTED"
            with pytest.raises(ContractBroken):
                await destination.write(TARGET, [b'{"Account_Name":"x"}'])

    async def test_a_missing_scope(self) -> None:
        async with org(deny_scope="settings") as (_, destination):
            with pytest.raises(CredentialsRejected, match="scopes"):
                await destination.describe()

    async def test_the_days_credits_used_up(self) -> None:
        async with org(daily_credits="12") as (_, destination):
            with pytest.raises(QuotaExhausted):
                await destination.describe()
            with pytest.raises(QuotaExhausted):
                await destination.write(WriteTarget("Accounts", style=WriteStyle.INSERT), [b"{}"] * 100)

    async def test_credits_and_weight_agree_with_the_vendor(self) -> None:
        async with org() as (sandbox, destination):
            meter = destination._context.meter
            target = WriteTarget("Accounts", style=WriteStyle.INSERT)
            await destination.write(target, [json.dumps({"Account_Name": f"A{n}"}).encode() for n in range(95)])
            await destination.find("Accounts", "Account_Name", ["A1"])
            await destination.count("Accounts", "Website")
            await destination.fetch("Accounts", ["1"], ["Phone"])
            await destination.describe()
            assert (await sandbox.stats())["credits"]["used"] == meter.credits

    async def test_concurrency_is_kept_below_the_vendors_limit(self) -> None:
        async with serve(create_app(SandboxConfig(options={"concurrency": "4", "sub_concurrency": "2"}))) as url:
            throttle = QuietThrottle(concurrency=4, heavy_concurrency=2)
            destination = build_zoho(url, throttle=throttle)
            await Sandbox(url).faults(latency_ms=2)
            await destination.describe()
            stats = await Sandbox(url).stats()
            assert stats["too_many_requests"] == 0
            assert stats["max_concurrency"] > 1
            await destination.close()


class TestEditions:
    @pytest.mark.parametrize(
        ("paid_type", "slug"),
        [
            ("enterprise", "enterprise"),
            ("ZohoOne", "enterprise"),
            ("crmplus", "ultimate"),
            ("gold", None),
            (None, None),
        ],
    )
    def test_slugs(self, paid_type: str | None, slug: str | None) -> None:
        assert edition_slug(paid_type) == slug

    @pytest.mark.parametrize(
        ("slug", "users", "allowed"),
        [("free", 3, 5_000), ("standard", 10, 52_500), ("standard", 1000, 100_000), ("enterprise", 30, 80_000),
         ("ultimate", 10_000, 20_050_000), (None, 5, 5_000)],
    )  # fmt: skip
    def test_credits(self, slug: str | None, users: int, allowed: int) -> None:
        assert daily_credits(slug, users) == allowed

    def test_hosts(self) -> None:
        assert ZohoConfig(dc="eu").urls()[:2] == ("https://www.zohoapis.eu", "https://accounts.zoho.eu")
        assert ZohoConfig(environment="sandbox").urls()[0] == "https://sandbox.zohoapis.com"
        assert ZohoConfig(base_url="http://127.0.0.1:1/").urls()[0] == "http://127.0.0.1:1"

    def test_the_manifest_knows_how_each_object_is_written(self) -> None:
        platform = PLATFORMS["zoho_crm"]
        assert platform.object_facts("Deals").style is WriteStyle.UPSERT
        assert platform.object_facts("Tasks").style is WriteStyle.INSERT
        assert platform.object_facts("Notes").key_field is None
        assert platform.object_facts("Attachments").style is WriteStyle.FILE


def answering(**answer: Any) -> ZohoDestination:
    """A connector whose every call gets one answer."""
    router = respx.MockRouter()
    router.route().respond(**answer)
    return build_zoho(
        "http://vendor.test",
        transport=httpx.MockTransport(router.async_handler),
        tokens=MemoryTokens({"access_token": "token"}),
        meter=CallMeter(),
    )


def item(**values: Any) -> dict[str, Any]:
    return {"code": "SUCCESS", "status": "success", "message": "record added", "details": {"id": "1"}} | values


async def written(items: Any, records: int = 1, status: int = 200) -> list[WriteResult]:
    destination = answering(status_code=status, json={"data": items})
    return await destination.write(TARGET, [b"{}"] * records)


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 207, 400])
    async def test_results_are_read_whatever_the_status(self, status: int) -> None:
        refused = item(code="MANDATORY_NOT_FOUND", status="error", message="required field not found",
                       details={"api_name": "Account_Name", "json_path": "$.data[1].Account_Name"})  # fmt: skip
        results = await written([item(action="update"), refused], 2, status)
        assert [one.status for one in results] == [WriteStatus.UPDATED, WriteStatus.REFUSED]
        assert (results[1].code, results[1].field) == ("MANDATORY_NOT_FOUND", "Account_Name")

    @pytest.mark.parametrize(
        ("details", "duplicate"),
        [({"id": "5"}, "5"), ({"duplicate_record": {"id": 7}, "id": None}, "7"), ({"api_name": "Key"}, None)],
    )
    async def test_duplicates_name_the_record_in_the_way(self, details: dict[str, Any], duplicate: str | None) -> None:
        (one,) = await written([item(code="DUPLICATE_DATA", status="error", details=details)])
        assert (one.status, one.duplicate_id) == (WriteStatus.REFUSED, duplicate)

    async def test_the_first_of_several_errors_is_named(self) -> None:
        inner = {
            "code": "INVALID_DATA",
            "message": "invalid data",
            "details": {"api_name": "Phone", "maximum_length": 30},
        }
        (one,) = await written([item(code="MULTIPLE_OR_MULTI_ERRORS", status="error", details={"errors": [inner]})])
        assert (one.code, one.field) == ("INVALID_DATA", "Phone")
        assert "30" in one.message

    @pytest.mark.parametrize(
        "items",
        [[], [item(), item()], "none", [1], [{"code": 5}], [item(details={"id": ["x"]})], {"a": 1}, None],
    )
    async def test_results_that_do_not_fit_the_batch_are_ambiguous(self, items: Any) -> None:
        with pytest.raises(Ambiguous):
            await written(items)

    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ({"status_code": 400, "json": {"code": "JSON_PARSE_ERROR", "message": "x"}}, BatchRefused),
            ({"status_code": 400, "json": {"data": [{"code": "LIMIT_EXCEEDED", "status": "error"}]}}, BatchRefused),
            ({"status_code": 413, "text": "too large"}, BatchRefused),
            ({"status_code": 400, "json": {"code": "INVALID_MODULE", "message": "x"}}, ContractBroken),
            ({"status_code": 400, "json": {"data": [{"code": "INVALID_MODULE", "status": "error"}]}}, ContractBroken),
            ({"status_code": 400, "html": "<h1>Bad request</h1>"}, ContractBroken),
            ({"status_code": 403, "json": {"code": "NO_PERMISSION", "message": "x"}}, CredentialsRejected),
            ({"status_code": 401, "json": {"code": "OAUTH_SCOPE_MISMATCH"}}, CredentialsRejected),
            ({"status_code": 429, "json": {"code": "TOO_MANY_REQUESTS"}}, Transient),
            ({"status_code": 500, "json": {"code": "INTERNAL_ERROR"}}, Ambiguous),
            ({"status_code": 502, "html": "<h1>Bad gateway</h1>"}, Ambiguous),
            ({"status_code": 200, "html": "<h1>Maintenance</h1>"}, Ambiguous),
            ({"status_code": 204}, Ambiguous),
            ({"status_code": 302, "headers": {"location": "http://evil.test"}}, ContractBroken),
        ],
    )
    async def test_refusals_as_a_whole(self, answer: dict[str, Any], kind: type[ConnectorError]) -> None:
        with pytest.raises(ConnectorError) as caught:
            await answering(**answer).write(TARGET, [b"{}"])
        assert type(caught.value) is kind

    async def test_a_note_id_that_is_gone_counts_as_gone(self) -> None:
        gone = item(code="INVALID_DATA", status="error", message="record not deleted")
        (one,) = await answering(status_code=400, json={"data": [gone]}).delete("Notes", ["1"])
        assert one.status is WriteStatus.UPDATED

    async def test_a_locked_record_is_not_gone(self) -> None:
        locked = item(code="RECORD_LOCKED", status="error", message="locked")
        (one,) = await answering(status_code=400, json={"data": [locked]}).delete("Accounts", ["1"])
        assert (one.status, one.code) == (WriteStatus.REFUSED, "RECORD_LOCKED")

    async def test_every_write_silences_automation_and_names_its_key(self) -> None:
        router = respx.MockRouter()
        route = router.route().respond(json={"data": [item()]})
        destination = build_zoho(
            "http://vendor.test",
            transport=httpx.MockTransport(router.async_handler),
            tokens=MemoryTokens({"access_token": "token"}),
        )
        await destination.write(TARGET, [b'{"a":1}'])
        await destination.write(WriteTarget("Tasks", "Key", WriteStyle.INSERT), [b'{"a":1}'])
        await destination.update(TARGET, [b'{"id":"1"}'])
        await destination.delete("Accounts", ["1"])
        upsert, insert, update, delete = (call.request for call in route.calls)
        assert (upsert.url.path, insert.url.path) == ("/crm/v8/Accounts/upsert", "/crm/v8/Tasks")
        assert json.loads(upsert.content) == {"data": [{"a": 1}], "duplicate_check_fields": ["Key"], "trigger": []}
        assert json.loads(insert.content) == {"data": [{"a": 1}], "trigger": []}
        assert json.loads(update.content)["trigger"] == []
        assert delete.url.params["wf_trigger"] == "false"

    @pytest.mark.parametrize("answer", [{"COUNT(id)": 12}, {"count": 12}])
    async def test_filled_fields_are_counted_by_one_query_where_offered(self, answer: dict[str, int]) -> None:
        destination = answering(json={"data": [answer], "info": {"count": 1, "more_records": False}})
        assert await destination.count("Accounts", "Phone") == 12
        assert destination._context.meter.made == 1

    async def test_ids_cannot_leave_their_path(self) -> None:
        router = respx.MockRouter()
        route = router.route().respond(status_code=204)
        destination = build_zoho(
            "http://vendor.test",
            transport=httpx.MockTransport(router.async_handler),
            tokens=MemoryTokens({"access_token": "token"}),
        )
        await destination.children("Notes", "Accounts", "../../org?x=")
        assert route.calls.last.request.url.raw_path.startswith(b"/crm/v8/Accounts/..%2F..%2Forg%3Fx%3D/Notes?")

    async def test_the_token_endpoints_refusal_comes_with_200(self) -> None:
        router = respx.MockRouter()
        router.post(path="/oauth/v2/token").respond(json={"error": "invalid_code"})
        destination = build_zoho("http://vendor.test", transport=httpx.MockTransport(router.async_handler))
        with pytest.raises(CredentialsRejected, match="authorise") as caught:
            await destination.check()
        assert caught.value.code == "invalid_code"
