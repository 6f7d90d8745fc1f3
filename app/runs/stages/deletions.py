"""What the source deleted or merged since the mark: reported with the destination records it concerns, not applied."""

from app.runs.reports import save_report
from app.runs.work import StageRow, Work

_QUERY = """
    SELECT c.source_id, c.kind, s.merged_into, l.target_object, l.part, l.record_id
    FROM staged_changes c
    JOIN staged s ON s.engagement_id = c.engagement_id AND s.object = c.object AND s.source_id = c.source_id
    LEFT JOIN ledger l ON l.engagement_id = c.engagement_id AND l.destination_id = $4 AND l.source_object = c.object
         AND l.source_id = c.source_id AND l.record_id IS NOT NULL
    WHERE c.engagement_id = $1 AND c.batch = $2 AND c.object = $3 AND c.kind IN ('deleted', 'merged')
    ORDER BY c.source_id
"""


async def report_deletions(work: Work, stage: StageRow) -> None:
    """Lists them; a person decides whether the destination follows."""
    batch = int(work.options.get("batch", 0))
    async with work.transaction() as connection:
        rows = await connection.fetch(_QUERY, work.run.engagement_id, batch, stage.load, work.run.destination_id)
        listed = [
            {
                "source_id": row["source_id"],
                "kind": row["kind"],
                "merged_into": row["merged_into"],
                "target": row["target_object"],
                "part": row["part"],
                "record_id": row["record_id"],
            }
            for row in rows
        ]
        ids = {row["source_id"]: row["kind"] for row in rows}
        stage.counts = {
            "deleted": sum(1 for kind in ids.values() if kind == "deleted"),
            "merged": sum(1 for kind in ids.values() if kind == "merged"),
            "at_destination": sum(1 for one in listed if one["record_id"]),
        }
        if listed:
            await work.lease.guard(connection)
            summary = {"object": stage.load, **stage.counts}
            await save_report(work, connection, "deletions", summary, {"rows": listed})
