"""The source contract against the running ServiceTracker sandbox, and against answers it would not give."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from app.domain.schema import FieldType, Record
from connectors.base import FileRef
from connectors.errors import (
    BatchRefused,
    ConnectorError,
    ContractBroken,
    CredentialsRejected,
    QuotaExhausted,
    Transient,
)
from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app
from connectors.servicetracker.source import ServiceTrackerSource
from tests.connectors.connector_kit import (
    MemoryTokens,
    QuietThrottle,
    Sandbox,
    no_sleep,
    read_all,
    serve,
    servicetracker_context,
    utc_now,
)


def build_source(url: str, **overrides: Any) -> ServiceTrackerSource:
    return ServiceTrackerSource(servicetracker_context(url, **overrides), sleep=no_sleep)


@pytest.fixture
async def source(tracker: Sandbox) -> AsyncIterator[ServiceTrackerSource]:
    made = build_source(tracker.url, config={"bulk": "off"})
    yield made
    await made.close()


async def names_of(source: ServiceTrackerSource, name: str) -> list[str]:
    found = (await source.describe()).object(name)
    assert found is not None
    return [field.name for field in found.fields]


async def stored(tracker: Sandbox, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await tracker.dump(f"?object={name}")).splitlines()]


class TestDescribe:
    async def test_check_tells_the_account_and_its_limits(self, source: ServiceTrackerSource) -> None:
        facts = await source.check()
        assert str(facts["account"]).startswith("00D")
        assert facts["api_requests_max"] == 111_000

    async def test_objects_fields_and_users(self, source: ServiceTrackerSource) -> None:
        inventory = await source.describe()
        names = {one.name for one in inventory.objects}
        assert {"Account", "WorkOrder", "Site__c", "Invoice__c", "File", "User"} <= names
        assert not names & {"Attachment", "ContentDocumentLink", "DigitalSignature"}
        account = inventory.object("Account")
        assert account is not None
        kinds = {field.name: field.type for field in account.fields}
        assert kinds["Id"] is FieldType.ID
        assert kinds["Credit_Limit__c"] is FieldType.CURRENCY
        assert kinds["Sectors__c"] is FieldType.MULTIPICKLIST
        assert kinds["OwnerId"] is FieldType.USER
        assert kinds["ParentId"] is FieldType.LOOKUP
        assert "BillingAddress" not in kinds
        name, tier = account.field("Name"), account.field("Service_Tier__c")
        assert name is not None
        assert tier is not None
        assert (name.required, name.length) == (True, 255)
        assert (tier.custom, [value.value for value in tier.picklist]) == (True, ["Bronze", "Silver", "Gold"])
        assert inventory.users
        assert all(user.email == user.email.strip().lower() for user in inventory.users)
        assert any(not user.active for user in inventory.users)

    async def test_an_unknown_object_or_field(self, source: ServiceTrackerSource) -> None:
        with pytest.raises(ContractBroken, match="no object Nothing__c"):
            await source.count("Nothing__c")
        with pytest.raises(ContractBroken, match="no field Nope__c"):
            await read_all(source, "Account", ["Name", "Nope__c"])


class TestRead:
    @pytest.mark.parametrize("bulk", ["off", "on"])
    async def test_everything_once_ordered_and_canonical(self, tracker: Sandbox, bulk: str) -> None:
        source = build_source(tracker.url, config={"bulk": bulk, "page_size": 25})
        for name in ("WorkOrder", "Task", "Account"):
            fields = await names_of(source, name)
            records, deletions = await read_all(source, name, fields)
            rows = await stored(tracker, name)
            ids = [record["Id"] for record in records]
            assert ids == sorted(row["Id"] for row in rows if not row["IsDeleted"])
            assert len(ids) == await source.count(name)
            assert {one.id for one in deletions} == {row["Id"] for row in rows if row["IsDeleted"]}
            for record in records:
                assert all(value not in (None, "", []) for value in record.values())
        await source.close()

    async def test_bulk_and_rest_give_equal_records(self, tracker: Sandbox) -> None:
        sources = [build_source(tracker.url, config={"bulk": bulk}) for bulk in ("off", "on")]
        for name in ("Account", "WorkOrder", "Product2", "Event", "Site__c"):
            fields = await names_of(sources[0], name)
            rest, bulk = [await read_all(source, name, fields) for source in sources]
            assert rest == bulk
        for source in sources:
            await source.close()

    async def test_values_are_what_the_source_holds(self, tracker: Sandbox, source: ServiceTrackerSource) -> None:
        rows = {row["Id"]: row for row in await stored(tracker, "WorkOrder")}
        records, _ = await read_all(source, "WorkOrder", await names_of(source, "WorkOrder"))
        for record in records:
            row = rows[record["Id"]]
            assert record.get("Subject", "") == (row["Subject"] or "")
            assert record["Safety_Checked__c"] is bool(row["Safety_Checked__c"])
            assert record["CreatedDate"].endswith("+00:00")
            assert "e" not in record.get("GrandTotal", "0").lower()

    async def test_archived_activities_are_included(self, tracker: Sandbox, source: ServiceTrackerSource) -> None:
        archived = {row["Id"] for row in await stored(tracker, "Task") if row["IsArchived"] and not row["IsDeleted"]}
        records, _ = await read_all(source, "Task", ["IsArchived"])
        assert archived
        assert {record["Id"] for record in records if record["IsArchived"]} == archived

    async def test_merges_name_the_survivor(self, tracker: Sandbox, source: ServiceTrackerSource) -> None:
        rows = [row for row in await stored(tracker, "Account") if row["MasterRecordId"]]
        _, deletions = await read_all(source, "Account", ["Name"])
        assert rows
        assert {one.id: one.merged_into for one in deletions if one.merged_into} == {
            row["Id"]: row["MasterRecordId"] for row in rows
        }

    @pytest.mark.parametrize("bulk", ["off", "on"])
    async def test_resume_from_any_cursor(self, tracker: Sandbox, bulk: str) -> None:
        source = build_source(tracker.url, config={"bulk": bulk, "page_size": 7})
        pages = [page async for page in source.read("WorkOrder", ["Subject"])]
        assert len(pages) > 3
        whole = [record for page in pages for record in page.records]
        for place, page in enumerate(pages[:-1]):
            other = build_source(tracker.url, config={"bulk": bulk, "page_size": 7})
            rest, _ = await read_all(other, "WorkOrder", ["Subject"], cursor=page.cursor)
            assert [r for p in pages[: place + 1] for r in p.records] + rest == whole
            await other.close()
        assert pages[-1].cursor is None
        await source.close()

    async def test_resume_after_the_bulk_result_is_gone(self, tracker: Sandbox) -> None:
        source = build_source(tracker.url, config={"bulk": "on", "page_size": 10})
        pages = [page async for page in source.read("Contact", ["LastName"])]  # the job is discarded at the end
        rest, _ = await read_all(source, "Contact", ["LastName"], cursor=pages[0].cursor)
        assert rest == [record for page in pages[1:] for record in page.records]
        await source.close()

    async def test_a_foreign_cursor(self, source: ServiceTrackerSource) -> None:
        with pytest.raises(ContractBroken, match="cursor"):
            await read_all(source, "Account", ["Name"], cursor="page-2")

    async def test_a_field_list_too_long_for_a_url(
        self, tracker: Sandbox, source: ServiceTrackerSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fields = await names_of(source, "WorkOrder")
        expected = await read_all(source, "WorkOrder", fields)
        monkeypatch.setattr("connectors.servicetracker.soql.LONGEST_FIELD_LIST", 60)
        assert await read_all(source, "WorkOrder", fields) == expected


class TestBulk:
    async def test_an_account_without_bulk_is_read_by_rest(self) -> None:
        config = SandboxConfig(seed=3, scale=100, options={"bulk": "off"})
        async with serve(create_app(config)) as url:
            source = build_source(url, config={"bulk": "on"})
            records, _ = await read_all(source, "Account", ["Name"])
            assert len(records) == await source.count("Account")
            assert (await Sandbox(url).stats())["records"]["Account"] >= len(records)
            await source.close()

    async def test_a_failed_job_falls_back(self, tracker: Sandbox) -> None:
        await tracker.faults(bulk_failed=10_000)
        source = build_source(tracker.url, config={"bulk": "on"})
        records, _ = await read_all(source, "Account", ["Name"])
        assert len(records) == await source.count("Account")
        await source.close()

    async def test_auto_uses_bulk_for_large_objects_only(self, tracker: Sandbox) -> None:
        source = build_source(tracker.url, config={"bulk": "auto", "bulk_from": 20})
        context = source._context
        await read_all(source, "Lead", ["LastName"])
        assert "bulk job" not in context.meter.by_purpose
        await read_all(source, "WorkOrder", ["Subject"])
        assert context.meter.by_purpose["bulk job"] == 1
        await source.close()


class TestDelta:
    async def test_changes_deletions_and_merges_since(self, tracker: Sandbox, source: ServiceTrackerSource) -> None:
        mark = utc_now()
        before, _ = await read_all(source, "Account", ["Phone"], since=mark)
        changes = await tracker.post("mutate", {"seed": 4, "updates": 8, "creates": 4, "deletes": 4, "merges": 2})
        for name in ("Account", "Contact", "WorkOrder", "Task"):
            records, deletions = await read_all(source, name, ["CreatedDate"], since=mark)
            ids = {record["Id"] for record in records}
            wanted = {one["id"] for kind in ("updated", "created") for one in changes[kind] if one["object"] == name}
            assert wanted <= ids
            gone = {one["id"] for one in changes["deleted"] if one["object"] == name}
            merged = {one["loser"]: one["winner"] for one in changes["merged"] if one["object"] == name}
            assert gone | set(merged) <= {one.id for one in deletions}
            assert not ids & {one.id for one in deletions}
            assert {one.id: one.merged_into for one in deletions if one.id in merged} == merged
            assert len(deletions) == len({one.id for one in deletions})
        assert len(before) < 10

    async def test_a_delta_resumes_among_equal_times(self, tracker: Sandbox) -> None:
        await tracker.post("mutate", {"seed": 5, "updates": 40})
        mark = utc_now() - timedelta(minutes=1)
        source = build_source(tracker.url, config={"page_size": 3})
        pages = [page async for page in source.read("WorkOrder", ["Subject"], since=mark)]
        whole = [record["Id"] for page in pages for record in page.records]
        assert len(pages) > 2
        assert len(whole) == len(set(whole)) >= 10
        rest, _ = await read_all(source, "WorkOrder", ["Subject"], since=mark, cursor=pages[0].cursor)
        assert [record["Id"] for record in pages[0].records] + [record["Id"] for record in rest] == whole
        await source.close()


class TestFiles:
    async def test_every_file_once_with_equal_bytes(self, tracker: Sandbox, source: ServiceTrackerSource) -> None:
        records, _ = await read_all(source, "File", ["Name"])
        assert {record["Kind"] for record in records} == {"attachment", "content", "signature"}
        assert len(records) == len({record["Id"] for record in records}) == await source.count("File")
        links = [row for row in await stored(tracker, "ContentDocumentLink") if not row["IsDeleted"]]
        assert {r["Id"] for r in records if r["Kind"] == "content"} == {
            row["Id"] for row in links if not row["LinkedEntityId"].startswith("005")
        }
        checksums = {row["Id"]: row["Checksum"] for row in await stored(tracker, "ContentVersion")}
        for record in records:
            ref = FileRef(record["BlobObject"], record["BlobId"], record["BlobField"])
            async with source.open_file(ref) as stream:
                digest, size = hashlib.md5(usedforsecurity=False), 0
                async for chunk in stream.chunks:
                    digest.update(chunk)
                    size += len(chunk)
            assert size == stream.size
            assert str(size) == record.get("Size", str(size))
            if record["Kind"] == "content":
                assert digest.hexdigest() == checksums[record["BlobId"]]

    async def test_signatures_say_who_signed(self, source: ServiceTrackerSource) -> None:
        records, _ = await read_all(source, "File", [])
        signature = next(record for record in records if record["Kind"] == "signature")
        assert signature["Name"].startswith("signature-")
        assert signature["Name"].endswith(".png")
        assert {"SignedBy", "SignedDate", "ParentId"} <= set(signature)

    async def test_resume_from_any_cursor(self, tracker: Sandbox) -> None:
        source = build_source(tracker.url, config={"page_size": 2})
        pages = [page async for page in source.read("File", [])]
        whole = [record["Id"] for page in pages for record in page.records]
        for place, page in enumerate(pages[:-1]):
            rest, _ = await read_all(source, "File", [], cursor=page.cursor)
            assert [r["Id"] for p in pages[: place + 1] for r in p.records] + [r["Id"] for r in rest] == whole
        await source.close()

    async def test_a_file_that_is_gone_is_refused_alone(self, source: ServiceTrackerSource) -> None:
        ref = FileRef("Attachment", "00P5g00000ZZZZZGAA", "Body")
        with pytest.raises(BatchRefused, match="gone"):
            async with source.open_file(ref):
                pass


class TestTrouble:
    async def test_a_session_that_ends_midway(self, tracker: Sandbox) -> None:
        tokens = MemoryTokens()
        source = build_source(tracker.url, tokens=tokens, config={"page_size": 10, "bulk": "off"})
        pages = source.read("WorkOrder", ["Subject"])
        first = await anext(pages)
        await tracker.faults(fail401=10_000)
        with pytest.raises(CredentialsRejected):  # every fresh token dies at once: one renewal, then a person
            await anext(pages)
        await tracker.faults(fail401=3_000, seed=9)
        rest: list[Record] = []
        cursor = first.cursor
        while cursor:
            try:
                async for page in source.read("WorkOrder", ["Subject"], cursor=cursor):
                    rest += page.records
                    cursor = page.cursor
            except CredentialsRejected:
                continue
        await tracker.clear()
        assert len(first.records) + len(rest) == await source.count("WorkOrder")
        assert tokens.saved > 1
        await source.close()

    async def test_reads_ride_out_faults(self, tracker: Sandbox) -> None:
        source = ServiceTrackerSource(
            servicetracker_context(tracker.url, config={"page_size": 10}), sleep=no_sleep, retries=12
        )
        await tracker.faults(fail5xx=2000, drop=1000, fail429=1000, query_timeout=1000, seed=3)
        records, _ = await read_all(source, "WorkOrder", ["Subject"])
        await tracker.clear()
        assert len(records) == await source.count("WorkOrder")
        await source.close()

    @pytest.mark.parametrize(
        "credentials", [{"client_secret": "wrong"}, {"client_id": "wrong"}, {"refresh_token": "wrong"}]
    )
    async def test_wrong_credentials(self, tracker: Sandbox, credentials: dict[str, str]) -> None:
        source = build_source(tracker.url, credentials=credentials)
        with pytest.raises(CredentialsRejected) as caught:
            await source.check()
        assert "wrong" not in caught.value.detail.replace("is wrong", "")
        await source.close()

    async def test_an_unreachable_host(self) -> None:
        source = build_source("http://127.0.0.1:9")
        with pytest.raises(Transient):
            await source.check()
        await source.close()

    async def test_the_days_requests_used_up(self) -> None:
        config = SandboxConfig(seed=3, scale=0, options={"daily_requests": "3"})
        async with serve(create_app(config)) as url:
            source = build_source(url, throttle=QuietThrottle())
            with pytest.raises(QuotaExhausted):
                await source.describe()
            await source.close()

    @pytest.mark.parametrize("config", [{"base_url": "not a url"}, {"bulk": "perhaps"}, {"api_version": "../.."}])
    def test_unusable_options(self, config: dict[str, str]) -> None:
        with pytest.raises(CredentialsRejected):
            build_source("http://x.test", config=config)


class TestHostileAnswers:
    """What a broken or malicious server may send; a fixed token keeps the token endpoint out of it."""

    def source(self, router: respx.MockRouter) -> ServiceTrackerSource:
        context = servicetracker_context(
            "http://vendor.test", tokens=MemoryTokens({"access_token": "token"}), config={"bulk": "off"}
        )
        transport = httpx.MockTransport(router.async_handler)
        return ServiceTrackerSource(context, transport=transport, sleep=no_sleep, retries=1)

    async def failure(self, rows: Any) -> ConnectorError:
        router = respx.MockRouter(assert_all_called=False)
        fields = [
            {"name": "Id", "type": "id"},
            {"name": "Name", "type": "string"},
            {"name": "Price__c", "type": "currency"},
            {"name": "When__c", "type": "datetime"},
        ]
        router.get(path__regex="describe$").respond(json={"name": "Thing__c", "fields": fields})
        router.get(path__regex="queryAll").mock(return_value=rows)
        with pytest.raises(ConnectorError) as caught:
            await read_all(self.source(router), "Thing__c", ["Name", "Price__c", "When__c"])
        return caught.value

    @pytest.mark.parametrize(
        "row",
        [
            {"Id": "1", "Name": {"nested": 1}},
            {"Id": "1", "Name": 5},
            {"Id": "1", "Price__c": "1e999999999"},
            {"Id": "1", "Price__c": "12; drop"},
            {"Id": "1", "Price__c": True},
            {"Id": "1", "When__c": "yesterday"},
            {"Id": "1", "When__c": "2024-01-31T09:15:00"},
            {"Id": None},
            {"Name": "without id"},
        ],
    )
    async def test_values_of_another_type(self, row: dict[str, Any]) -> None:
        error = await self.failure(httpx.Response(200, json={"records": [row], "totalSize": 1, "done": False}))
        assert type(error) is ContractBroken
        assert "drop" not in error.detail

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, html="<h1>Sign in</h1>"),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={"records": "none"}),
            httpx.Response(200, json={"records": [1]}),
            httpx.Response(302, headers={"location": "http://evil.test"}),
            httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "x"}]),
            httpx.Response(400, json={"errorCode": ["x"]}),
        ],
    )
    async def test_answers_of_another_shape(self, answer: httpx.Response) -> None:
        assert type(await self.failure(answer)) is ContractBroken

    async def test_a_next_page_on_another_host_is_not_asked(self) -> None:
        router = respx.MockRouter()
        router.get(path__regex="query/").respond(
            json={"records": [], "done": False, "nextRecordsUrl": "http://evil.test/services/data/v59.0/query/1"}
        )
        with pytest.raises(ContractBroken, match="outside"):
            await self.source(router)._query.all_rows("SELECT Id FROM User", purpose="test", everything=False)
        assert router.calls.call_count == 1

    async def test_exact_numbers_survive_json(self) -> None:
        router = respx.MockRouter()
        fields = [{"name": "Id", "type": "id"}, {"name": "Price__c", "type": "currency"}]
        router.get(path__regex="describe$").respond(json={"name": "Thing__c", "fields": fields})
        numbers = ("1234567890123456.78", "1.50E3", "0.10")
        rows = ",".join(f'{{"Id":"{place}","Price__c":{number}}}' for place, number in enumerate(numbers))
        body = f'{{"records":[{rows}]}}'.encode()
        router.get(path__regex="queryAll").respond(content=body)
        records, _ = await read_all(self.source(router), "Thing__c", ["Price__c"])
        assert [record["Price__c"] for record in records] == ["1234567890123456.78", "1500", "0.1"]
