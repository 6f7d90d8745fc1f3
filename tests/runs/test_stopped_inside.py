"""A worker stopped for good inside a transaction: its locks end with the lease, and another one takes the run."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from app.runs import claims, concluding, engine, ledger, staging
from app.runs.claims import Lease, claim, idle
from app.runs.ledger import Book
from app.runs.staging import Staging
from tests.runs.conftest import OpenWay
from tests.runs.road import Road

HANGS_SECONDS = 60.0
ENDED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a session that the server has ended meanwhile says so at its next word."""
LEASE = {"lease_seconds": 1.0, "call_timeout_seconds": 0.1}


async def claimed_beside(way: Road, lease: Lease, statement: str, *arguments: object) -> Lease | None:
    """Somebody else's claim while a transaction that has said this does not say another word."""
    async with way.runtime.db.connection(way.tenant_id) as connection:
        await connection.execute(statement, *arguments)
        async with asyncio.timeout(HANGS_SECONDS):
            return await claim(way.runtime, lease.run_id, way.tenant_id, "second", way.runtime.now())


@pytest.mark.parametrize("what", ["calls", "counts", "line up"])
async def test_a_transaction_that_nobody_ends_holds_a_run_no_longer_than_a_lease(open_way: OpenWay, what: str) -> None:
    async with open_way(**LEASE) as way:
        run_id = await way.start("discovery")
        lease = await claim(way.runtime, run_id, way.tenant_id, "first", way.runtime.now())
        assert lease is not None
        await way.free(run_id)
        statements: dict[str, tuple[Any, ...]] = {
            "calls": (engine._BOOK_CALLS, run_id, lease.fence, {}, idle(lease.seconds)),
            "counts": (concluding._BOOK_COUNTS, run_id, lease.fence, {}, idle(lease.seconds)),
            "line up": (claims._LINE_UP, run_id, idle(lease.seconds)),
        }
        with pytest.raises(ENDED):
            await claimed_beside(way, lease, *statements[what])
        row = await way.row(run_id)
        assert (row.fence, row.lease_owner) == (lease.fence + 1, "second")


@pytest.mark.parametrize(("kind", "owner", "module"), [("preflight", Staging, staging), ("full", Book, ledger)])
async def test_a_worker_that_copies_holds_no_run(
    open_way: OpenWay, monkeypatch: pytest.MonkeyPatch, kind: str, owner: Any, module: Any
) -> None:
    """PostgreSQL takes a session that copies for a busy one, whoever has stopped at its other end: no limit ends it."""
    async with open_way(**LEASE) as way:
        await way.up_to("provision" if kind == "full" else "discovery")
        run_id = await way.start(kind)
        seconds: list[Lease | None] = []
        first = iter([True])

        async def copying(_: Any, connection: Any, rows: Any) -> None:
            async def unfinished() -> AsyncIterator[Any]:
                if next(first, False):
                    await way.free(run_id)
                    async with asyncio.timeout(HANGS_SECONDS):
                        seconds.append(await claim(way.runtime, run_id, way.tenant_id, "second", way.runtime.now()))
                for row in rows if owner is Staging else map(module._as_row, rows):
                    yield row

            await connection.execute(module._TEMPORARY)
            table = "staging_in" if owner is Staging else "ledger_in"
            await connection.copy_records_to_table(table, columns=module._COLUMNS, records=unfinished())

        monkeypatch.setattr(owner, "bring", copying)
        await engine.advance(way.runtime, run_id, "first")
        assert [one is not None for one in seconds] == [True]
        assert (await way.row(run_id)).lease_owner == "second"  # and what the first one copied is nowhere
        monkeypatch.undo()
        await way.free(run_id)
        await way.drive(run_id)


async def test_a_worker_that_prepares_a_statement_holds_no_run(open_way: OpenWay) -> None:
    """Between preparing and executing a session counts as busy: only the age of its transaction ends it."""
    async with open_way(**LEASE) as way:
        run_id = await way.start("discovery")
        lease = await claim(way.runtime, run_id, way.tenant_id, "first", way.runtime.now())
        assert lease is not None
        await way.free(run_id)

        async def prepared_only() -> None:
            async with way.runtime.db.connection(way.tenant_id) as connection:
                await lease.guard(connection)
                await connection.prepare("SELECT id FROM runs WHERE id = $1")
                async with asyncio.timeout(HANGS_SECONDS):
                    await claim(way.runtime, run_id, way.tenant_id, "second", way.runtime.now())

        with pytest.raises(ENDED):
            await prepared_only()
        assert (await way.row(run_id)).lease_owner == "second"
