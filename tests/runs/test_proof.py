"""What the database can prove after a run: sums, the audit chain, sealed values, closed doors between tenants."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest

from app import audit_chain
from app.db import plain_url
from app.models.columns import new_id
from app.runs.claims import claim
from app.runs.stages.table import STAGES
from app.runs.work import StageRow, Work
from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, sandbox

CANARY = "Zyxomma Petiolatum"
CANARY_MAIL = "zyxomma@petiolatum.example.com"
OUTCOMES = ("created", "updated", "unchanged", "skipped", "quarantined", "held")


@pytest.fixture(scope="module")
async def proven(open_way: OpenWay) -> AsyncIterator[Road]:
    """A road of a company in which one person has a name that occurs nowhere else."""
    with sandbox("servicetracker", SandboxConfig(scale=150, seed=12)) as url:
        async with Tracker(url) as tracker:
            account = await tracker.create("Account", Name=CANARY, Email__c=CANARY_MAIL)
            await tracker.create(
                "Contact", LastName=CANARY, AccountId=account, Email=CANARY_MAIL, Birthdate="1961-04-12"
            )
            await tracker.create("Note", ParentId=account, Title=CANARY, Body=f"About {CANARY}")
        async with open_way(source=url) as way:
            await way.up_to("full")
            await way.delta()
            yield way


async def test_records_read_equal_their_six_ends(proven: Road) -> None:
    """Per load and per object, from raw rows: every staged record has exactly one end for each planned write."""
    stages = await proven.stages(proven.runs["full"])
    for key, stage in stages.items():
        if key.startswith("load:"):
            assert stage.counts["read"] == sum(stage.counts[name] for name in OUTCOMES), key
    odd = await proven.fetch(f"SELECT outcome FROM ledger WHERE outcome NOT IN {OUTCOMES}")
    assert odd == []
    without_reason = await proven.fetch(
        "SELECT 1 FROM ledger WHERE outcome IN ('skipped', 'quarantined', 'held') AND reason = ''"
    )
    assert without_reason == []
    unended = await proven.fetch(
        "SELECT s.object FROM staged s WHERE s.deleted_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM ledger l WHERE l.source_object = s.object AND l.source_id = s.source_id)"
    )
    assert unended == []
    planned = await proven.fetch("SELECT count(*) AS n FROM staged WHERE object = 'Event' AND deleted_at IS NULL")
    ended = await proven.fetch("SELECT count(*) AS n FROM ledger WHERE source_object = 'Event'")
    assert planned[0]["n"] == ended[0]["n"] > 0  # each visit is either a task or a meeting


async def test_a_run_whose_sums_disagree_cannot_finish(open_way: OpenWay, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that loses the end of one record fails the run, and says where."""
    load = STAGES["load"]

    async def forgetful(work: Work, stage: StageRow) -> None:
        stage.counts["taken"] = stage.counts.get("taken", 0) + (stage.load == "products")
        await load(work, stage)

    async with open_way() as way:
        await way.up_to("provision")
        monkeypatch.setitem(STAGES, "load", forgetful)
        await way.run("full", expect="failed")
        problem = (await way.row(way.runs["full"])).problem
        assert problem["code"] == "counts-disagree"
        assert "products" in problem["detail"]


async def blocks(way: Road) -> list[Any]:
    return await way.fetch("SELECT sequence, entries, root, chain FROM audit_blocks ORDER BY sequence")


def first_broken(rows: list[Any], entries: dict[int, bytes] | None = None) -> int | None:
    """The first block whose root or link does not follow from what is stored."""
    previous = audit_chain.GENESIS
    for number, row in enumerate(rows, start=1):
        stored = (entries or {}).get(number, row["entries"])
        root = root_over(stored)
        link = audit_chain.link(previous, row["sequence"], root or b"")
        if row["sequence"] != number or root != row["root"] or link != row["chain"]:
            return number
        previous = row["chain"]
    return None


def root_over(block: bytes) -> bytes | None:
    """The Merkle root over the entries of a stored block, None where it does not hold entries any more."""
    try:
        return audit_chain.root_of([audit_chain.leaf(entry) for entry in audit_chain.expand(block)])
    except orjson.JSONDecodeError:
        return None


