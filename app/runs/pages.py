"""The records of a load page by page, in key order: handed over by the extraction, or read back from staging."""

import asyncio
from collections.abc import Callable

import orjson

from app.runs.staging import Scope, StagedRow
from app.runs.streaming import Stream, StreamBroken
from app.runs.work import Work


class Pages:
    """`among` tells which source ids are the load's (None: all); with a `stream` the object is still being read."""

    def __init__(
        self, work: Work, name: str, *, among: Callable[[str], bool] | None = None, stream: Stream | None = None
    ) -> None:
        self._work = work
        self._name = name
        self._among = among
        self._stream = stream
        self._scope: Scope = work.scope(name)

    async def next(self, after: str, limit: int) -> list[StagedRow]:
        """The records behind `after`, at most `limit`; none at the end, or where the stream broke. Raises Stopped."""
        if rows := await self._handed_over(after, limit):
            return rows
        upto = None
        if self._stream is not None:
            try:
                upto = await self._stream.beyond(after)
            except StreamBroken:
                return []
            if rows := await self._handed_over(after, limit):
                return rows
        return await self.read(after, upto, limit)

    async def read(self, after: str, upto: str | None, limit: int, *, gone_too: bool = False) -> list[StagedRow]:
        """The same from PostgreSQL, as far as `upto`; with `gone_too` also what the source has let go since."""
        while True:
            async with self._work.transaction() as connection:
                rows = await self._work.staging.page(
                    connection, self._name, after, upto, limit, self._scope, gone_too=gone_too
                )
            if self._among is None or not rows:
                return rows
            if ours := [row for row in rows if self._among(row.source_id)]:
                return ours
            after = rows[-1].source_id

    async def _handed_over(self, after: str, limit: int) -> list[StagedRow]:
        """Rows that this worker staged itself and still has at hand."""
        rows: list[StagedRow] = []
        if self._scope == Scope() and self._among is None:
            for block in self._work.handover.take(self._name, after, limit):
                rows += map(StagedRow, block.ids, orjson.loads(block.text))
                await asyncio.sleep(0)
        return rows
