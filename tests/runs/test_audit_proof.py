"""The audit chain proved from the stored blocks: whole after a run, and tampering of any kind is named by its place."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import orjson
import pytest

from app.audit_chain import Entry, leaf, link, root_of, sealed, unpacked
from app.audit_cli import prove_chains
from app.db import plain_url
from app.runs.audit_proof import Proof, prove
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, only


@pytest.fixture(scope="module")
async def audited(open_way: OpenWay) -> AsyncIterator[Road]:
    """Two loads of a small company, sampled and moved."""
    async with open_way() as way:
        for kind in ("discovery", "preflight"):
            await way.run(kind)
        await way.confirm(only(await way.propose(), ("accounts", "contacts")))
        await way.decide_owners()
        for kind in ("provision", "sample", "full"):
            await way.run(kind)
        yield way


Change = Callable[["asyncpg.Connection[Any]"], Any]


async def _proved_after(way: Road, change: Change, record: tuple[str, str] | None = None) -> Proof:
    """The proof of the chain as it stands after `change`, which is taken back."""
    owner = await asyncpg.connect(plain_url(way.database_url))
    try:
        turn = owner.transaction()
        await turn.start()
        await owner.execute("ALTER TABLE audit_blocks DISABLE TRIGGER USER")
        await change(owner)
        found = await prove(lambda: _Same(owner), way.tenant_id, record)
        await turn.rollback()
        return found
    finally:
        await owner.close()


class _Same:
    """The one connection, again and again."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    async def __aenter__(self) -> "asyncpg.Connection[Any]":
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        return None


async def _block(owner: "asyncpg.Connection[Any]", way: Road, sequence: int) -> Any:
    query = "SELECT * FROM audit_blocks WHERE tenant_id = $1 AND sequence = $2"
    return await owner.fetchrow(query, way.tenant_id, sequence)


async def _store(owner: "asyncpg.Connection[Any]", way: Road, sequence: int, **columns: Any) -> None:
    for name, value in columns.items():
        await owner.execute(
            f"UPDATE audit_blocks SET {name} = $3 WHERE tenant_id = $1 AND sequence = $2",
            *(way.tenant_id, sequence, value),
        )


async def _long_block(way: Road) -> int:
    """A block with enough entries to have a middle."""
    rows = await way.fetch("SELECT sequence FROM audit_blocks WHERE count > 4 ORDER BY sequence")
    return int(rows[0]["sequence"])


async def test_the_chain_is_whole_and_tells_a_records_history(audited: Road) -> None:
    row = (await audited.ledger("source_object = 'Account' AND outcome = 'unchanged'"))[0]
    proof = await prove(lambda: audited.runtime.db.connection(audited.tenant_id), audited.tenant_id,
                        ("Account", row["source_id"]))  # fmt: skip
    assert proof.broken is None
    assert proof.entries > 50
    assert [(one.subject, one.outcome) for one in proof.history] == [
        ("sample:accounts", "created"),
        ("full:accounts", "unchanged"),
    ]
    assert {one.destination_id for one in proof.history} == {row["record_id"]}


async def test_one_altered_entry_is_named(audited: Road) -> None:
    """Somebody with the database changes one outcome in the middle of a block."""
    sequence = await _long_block(audited)

    async def change(owner: "asyncpg.Connection[Any]") -> None:
        block = await _block(owner, audited, sequence)
        content, marks = unpacked(block["entries"])
        entries = orjson.loads(content)
        entries[3][5] = "skipped"
        packed = sealed(entries)[1]
        await _store(owner, audited, sequence, entries=packed[: len(packed) - len(marks)] + marks)

    proof = await _proved_after(audited, change)
    assert proof.broken is not None
    assert (proof.broken.sequence, proof.broken.entry) == (sequence, 3)


async def test_a_block_rewritten_with_its_root_breaks_its_link(audited: Road) -> None:
    sequence = await _long_block(audited)

    async def change(owner: "asyncpg.Connection[Any]") -> None:
        block = await _block(owner, audited, sequence)
        entries = orjson.loads(unpacked(block["entries"])[0])
        entries[0][1] = "somebody else"
        root, packed = sealed(entries)
        await _store(owner, audited, sequence, entries=packed, root=root)

    proof = await _proved_after(audited, change)
    assert proof.broken is not None
    assert proof.broken.sequence == sequence
    assert "link" in proof.broken.why


async def test_a_forged_link_breaks_at_the_next_block(audited: Road) -> None:
    sequence = await _long_block(audited)

    async def change(owner: "asyncpg.Connection[Any]") -> None:
        block = await _block(owner, audited, sequence)
        before = await _block(owner, audited, sequence - 1)
        entries = orjson.loads(unpacked(block["entries"])[0])
        entries[0][1] = "somebody else"
        root, packed = sealed(entries)
        previous = before["chain"] if before else bytes(32)
        await _store(owner, audited, sequence, entries=packed, root=root, chain=link(previous, sequence, root))

    proof = await _proved_after(audited, change)
    assert proof.broken is not None
    assert proof.broken.sequence == sequence + 1


async def test_a_missing_block_is_named(audited: Road) -> None:
    async def change(owner: "asyncpg.Connection[Any]") -> None:
        await owner.execute("DELETE FROM audit_blocks WHERE tenant_id = $1 AND sequence = 2", audited.tenant_id)

    proof = await _proved_after(audited, change)
    assert proof.broken is not None
    assert proof.broken.sequence == 2


async def test_a_chain_cut_short_is_named(audited: Road) -> None:
    async def change(owner: "asyncpg.Connection[Any]") -> None:
        await owner.execute(
            "DELETE FROM audit_blocks WHERE tenant_id = $1 AND sequence ="
            " (SELECT max(sequence) FROM audit_blocks WHERE tenant_id = $1)",
            audited.tenant_id,
        )

    proof = await _proved_after(audited, change)
    assert proof.broken is not None
    assert "head" in proof.broken.why


async def test_the_service_cannot_change_a_block(audited: Road) -> None:
    for statement in ("UPDATE audit_blocks SET count = 0", "DELETE FROM audit_blocks"):
        with pytest.raises(asyncpg.PostgresError):
            await audited.execute(statement)


def test_roots_are_what_the_entries_give() -> None:
    entries: list[Entry] = [["Account", str(n), "Accounts", "", "1", "created", "", "", 0] for n in range(5)]
    root, packed = sealed(entries)
    assert root == root_of([leaf(entry) for entry in entries])
    assert len(unpacked(packed)[1]) == 5 * 8


def test_the_command_names_usage_and_places(audited: Road) -> None:
    said: list[str] = []
    assert prove_chains(audited.database_url, None, "Account", said.append) == 2
    assert "Object/id" in said[-1]
    said.clear()
    assert prove_chains(audited.database_url, "no such tenant", None, said.append) == 2
    said.clear()
    assert prove_chains(audited.database_url, "test", "Account/nobody", said.append) == 0
    assert re.search(r"whole, \d+ entries in \d+ blocks", said[0])
    assert "no entry speaks of" in said[-1]
