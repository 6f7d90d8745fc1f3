"""Reads the audit log back: every entry of an engagement or a tenant, block by block, as NDJSON or CSV."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from app.audit_chain import expand
from app.domain.cells import guarded
from app.domain.ids import encode_id
from app.runtime import Runtime

FIELDS = (
    *("sequence", "entry", "subject", "run_id", "source_object", "source_id", "target_object", "part"),
    *("destination_id", "outcome", "reason", "owner_id", "at"),
)
_BLOCKS = """
    SELECT sequence, run_id, subject, entries, root, chain FROM audit_blocks
    WHERE tenant_id = $1 AND ($2::uuid IS NULL OR (engagement_id = $2 AND subject <> 'api')) AND sequence > $3
      AND ($4::uuid IS NULL OR run_id = $4)
    ORDER BY sequence LIMIT 8
"""


async def export_audit(
    runtime: Runtime, tenant_id: UUID, engagement_id: UUID | None, run_id: UUID | None, *, as_csv: bool
) -> AsyncIterator[bytes]:
    """The entries in chain order, in pieces; a few blocks are read at a time, in a transaction of their own.

    Without an engagement these are all of the tenant's, changes, exports and refusals at the API included.
    """
    show: Callable[[Sequence[Any]], bytes] = _csv_lines if as_csv else _json_lines
    if as_csv:
        yield _csv_lines([FIELDS])
    after = 0
    while True:
        async with runtime.db.connection(tenant_id) as connection:
            blocks = await connection.fetch(_BLOCKS, tenant_id, engagement_id, after, run_id)
        if not blocks:
            return
        for block in blocks:
            yield show([_entry(block, number, entry) for number, entry in enumerate(expand(block["entries"]))])
        after = blocks[-1]["sequence"]


def _entry(block: Any, number: int, entry: Sequence[Any]) -> tuple[Any, ...]:
    *parts, stamp = entry
    at = datetime.fromtimestamp(stamp / 1000, UTC).isoformat() if isinstance(stamp, int | float) else stamp
    run_id = encode_id("run", block["run_id"]) if block["run_id"] else None
    return (block["sequence"], number, block["subject"], run_id, *parts, at)


def _json_lines(entries: Sequence[tuple[Any, ...]]) -> bytes:
    return b"".join(orjson.dumps(dict(zip(FIELDS, entry, strict=False))) + b"\n" for entry in entries)


def _csv_lines(entries: Sequence[tuple[Any, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([_guarded(cell) for cell in entry] for entry in entries)
    return out.getvalue().encode("utf-8", "replace")


def _guarded(cell: Any) -> Any:
    """Ids come from two platforms: none of them may run as a formula in a spreadsheet."""
    if cell is None:
        return ""
    return guarded(cell) if isinstance(cell, str) else cell
