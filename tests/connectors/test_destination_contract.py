"""What every destination keeps, faults included; run against each destination's sandbox.

A destination joins by a `Case`: how it is built, and which objects and fields stand for the roles of the contract.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import (
    Ambiguous,
    BatchRefused,
    CallMeter,
    ChangeKind,
    ContractBroken,
    CredentialsRejected,
    Destination,
    FileStream,
    SchemaChange,
    Transient,
    WriteStatus,
    WriteStyle,
    WriteTarget,
)
from connectors.zoho_crm.destination import ZohoDestination
from tests.connectors.connector_kit import MemoryTokens, Sandbox, no_sleep, utc_now, zoho_context

Build = Callable[..., Destination]


@dataclass(frozen=True)
class Case:
    """The roles: `keyed` has a unique key field, `bare` none; `child` hangs on a parent and has no key."""

    slug: str
    build: Build
    keyed: str
    name_field: str
    key_label: str
    number_field: str
    child: str
    bare: str
    bare_field: str

    def record(self, key_field: str, key: str, **more: Any) -> bytes:
        return json.dumps({self.name_field: f"Name of {key}", key_field: key, **more}).encode()


def zoho(url: str, **overrides: Any) -> Destination:
    retries = overrides.pop("retries", 2)
    return ZohoDestination(zoho_context(url, **overrides), sleep=no_sleep, retries=retries)


CASES = [
    Case(
        slug="zoho_crm",
        build=zoho,
        keyed="Accounts",
        name_field="Account_Name",
        key_label="Source System ID",
        number_field="Annual_Revenue",
        child="Notes",
        bare="Tasks",
        bare_field="Subject",
    ),
]


@dataclass
class Bench:
    """One destination under test with its sandbox and the API name of the key field."""

    case: Case
    sandbox: Sandbox
    destination: Destination
    meter: CallMeter
    tokens: MemoryTokens
    key_field: str = ""

    def target(self, style: WriteStyle = WriteStyle.UPSERT) -> WriteTarget:
        return WriteTarget(self.case.keyed, self.key_field, style)

    def records(self, *keys: str, **more: Any) -> list[bytes]:
        return [self.case.record(self.key_field, key, **more) for key in keys]

    async def ids(self, *keys: str) -> dict[str, list[str]]:
        found = await self.destination.find(self.case.keyed, self.key_field, keys)
        return {key: [one.id for one in rows] for key, rows in found.items()}


def key_change(case: Case) -> SchemaChange:
    return SchemaChange(
        kind=ChangeKind.FIELD, object=case.keyed, name="Source_System_ID__c", label=case.key_label,
        attributes={"type": "text", "length": 255, "unique": True, "external": True},
    )  # fmt: skip


@pytest.fixture(params=CASES, ids=lambda case: case.slug)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def sandbox(case: Case, request: pytest.FixtureRequest) -> Sandbox:
    found: Sandbox = request.getfixturevalue({"zoho_crm": "zoho"}[case.slug])
    return found


@pytest.fixture
async def bench(case: Case, sandbox: Sandbox) -> AsyncIterator[Bench]:
    meter, tokens = CallMeter(), sandbox.tokens
    destination = case.build(sandbox.url, meter=meter, tokens=tokens)
    made = Bench(case, sandbox, destination, meter, tokens)
    made.key_field = (await destination.provision(key_change(case), {})).api_name
    yield made
    await destination.close()


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def stream(name: str, *parts: bytes, size: int | None = None) -> FileStream:
    return FileStream(name, "image/png", size, content(*parts))


class TestWriting:
    async def test_results_come_in_batch_order(self, bench: Bench) -> None:
        keys = [f"order:{place}" for place in range(100)]
        calls = bench.meter.made
        results = await bench.destination.write(bench.target(), bench.records(*keys))
        assert bench.meter.made == calls + 1
        assert [one.status for one in results] == [WriteStatus.CREATED] * 100
        found = await bench.ids(*keys)
        assert [found[key] for key in keys] == [[one.id] for one in results]

    async def test_the_same_key_updates_and_never_doubles(self, bench: Bench) -> None:
        (first,) = await bench.destination.write(bench.target(), bench.records("again"))
        (second,) = await bench.destination.write(bench.target(), bench.records("again"))
        assert (first.status, second.status) == (WriteStatus.CREATED, WriteStatus.UPDATED)
        assert first.id == second.id
        assert (await bench.ids("again"))["again"] == [first.id]

    async def test_equal_names_stay_two(self, bench: Bench) -> None:
        same = {bench.case.name_field: "One Name"}
        results = await bench.destination.write(bench.target(), bench.records("twin:1", "twin:2", **same))
        assert len({one.id for one in results}) == 2

    async def test_a_refused_record_is_a_value_and_the_others_land(self, bench: Bench) -> None:
        good, bad = bench.records("mixed:1"), json.dumps({bench.key_field: "mixed:2"}).encode()
        results = await bench.destination.write(bench.target(), [*good, bad, *bench.records("mixed:3")])
        assert [one.status for one in results] == [WriteStatus.CREATED, WriteStatus.REFUSED, WriteStatus.CREATED]
        assert results[1].code
        assert results[1].field == bench.case.name_field
        assert set(await bench.ids("mixed:1", "mixed:2", "mixed:3")) == {"mixed:1", "mixed:3"}

    async def test_all_refused_is_a_list_too(self, bench: Bench) -> None:
        bad = json.dumps({bench.key_field: "bad", bench.case.number_field: "many"}).encode()
        results = await bench.destination.write(bench.target(), [bad, bad])
        assert [one.status for one in results] == [WriteStatus.REFUSED] * 2

    async def test_an_insert_of_a_taken_key_names_the_record_in_the_way(self, bench: Bench) -> None:
        (first,) = await bench.destination.write(bench.target(), bench.records("taken"))
        (second,) = await bench.destination.write(bench.target(WriteStyle.INSERT), bench.records("taken"))
        assert second.status is WriteStatus.REFUSED
        assert second.duplicate_id == first.id

    async def test_a_batch_too_large_is_refused_as_a_whole(self, bench: Bench) -> None:
        with pytest.raises(BatchRefused):
            await bench.destination.write(bench.target(), bench.records(*(f"many:{n}" for n in range(101))))
        assert not await bench.ids(*(f"many:{n}" for n in range(101)))

    async def test_a_torn_record_refuses_the_batch(self, bench: Bench) -> None:
        with pytest.raises(BatchRefused):
            await bench.destination.write(bench.target(), [*bench.records("torn"), b'{"x":'])

    async def test_an_empty_batch_makes_no_call(self, bench: Bench) -> None:
        calls = bench.meter.made
        assert await bench.destination.write(bench.target(), []) == []
        assert await bench.destination.update(bench.target(), []) == []
        assert bench.meter.made == calls

    async def test_an_unknown_object(self, bench: Bench) -> None:
        with pytest.raises(ContractBroken):
            await bench.destination.write(WriteTarget("Nowhere"), bench.records("x"))

    async def test_updates_change_only_what_they_name(self, bench: Bench) -> None:
        name, number = bench.case.name_field, bench.case.number_field
        (one,) = await bench.destination.write(bench.target(), bench.records("changed", **{number: 12.5}))
        changes = [{"id": one.id, name: "New"}, {"id": "999999999999999999", name: "New"}]
        results = await bench.destination.update(bench.target(), [json.dumps(change).encode() for change in changes])
        assert [result.status for result in results] == [WriteStatus.UPDATED, WriteStatus.REFUSED]
        rows = await bench.destination.fetch(bench.case.keyed, [str(one.id)], [name, number])
        assert (rows[str(one.id)][name], rows[str(one.id)][number]) == ("New", 12.5)


class TestLooking:
    async def test_find_by_exact_value_only(self, bench: Bench) -> None:
        odd = ["it's", 'quo"ted', "back\\slash", "ünïcødé 日本", "a,b(c)"]
        await bench.destination.write(bench.target(), bench.records(*odd))
        found = await bench.ids(*odd, "IT'S", "missing")
        assert set(found) == set(odd)
        assert all(len(ids) == 1 for ids in found.values())

    async def test_find_tells_the_times(self, bench: Bench) -> None:
        await bench.destination.write(bench.target(), bench.records("timed"))
        (found,) = (await bench.destination.find(bench.case.keyed, bench.key_field, ["timed"]))["timed"]
        assert found.created_at is not None
        assert found.created_at.utcoffset() == timedelta(0)
        assert abs(found.created_at - utc_now()) < timedelta(minutes=5)

    async def test_find_more_values_than_one_query_takes(self, bench: Bench) -> None:
        keys = [f"wide:{n}" for n in range(75)]
        await bench.destination.write(bench.target(), bench.records(*keys))
        assert len(await bench.ids(*keys, *keys)) == 75

    async def test_find_all_that_share_a_value(self, bench: Bench) -> None:
        same = {bench.case.name_field: "Shared by many"}
        for start in (0, 100, 200):
            keys = [f"shared:{n}" for n in range(start, start + 100)]
            await bench.destination.write(bench.target(), bench.records(*keys, **same))
        found = await bench.destination.find(bench.case.keyed, bench.case.name_field, ["Shared by many"])
        assert len({one.id for one in found["Shared by many"]}) == 300

    async def test_fetch_in_chunks_and_without_the_gone(self, bench: Bench) -> None:
        keys = [f"fetched:{n}" for n in range(130)]
        results = [
            *await bench.destination.write(bench.target(), bench.records(*keys[:100])),
            *await bench.destination.write(bench.target(), bench.records(*keys[100:])),
        ]
        ids = [str(one.id) for one in results]
        fields = [bench.case.name_field, bench.key_field, *(f"Unknown_{n}" for n in range(60))]
        rows = await bench.destination.fetch(bench.case.keyed, [*ids, "999999999999999999"], fields)
        assert set(rows) == set(ids)
        assert [rows[one][bench.key_field] for one in ids] == keys

    async def test_counts(self, bench: Bench) -> None:
        before = await bench.destination.count(bench.case.keyed)
        filled = await bench.destination.count(bench.case.keyed, bench.case.number_field)
        await bench.destination.write(bench.target(), bench.records("counted:1", "counted:2"))
        await bench.destination.write(bench.target(), bench.records("counted:3", **{bench.case.number_field: 1}))
        assert await bench.destination.count(bench.case.keyed) == before + 3
        assert await bench.destination.count(bench.case.keyed, bench.case.number_field) == filled + 1

    @pytest.mark.parametrize("name", ["Accounts where id", "x y", "a'b", ""])
    async def test_names_cannot_carry_a_query(self, bench: Bench, name: str) -> None:
        with pytest.raises(ContractBroken):
            await bench.destination.find(bench.case.keyed, name, ["x"])


class TestChildren:
    async def parent(self, bench: Bench, key: str) -> str:
        (one,) = await bench.destination.write(bench.target(), bench.records(key))
        return str(one.id)

    async def test_notes_are_listed_and_deleted(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with notes")
        link = {"Parent_Id": {"module": {"api_name": bench.case.keyed}, "id": parent}}
        notes = [json.dumps({"Note_Title": f"T{n}", "Note_Content": f"marker {n}", **link}).encode() for n in range(3)]
        results = await bench.destination.write(WriteTarget(bench.case.child, style=WriteStyle.INSERT), notes)
        rows = await bench.destination.children(bench.case.child, bench.case.keyed, parent)
        assert [(row["id"], row["Note_Content"]) for row in rows] == [
            (one.id, f"marker {n}") for n, one in enumerate(results)
        ]
        ids = [str(one.id) for one in results]
        for _ in range(2):
            gone = await bench.destination.delete(bench.case.child, ids)
            assert [one.status for one in gone] == [WriteStatus.UPDATED] * 3
        assert await bench.destination.children(bench.case.child, bench.case.keyed, parent) == []

    async def test_files_arrive_byte_by_byte(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with files")
        parts = [bytes([n]) * 70_000 for n in range(10)]
        names = ["photo.png", "photo.png", "Ünïcode – 日本.pdf", "empty.txt"]
        for name in names[:3]:
            result = await bench.destination.attach(bench.case.keyed, parent, stream(name, *parts, size=700_000))
            assert result.status is WriteStatus.CREATED
        unknown = await bench.destination.attach(bench.case.keyed, parent, stream(names[3], b"x"))
        assert unknown.status is WriteStatus.CREATED
        rows = await bench.destination.children("Attachments", bench.case.keyed, parent)
        assert sorted(row["File_Name"] for row in rows) == sorted(names)
        dump = [json.loads(line) for line in (await bench.sandbox.dump("?module=Attachments")).splitlines()]
        digests = {row["file_name"]: row["sha256"] for row in dump if row["parent"]["id"] == parent}
        assert digests["photo.png"] == hashlib.sha256(b"".join(parts)).hexdigest()

    async def test_a_link_in_place_of_a_file(self, bench: Bench) -> None:
        parent = await self.parent(bench, "with link")
        url = "https://files.example.net/a?b=c&d=%20e"
        result = await bench.destination.attach_link(bench.case.keyed, parent, "Big report", url)
        assert result.status is WriteStatus.CREATED
        dump = [json.loads(line) for line in (await bench.sandbox.dump("?module=Attachments")).splitlines()]
        assert [row["url"] for row in dump if row["parent"]["id"] == parent] == [url]

    async def test_attachments_are_deleted_through_their_parent_twice(self, bench: Bench) -> None:
        parent = await self.parent(bench, "losing files")
        made = await bench.destination.attach(bench.case.keyed, parent, stream("a.txt", b"abc", size=3))
        for _ in range(2):
            (gone,) = await bench.destination.delete(
                "Attachments", [str(made.id)], parent_object=bench.case.keyed, parent_id=parent
            )
            assert gone.status is WriteStatus.UPDATED
        assert await bench.destination.children("Attachments", bench.case.keyed, parent) == []

    async def test_a_file_over_the_limit_is_a_refusal(self, bench: Bench) -> None:
        parent = await self.parent(bench, "too much")
        announced = await bench.destination.attach(bench.case.keyed, parent, stream("a.bin", size=10**9))
        assert announced.status is WriteStatus.REFUSED
        block = b"x" * 1024 * 1024
        found_out = await bench.destination.attach(bench.case.keyed, parent, stream("b.bin", *([block] * 22)))
        assert found_out.status is WriteStatus.REFUSED
        assert await bench.destination.children("Attachments", bench.case.keyed, parent) == []

    async def test_a_source_that_breaks_off_leaves_no_file(self, bench: Bench) -> None:
        parent = await self.parent(bench, "cut off")

        async def breaking() -> AsyncIterator[bytes]:
            yield b"x" * 100_000
            raise Transient("the source hung up")

        with pytest.raises(Transient, match="hung up"):
            await bench.destination.attach(bench.case.keyed, parent, FileStream("a", "text/plain", 200_000, breaking()))
        with pytest.raises(ContractBroken):
            await bench.destination.attach(bench.case.keyed, parent, stream("b", b"abc", size=5))
        assert await bench.destination.children("Attachments", bench.case.keyed, parent) == []

    async def test_a_file_for_a_parent_that_is_gone(self, bench: Bench) -> None:
        result = await bench.destination.attach(bench.case.keyed, "999999999999999999", stream("a", b"x", size=1))
        assert result.status is WriteStatus.REFUSED
        assert await bench.destination.children("Attachments", bench.case.keyed, "999999999999999999") == []


class TestDeletingAndOwners:
    async def test_gone_twice_is_gone(self, bench: Bench) -> None:
        keys = [f"doomed:{n}" for n in range(120)]
        ids: list[str] = []
        for start in (0, 100):
            results = await bench.destination.write(bench.target(), bench.records(*keys[start : start + 100]))
            ids += [str(one.id) for one in results]
        for _ in range(2):
            gone = await bench.destination.delete(bench.case.keyed, ids)
            assert [(one.id, one.status) for one in gone] == [(one, WriteStatus.UPDATED) for one in ids]
        assert await bench.ids(*keys) == {}

    async def test_a_partly_gone_batch(self, bench: Bench) -> None:
        results = await bench.destination.write(bench.target(), bench.records("half:1", "half:2"))
        ids = [str(one.id) for one in results]
        await bench.destination.delete(bench.case.keyed, ids[:1])
        gone = await bench.destination.delete(bench.case.keyed, ids)
        assert [one.status for one in gone] == [WriteStatus.UPDATED] * 2

    async def test_objects_without_upsert_are_inserted(self, bench: Bench) -> None:
        target = WriteTarget(bench.case.bare, style=WriteStyle.INSERT)
        body = json.dumps({bench.case.bare_field: "Call back"}).encode()
        results = await bench.destination.write(target, [body, body])
        assert [one.status for one in results] == [WriteStatus.CREATED] * 2
        assert len({one.id for one in results}) == 2
        gone = await bench.destination.delete(bench.case.bare, [str(one.id) for one in results])
        assert [one.status for one in gone] == [WriteStatus.UPDATED] * 2

    async def test_owners_change(self, bench: Bench) -> None:
        users = (await bench.destination.describe()).users
        user = next(one for one in users[::-1] if one.active)
        results = await bench.destination.write(bench.target(), bench.records("owned:1", "owned:2"))
        ids = [str(one.id) for one in results]
        changed = await bench.destination.reassign(bench.case.keyed, ids, user.id)
        assert [one.status for one in changed] == [WriteStatus.UPDATED] * 2
        rows = await bench.destination.fetch(bench.case.keyed, ids, ["Owner"])
        assert {row["Owner"]["id"] for row in rows.values()} == {user.id}


class TestFaults:
    @pytest.mark.parametrize("fault", ["drop", "fail5xx_after"])
    async def test_a_lost_answer_is_ambiguous_and_find_clears_it_up(self, bench: Bench, fault: str) -> None:
        key = f"lost:{fault}"
        await bench.sandbox.faults(**{fault: 10_000})
        with pytest.raises(Ambiguous):
            await bench.destination.write(bench.target(), bench.records(key))
        await bench.sandbox.clear()
        (one,) = (await bench.ids(key))[key]
        assert one

    async def test_a_5xx_before_the_work_is_ambiguous_and_find_shows_nothing(self, bench: Bench) -> None:
        await bench.sandbox.faults(fail5xx=10_000)
        with pytest.raises(Ambiguous):
            await bench.destination.write(bench.target(), bench.records("never stored"))
        await bench.sandbox.clear()
        assert await bench.ids("never stored") == {}

    async def test_a_lost_answer_to_a_note_is_found_at_the_parent(self, bench: Bench) -> None:
        (parent,) = await bench.destination.write(bench.target(), bench.records("lost note"))
        link = {"Parent_Id": {"module": {"api_name": bench.case.keyed}, "id": parent.id}}
        note = json.dumps({"Note_Title": "T", "Note_Content": "marker", **link}).encode()
        await bench.sandbox.faults(drop=10_000)
        with pytest.raises(Ambiguous):
            await bench.destination.write(WriteTarget(bench.case.child, style=WriteStyle.INSERT), [note])
        await bench.sandbox.clear()
        rows = await bench.destination.children(bench.case.child, bench.case.keyed, str(parent.id))
        assert [row["Note_Content"] for row in rows] == ["marker"]

    async def test_a_429_was_not_executed(self, bench: Bench) -> None:
        await bench.sandbox.faults(fail429=10_000)
        with pytest.raises(Transient):
            await bench.destination.write(bench.target(), bench.records("too many"))
        assert bench.meter.rejected_429 == 1
        await bench.sandbox.clear()
        assert await bench.ids("too many") == {}

    async def test_reads_ride_out_faults(self, bench: Bench) -> None:
        patient = bench.case.build(bench.sandbox.url, retries=15, tokens=bench.tokens)
        await bench.destination.write(bench.target(), bench.records("steady"))
        await bench.sandbox.faults(fail5xx=2_000, drop=2_000, fail429=1_000, seed=5)
        for _ in range(10):
            found = await patient.find(bench.case.keyed, bench.key_field, ["steady"])
            assert len(found["steady"]) == 1
        await patient.close()

    async def test_a_token_that_expires_midway_costs_one_renewal(self, bench: Bench) -> None:
        await bench.destination.write(bench.target(), bench.records("before"))
        assert bench.tokens.token is not None
        saved = bench.tokens.saved
        bench.tokens.token["access_token"] = "stale"
        other = bench.case.build(bench.sandbox.url, tokens=bench.tokens)
        results = await asyncio.gather(
            *(other.write(bench.target(), bench.records(f"midway:{n}")) for n in range(4)),
        )
        assert [one[0].status for one in results] == [WriteStatus.CREATED] * 4
        assert bench.tokens.saved == saved + 1
        await other.close()

    async def test_a_file_whose_token_expired_is_asked_for_again(self, bench: Bench) -> None:
        (parent,) = await bench.destination.write(bench.target(), bench.records("expired file"))
        tokens = MemoryTokens({"access_token": "stale", "expires_at": (utc_now() + timedelta(hours=1)).isoformat()})
        other = bench.case.build(bench.sandbox.url, tokens=tokens)
        with pytest.raises(Transient):
            await other.attach(bench.case.keyed, str(parent.id), stream("a", b"abc", size=3))
        result = await other.attach(bench.case.keyed, str(parent.id), stream("a", b"abc", size=3))
        assert result.status is WriteStatus.CREATED
        assert len(await bench.destination.children("Attachments", bench.case.keyed, str(parent.id))) == 1
        await other.close()

    @pytest.mark.parametrize("field", ["client_id", "client_secret", "refresh_token"])
    async def test_wrong_credentials(self, bench: Bench, field: str) -> None:
        other = bench.case.build(bench.sandbox.url, credentials={field: "quite-wrong"}, tokens=MemoryTokens())
        with pytest.raises(CredentialsRejected) as caught:
            await other.check()
        assert "quite-wrong" not in f"{caught.value.detail} {caught.value!r}"
        await other.close()

    async def test_an_unreachable_host(self, bench: Bench) -> None:
        other = bench.case.build("http://127.0.0.1:9", tokens=bench.tokens)
        with pytest.raises(Transient):
            await other.write(bench.target(), bench.records("nowhere"))
        with pytest.raises(Transient):
            await other.check()
        await other.close()


class TestDescribing:
    async def test_check_and_describe(self, bench: Bench) -> None:
        facts = await bench.destination.check()
        inventory = await bench.destination.describe()
        assert inventory.platform == bench.case.slug
        assert inventory.edition == facts["edition"]
        found = inventory.object(bench.case.keyed)
        assert found is not None
        key, name = found.field(bench.key_field), found.field(bench.case.name_field)
        assert key is not None
        assert name is not None
        assert key.unique or key.external_id
        assert key.custom
        assert name.required
        assert inventory.users
        assert inventory.stages

    async def test_provisioning_twice_changes_nothing(self, bench: Bench) -> None:
        changes = [
            SchemaChange(
                kind=ChangeKind.OBJECT, object="Contracts_C", label="Contracts", attributes={"singular": "Contract"}
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Monthly_Value__c", label="Monthly Value",
                attributes={"type": "currency", "length": 16, "scale": 2},
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Account__c", label="Client",
                attributes={"type": "lookup", "references": bench.case.keyed},
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Kind__c", label="Kind",
                attributes={"type": "picklist", "picklist": ["Preventive", "Full Maintenance"]},
            ),
            SchemaChange(
                kind=ChangeKind.PICKLIST_VALUES, object="Contracts_C", name="Kind__c", label="Kind",
                attributes={"picklist": ["Preventive", "On Demand"]},
            ),
        ]  # fmt: skip
        names: dict[str, str] = {}
        for repeated in (False, True):
            for change in changes:
                result = await bench.destination.provision(change, names)
                assert result.manual == ""
                assert result.api_name
                assert result.id
                assert result.existed is repeated or change.kind is ChangeKind.OBJECT
                names[f"{change.object}.{change.name}" if change.name else change.object] = result.api_name
        inventory = await bench.destination.describe()
        made = inventory.object(names["Contracts_C"])
        assert made is not None
        kinds = {field.name: field for field in made.fields}
        assert [v.value for v in kinds[names["Contracts_C.Kind__c"]].picklist] == [
            "Preventive", "Full Maintenance", "On Demand",
        ]  # fmt: skip
        assert kinds[names["Contracts_C.Account__c"]].references == (bench.case.keyed,)

    async def test_a_lost_answer_while_provisioning_is_cleared_up_by_repeating(self, bench: Bench) -> None:
        kind, date = ChangeKind.FIELD, {"type": "date"}
        change = SchemaChange(kind=kind, object=bench.case.keyed, name="L__c", label="Lost Field", attributes=date)
        await bench.destination.describe()
        await bench.sandbox.faults(drop=10_000)
        with pytest.raises(Ambiguous):
            await bench.destination.provision(change, {})
        await bench.sandbox.clear()
        result = await bench.destination.provision(change, {})
        assert (result.existed, result.manual) == (True, "")