async def test_the_audit_chain_holds_and_shows_a_changed_entry(proven: Road) -> None:
    rows = await blocks(proven)
    assert len(rows) > 20
    assert first_broken(rows) is None
    head = await proven.fetch("SELECT sequence, chain FROM audit_heads")
    assert (head[0]["sequence"], head[0]["chain"]) == (rows[-1]["sequence"], rows[-1]["chain"])
    seventh = bytearray(zlib.decompress(rows[6]["entries"]))
    seventh[len(seventh) // 2] ^= 1  # one bit of one letter
    assert first_broken(rows, {7: zlib.compress(bytes(seventh))}) == 7
    assert first_broken([row for row in rows if row["sequence"] != 4]) == 4


async def test_every_written_record_has_an_audit_entry(proven: Road) -> None:
    entries = {
        (entry[0], entry[1], entry[2], entry[3]): entry[5]
        for row in await blocks(proven)
        for entry in audit_chain.expand(row["entries"])
    }
    rows = await proven.ledger("target_object <> ''")
    assert len(rows) > 100
    for row in rows:
        key = (row["source_object"], row["source_id"], row["target_object"], row["part"])
        assert entries[key] == row["outcome"], key


async def test_no_stored_byte_shows_a_persons_name(proven: Road) -> None:
    """The whole database as text and as bytes: payloads, inventories, reports and files are sealed."""
    owner = await asyncpg.connect(plain_url(proven.database_url))
    wanted = [text.encode() for text in (CANARY, CANARY_MAIL, "1961-04-12")]
    try:
        tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        seen = 0
        for table in tables:
            for row in await owner.fetch(f'SELECT * FROM "{table["tablename"]}"'):
                seen += 1
                for name, value in row.items():
                    body = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    assert not [text for text in wanted if text in body], (table["tablename"], name)
                    if name == "entries":
                        assert CANARY not in str(audit_chain.expand(body))
        assert seen > 1_000
    finally:
        await owner.close()


async def test_logs_name_no_person(proven: Road, open_way: OpenWay, capfd: pytest.CaptureFixture[str]) -> None:
    """A whole road with faults, refusals and a failure writes ids, counts and codes."""
    capfd.readouterr()
    async with open_way(source=proven.urls["source"], flush_rows=6) as way:
        await way.up_to("provision")
        await way.destination.faults(reject_record=2_000, drop=300, seed=6)
        await way.run("full")
        document = await way.document()
        await way.destination.faults()
        await way.confirm(document.model_copy(update={"external_id": "Nowhere__c"}))
        await way.run("delta", options={"batch": 1, "since": "2020-01-01T00:00:00+00:00"}, expect="completed")
        source = await way.fetch("SELECT source_id FROM staged WHERE object = 'Contact' LIMIT 1")
        assert source
    out, err = capfd.readouterr()
    text = out + err
    assert "run_put_down" in text
    for name in (CANARY, CANARY_MAIL, "1961-04-12", "sandbox-secret", "sandbox-refresh"):
        assert name not in text


async def test_another_tenant_sees_nothing(proven: Road) -> None:
    """Every table with a tenant in it is closed by row-level security, also for who knows the ids."""
    tables = await proven.fetch(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    )
    names = {row["table_name"] for row in tables}
    assert {"staged", "ledger", "reports", "artifacts", "artifact_chunks", "audit_blocks", "runs"} <= names
    filled = set()
    for tenant in (new_id(), None):
        async with proven.runtime.db.connection(tenant) as connection:
            for name in names:
                found = await connection.fetchval(
                    f'SELECT count(*) FROM "{name}" WHERE tenant_id = $1', proven.tenant_id
                )
                assert found == 0, name
    async with proven.runtime.db.connection(proven.tenant_id) as connection:
        for name in names:
            if await connection.fetchval(f'SELECT count(*) FROM "{name}"'):
                filled.add(name)
    assert {"staged", "ledger", "reports", "artifacts", "artifact_chunks", "audit_blocks", "runs"} <= filled
    async with proven.runtime.db.connection(new_id()) as connection:
        status = await connection.execute("UPDATE runs SET state = 'failed' WHERE id = $1", proven.runs["full"])
        assert status == "UPDATE 0"


async def test_two_runs_of_one_engagement_are_never_driven_at_once(proven: Road) -> None:
    """Two workers claim two runs at the same moment, again and again: one of them gets its run."""
    first, second = await proven.start("reconcile"), await proven.start("reconcile")
    for _ in range(10):
        now = proven.runtime.now()
        claims = [claim(proven.runtime, run, proven.tenant_id, "test", now) for run in (first, second)]
        leases = [lease for lease in await asyncio.gather(*claims) if lease is not None]
        assert len(leases) == 1
        await leases[0].release()
    await proven.drive(first)
    await proven.drive(second)
