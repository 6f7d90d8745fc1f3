"""Writes the reports of a run: counts in the clear, everything else sealed under the engagement's key."""

from typing import Any

import asyncpg

from app.documents import seal_document
from app.models.columns import new_id
from app.runs.work import Work


async def save_report(
    work: Work, connection: "asyncpg.Connection[Any]", kind: str, summary: dict[str, Any], body: Any
) -> None:
    """Stores one report in the caller's transaction; `summary` holds counts and codes, never values."""
    report_id = new_id()
    await connection.execute(
        "INSERT INTO reports (id, tenant_id, engagement_id, run_id, kind, summary, body, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(report_id, work.run.tenant_id, work.run.engagement_id, work.run.id, kind, summary),
        *(seal_document(work.key, report_id, body), work.now()),
    )
