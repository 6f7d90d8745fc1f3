"""Walks an object's live staged records in key order, a page at a time, each page in a transaction of its own."""

from collections.abc import AsyncIterator

from app.runs.staging import Scope, StagedRow
from app.runs.work import Work

_PAGE = 2000


async def staged_pages(work: Work, object_name: str) -> AsyncIterator[list[StagedRow]]:
    """Pages that are not empty; between two the run may stop (raises what `Work.check_stop` raises)."""
    after = ""
    while True:
        work.check_stop()
        async with work.transaction() as connection:
            rows = await work.staging.page(connection, object_name, after, None, _PAGE, Scope())
        if not rows:
            return
        yield rows
        after = rows[-1].source_id
