"""Extraction: source records into staging, page by page; again with `since` for a delta."""

from datetime import datetime
from typing import Any

from app.domain.schema import ObjectSpec
from app.runs.staging import Deleted
from app.runs.work import StageRow, Work
from connectors.base import Page

_MODIFIED = ("SystemModstamp", "LastModifiedDate", "updated_at", "CreatedDate")


async def extract(work: Work, stage: StageRow) -> None:
    """Stages one source object. What is staged already is left alone unless the run asks for changes since a mark."""
    since = work.options.get("since")
    if since is None and work.run.kind != "preflight" and stage.cursor == "" and await _is_staged(work, stage.load):
        stage.detail["kept"] = "staged by the pre-flight"
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
    await work.calm.wait()
    async for page in pages:
        work.check_stop()
        await _store(work, stage, page, key, modified)
        await work.calm.wait()


async def _store(work: Work, stage: StageRow, page: Page, key: str, modified: str) -> None:
    batch = int(work.options.get("batch", 0))
    async with work.transaction() as connection:
        await work.lease.guard(connection)
        await work.staging.store(
            connection,
            stage.load,
            page.records,
            key_field=key,
            modified_field=modified,
            deletions=[Deleted(gone.id, gone.at, gone.merged_into) for gone in page.deletions],
            batch=batch,
            track=batch > 0,
        )
        stage.cursor = page.cursor or stage.cursor
        stage.counts["read"] = stage.counts.get("read", 0) + len(page.records)
        stage.counts["deleted"] = stage.counts.get("deleted", 0) + len(page.deletions)
        await work.save_stage(connection, stage)


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


async def _is_staged(work: Work, name: str) -> bool:
    async with work.transaction() as connection:
        return bool(
            await connection.fetchval(
                "SELECT EXISTS (SELECT 1 FROM staged WHERE engagement_id = $1 AND object = $2)",
                *(work.run.engagement_id, name),
            )
        )
