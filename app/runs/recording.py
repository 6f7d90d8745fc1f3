"""Ends of a load that are known and not yet committed: kept until a block is full or a second has passed.

A block of about 2,000 rows is one transaction of ledger, audit log, closed intents and progress, guarded by the fence
(ruling 9).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from app.domain.mapping import Load
from app.runs.bookkeeping import book
from app.runs.items import Block
from app.runs.ledger import Book, Entry
from app.runs.work import StageRow, Work

log = structlog.get_logger()


class Recorder:
    """Commits the ends of one load. `fresh` promises that the ledger holds nothing of it (see `Book.record`).

    Whoever knows an end adds it to `entries`, whoever finishes a block adds that to `blocks`, and says `wake` when
    they should not wait for the second to pass.
    """

    def __init__(self, work: Work, stage: StageRow, load: Load) -> None:
        self.entries: list[Entry] = []
        self.blocks: list[Block] = []
        self.fresh = False
        self._woken = asyncio.Event()
        self._work = work
        self._stage = stage
        self._load = load
        self._book: Book = work.book
        self._turn = asyncio.Lock()
        self._closing = False
        self._referred = any(
            rule.lookup is not None and load.key in rule.lookup.loads
            for other in work.mapping().loads
            for rule in other.fields
        )

    def wake(self) -> None:
        """What is known is committed soon."""
        self._woken.set()

    def close(self) -> None:
        """Ends `run`; the last `flush` is the caller's."""
        self._closing = True
        self.wake()

    async def run(self) -> None:
        """Commits whenever woken, at least once a second, until closed; a problem stops the whole load."""
        while not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._work.runtime.settings.flush_seconds):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self.flush()
            except Exception as problem:  # noqa: BLE001  the load ends in good order; its last flush says what it was
                log.warning("flush_failed", load=self._load.key, error=type(problem).__name__)
                self._work.stop("failure")
                return

    async def flush(self) -> None:
        """Commits all known ends and closes finished blocks; a failed flush keeps them for the next."""
        async with self._turn:
            entries, blocks = self.entries, self.blocks
            if not entries and not blocks:
                return
            self.entries, self.blocks = [], []
            try:
                await self._commit(entries, blocks)
            except BaseException:
                self.fresh = False  # whether it was committed is not known: the next try finds out
                self.entries = entries + self.entries
                self.blocks = blocks + self.blocks
                raise

    async def _commit(self, entries: Sequence[Entry], blocks: Sequence[Block]) -> None:
        async with self._work.transaction() as connection:
            await self._book.bring(connection, entries)
            await self._work.lease.guard(connection)
            for block in blocks:
                if block.intent is not None:
                    await self._book.close_intent(connection, block.intent)
            self._stage.counts["settled"] = self._stage.counts.get("settled", 0) + len(entries)
            await book(self._work, connection, self._load, entries, fresh=self.fresh)
            # last: whoever announces the next block waits for this row, and the wire would stand still meanwhile
            await self._work.save_settled(connection, self._stage)
        if self._referred:
            self._work.resolved.remember(
                self._load.key, {one.source_id: one.record_id for one in entries if one.record_id}
            )
