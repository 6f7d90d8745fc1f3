"""Extraction: source records into staging, page by page; again with `since` for a delta."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from app.domain.schema import ObjectSpec
from app.runs.staging import Sealed, StoredRow
from app.runs.work import StageRow, Work
from connectors.base import Page

_MODIFIED = ("SystemModstamp", "LastModifiedDate", "updated_at", "CreatedDate")


async def extract(work: Work, stage: StageRow) -> None:
    """Stages one source object. What is staged already is left alone unless the run asks for changes since a mark."""
    if work.reader is not None:
        await work.reader.extract(work, stage)
        return
    since = work.options.get("since")
    begun = stage.cursor != "" or bool(stage.counts)  # by this run; a page need not carry a cursor
    staged = begun or await _is_staged(work, stage.load)
    if since is None and work.run.kind != "preflight" and not begun and staged and await _was_read(work, stage):
        stage.detail["kept"] = "staged by the preflight"
        return
    spec = await source_object(work, stage.load)
    key = next((field.name for field in spec.fields if field.primary_key), "Id")
    modified = next((name for name in _MODIFIED if spec.field(name)), "")
    source = await work.source()
    pages = source.read(
        stage.load,
        [field.name for field in spec.fields],
        cursor=stage.cursor or None,
        since=datetime.fromisoformat(str(since)) if since else None,
    )
    storing = _Storing(work, stage, key, modified, fresh=not staged)
    wanted = await _replayed(work, stage.load)
    await work.calm.wait()
    try:
        async for page in pages:
            work.check_stop()
            await storing.store(page if wanted is None else _narrowed(page, wanted, key))
            await work.calm.wait()
        await storing.settle()
    finally:
        await storing.stop()


async def _replayed(work: Work, object_name: str) -> frozenset[str] | None:
    """The records that a replay is about, None for every other run: what else changed is the next delta's business."""
    if work.run.kind != "replay":
        return None
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT source_id FROM staged_changes WHERE engagement_id = $1 AND batch = $2 AND object = $3",
            *(work.run.engagement_id, int(work.options["batch"]), object_name),
        )
    return frozenset(row["source_id"] for row in rows)


def _narrowed(page: Page, wanted: frozenset[str], key: str) -> Page:
    return replace(
        page,
        records=[one for one in page.records if str(one[key]) in wanted],
        deletions=[one for one in page.deletions if one.id in wanted],
    )


class _Storing:
    """Stages the pages of one object, each while the next is being read; a page commits after those before it.

    Pages of an object that nothing was known of are handed over to its load.
    """

    def __init__(self, work: Work, stage: StageRow, key: str, modified: str, *, fresh: bool) -> None:
        self._work = work
        self._stage = stage
        self._key = key
        self._modified = modified
        self._batch = int(work.options.get("batch", 0))
        self._fresh = fresh and self._batch == 0
        self._last = ""
        self._storing: asyncio.Task[None] | None = None
        if self._fresh and work.run.kind == "full":  # the kind whose loads take the whole of an object
            work.handover.open(stage.load)

    async def store(self, page: Page) -> None:
        """Seals a page and begins to store it once the one before is committed; raises what that one met."""
        sealed = await self._work.staging.seal(
            self._stage.load, page.records, key_field=self._key, modified_field=self._modified
        )
        await self.settle()
        self._storing = asyncio.create_task(self._store(page, sealed))

    async def settle(self) -> None:
        """Waits until all pages so far are committed."""
        if self._storing is not None:
            await self._storing
            self._storing = None

    async def stop(self) -> None:
        """Leaves no page half-way."""
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.gather(self._storing, return_exceptions=True)

    async def _store(self, page: Page, sealed: Sealed) -> None:
        name, handover = self._stage.load, self._work.handover
        gone = [(one.id, None, None, None, one.at, one.merged_into) for one in page.deletions]
        if self._fresh:
            try:
                await self._commit([*sealed.rows, *gone], page)
            except asyncpg.UniqueViolationError:  # the source gave a record twice: the later one counts
                self._fresh = False
        if not self._fresh:
            await self._commit([*sealed.rows, *gone], page)
        ids = {one.id for one in page.deletions}
        in_order = not ids or (self._last < min(ids) and ids.isdisjoint(sealed.ids))
        if self._fresh and in_order:  # what is gone was not handed over
            handover.put(name, sealed.ids, sealed.texts)
            self._last = max((self._last, *sealed.ids, *ids))
        else:
            handover.drop(name)

    async def _commit(self, rows: list[StoredRow], page: Page) -> None:
        """One transaction: the page's records and deletions with the cursor behind them."""
        work, stage = self._work, self._stage
        counts = {
            name: stage.counts.get(name, 0) + len(more)
            for name, more in (("read", page.records), ("deleted", page.deletions))
        }
        after = replace(stage, cursor=page.cursor or stage.cursor, counts={**stage.counts, **counts})
        async with work.transaction() as connection:
            await work.staging.bring(connection, rows)
            await work.lease.guard(connection, lasting=False)  # a lost page is read again, its cursor is lost as well
            await work.staging.insert(
                connection, stage.load, batch=self._batch, track=self._batch > 0, fresh=self._fresh
            )
            await work.save_stage(connection, after)
        stage.cursor, stage.counts = after.cursor, after.counts


async def source_object(work: Work, name: str) -> ObjectSpec:
    """The source's description of an object, read once per run."""
    inventory = await source_inventory(work)
    return inventory.object(name) or ObjectSpec(name=name)


async def source_inventory(work: Work) -> Any:
    """The newest inventory of the source, cached for the run."""
    if "source_inventory" not in work.cache:
        from app.runs.opening import connection_for, newest_inventory

        connection = await connection_for(work, "source")
        work.cache["source_inventory"] = await newest_inventory(work, connection.id)
    return work.cache["source_inventory"]


async def _was_read(work: Work, stage: StageRow) -> bool:
    """Whether an earlier run has read the whole object to its end: one that failed or was cancelled may have part of
    it, and a delta or a replay asks for part of it.
    """
    async with work.transaction() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM run_stages s JOIN runs r ON r.id = s.run_id"
                " WHERE r.engagement_id = $1 AND r.id <> $2 AND r.kind NOT IN ('delta', 'replay')"
                " AND s.key = $3 AND s.state = 'done')",
                *(work.run.engagement_id, work.run.id, stage.key),
            )
        )


async def _is_staged(work: Work, name: str) -> bool:
    async with work.transaction() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM staged WHERE engagement_id = $1 AND object = $2)",
                *(work.run.engagement_id, name),
            )
        )
