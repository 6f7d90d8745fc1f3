"""The hot path of a run: pages of staged records become batches on the wire and blocks in the ledger.

One reader decides pages ahead and commits their intents; `concurrency` senders keep the wire full, with batches that
reach over page borders so that N records cost exactly ⌈N/batch⌉ calls; a recorder commits their ends (see `recording`).
What a crash leaves open is probed before anything is sent again (rulings 8 and 9).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from app.domain.mapping import Load
from app.fresh import new_id
from app.runs.bookkeeping import book
from app.runs.clearing_up import Clearing, held
from app.runs.deciding import Decider, Gathered
from app.runs.ends import Ends
from app.runs.items import Block, Decided, Item
from app.runs.ledger import Book, Entry, OpenIntent
from app.runs.pages import Pages
from app.runs.recording import Recorder
from app.runs.repeating import TRIES, is_long, pause
from app.runs.staging import StagedRow
from app.runs.taking_over import former_values, keep_former, take_over
from app.runs.work import StageRow, Stopped, Work
from app.runs.writers import Writer
from connectors.base import Found, WriteResult, WriteStatus
from connectors.errors import Ambiguous, BatchRefused, Transient

log = structlog.get_logger()

_UNKNOWN = b""  # the hash of a write whose values nobody knows any more: like that of no other


class Merging(Protocol):
    """Narrows updates to what the source changed (see `merging`)."""

    async def merge(self, items: Sequence[Item], *, resumed: bool = False) -> tuple[list[Item], list[Entry]]: ...


class Loader:
    """Runs one load stage until it is done, stopped, or something is raised that only the run can answer."""

    def __init__(
        self,
        work: Work,
        stage: StageRow,
        load: Load,
        pages: Pages,
        decider: Decider,
        writer: Writer,
        *,
        concurrency: int,
        call_timeout: float,
        settle_seconds: float,
        virgin: bool,
        sending: Callable[[], None] = lambda: None,
        merger: Merging | None = None,
        recovering: bool = False,
    ) -> None:
        """`sending` is called when the first records are on their way. `merger` narrows updates to what changed.
        With `recovering` nothing but what earlier workers left open is brought to its end, of records that may read
        otherwise by now.
        """
        self._work = work
        self._stage = stage
        self._load = load
        self._pages = pages
        self._decider = decider
        self._writer = writer
        self._book: Book = work.book
        self._senders = concurrency + concurrency // 2  # some stand ready, so that a freed place is taken at once
        self._timeout = call_timeout
        self._settle = settle_seconds
        self._virgin = virgin
        self._ends = Ends(decider.key_field, writer.keyless, virgin)
        self._clearing = Clearing(work, load, writer, self._ends)
        # what waits here lasts while a page is announced; what has no key is announced late, since a crash asks for it
        ahead = self._senders if writer.keyless else 3 * concurrency
        self._queue: asyncio.Queue[list[Item] | None] = asyncio.Queue(maxsize=ahead)
        self._partial: dict[bool, list[Item]] = {False: [], True: []}
        self._recorder = Recorder(work, stage, load)
        self._read_out = False
        self._flush_rows = work.runtime.settings.flush_rows
        self._page = writer.batch * concurrency if writer.keyless else self._flush_rows
        self._first_page = min(self._page, writer.batch * concurrency)  # the wire is filled before a page is decided
        self._sending = sending
        self._merger = merger
        self._recovering = recovering
        self._unwanted: set[str] = set()
        self._wire = work.wire(concurrency)
        self._rank = list(work.mapping().loads).index(load)

    async def run(self) -> None:
        """Raises Stopped, LeaseLost, or a ConnectorError that the run has to answer; what is known is committed."""
        async with self._work.transaction() as connection:
            self._recorder.fresh = not await self._book.any_prior(connection, self._load)
            await self._clearing.recall(connection, fresh=self._recorder.fresh)
        recording = asyncio.create_task(self._recorder.run())
        senders = [asyncio.create_task(self._send_loop()) for _ in range(self._senders)]
        reader = asyncio.create_task(self._read_loop())
        try:
            await self._until_done(reader, senders)
        finally:
            for task in (reader, *senders):
                task.cancel()
            await asyncio.gather(reader, *senders, return_exceptions=True)
            self._recorder.close()
            await asyncio.gather(recording, return_exceptions=True)
        await self._recorder.flush()
        if self._work.stopping:
            raise Stopped

    async def _until_done(self, reader: "asyncio.Task[None]", senders: "list[asyncio.Task[None]]") -> None:
        """Waits for reader and senders; the first problem stops all in good order and is raised at the end."""
        problem: BaseException | None = None
        drained = False
        pending: set[asyncio.Task[None]] = {reader, *senders}
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is not None and problem is None:
                    problem = error
                    self._work.stop("failure")
                    if not isinstance(error, Stopped):
                        log.info("load_interrupted", load=self._load.key, error=type(error).__name__)
            if problem is not None and not drained:  # also when the reader gave up: nobody else ends the senders
                drained = True
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
                pending.discard(reader)
                self._drain()
        await self._recorder.flush()
        if problem is not None and not isinstance(problem, Stopped | asyncio.CancelledError):
            raise problem

    def _drain(self) -> None:
        """Takes unsent batches from the queue; their intents stay open and are settled by the next worker."""
        while not self._queue.empty():
            self._queue.get_nowait()
        for _ in range(self._senders):
            self._queue.put_nowait(None)

    # ── reading and deciding ──────────────────────────────────────────────────────────────────────────────────────

    async def _read_loop(self) -> None:
        await self._recover()
        if not self._recovering:
            await self._read_pages()
        self._read_out = True  # what comes in now is committed at once, since the stages behind us wait for it
        for leftover in self._partial.values():
            if leftover:
                await self._queue.put(list(leftover))
        for _ in range(self._senders):
            await self._queue.put(None)

    async def _read_pages(self) -> None:
        after = self._stage.cursor
        ahead = asyncio.create_task(self._gather(after, self._first_page))
        try:
            while True:
                self._work.check_stop()
                upto, page = await ahead
                if page is None:
                    break
                # the database reads on while this page is decided and sent
                ahead = asyncio.create_task(self._gather(upto, self._page))
                decided = await self._decider.decide(page)
                await self._clearing.look_again(decided)
                existing = await self._meet_existing(decided.items)
                await self._merge(decided)
                block = await self._announce(after, upto, decided, existing)
                after = upto
                await self._enqueue(decided.items, block)
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)

    async def _gather(self, after: str, limit: int) -> tuple[str, Gathered | None]:
        """The next page with what it refers to, and the key it ends with."""
        rows = await self._pages.next(after, limit)
        if not rows:
            return after, None
        async with self._work.transaction() as connection:
            return rows[-1].source_id, await self._decider.gather_page(connection, rows, fresh=self._recorder.fresh)

    async def _meet_existing(self, items: Sequence[Item]) -> list[str]:
        """Finds records that carry our key already although the ledger does not know them; keeps what they hold."""
        if self._virgin or not items:
            return []
        unknown = [item for item in items if item.record_id is None]
        found = await self._clearing.probe(unknown)
        for item in unknown:
            if item.source_id in found:
                await take_over(self._work, self._load, item, found[item.source_id])
        return list(found)

    async def _merge(self, decided: Decided, *, resumed: bool = False) -> None:
        """Lets people's changes at the destination stand; what needs no call any more ends here."""
        if self._merger is not None and decided.items:
            decided.items, ends = await self._merger.merge(decided.items, resumed=resumed)
            decided.entries += ends

    async def _announce(self, after: str, upto: str, decided: Decided, existing: Sequence[str]) -> Block:
        """Commits the block's intent with the cursor; a block without calls commits its ends at once instead."""
        block = Block(new_id() if decided.items else None, pending=len(decided.items))
        work, taken = self._work, self._stage.counts.get("taken", 0) + decided.taken
        ahead = replace(self._stage, cursor=upto, counts={**self._stage.counts, "taken": taken})
        former = former_values(decided.items)
        async with work.transaction() as connection:
            await self._book.bring(connection, former if decided.items else decided.entries)
            await work.lease.guard(connection)
            if block.intent is not None:
                await self._book.commit_intent(
                    connection,
                    block.intent,
                    self._stage.key,
                    after_id=after,
                    upto_id=upto,
                    size=len(decided.items),
                    existing=existing,
                    now=work.now(),
                )
                if former:
                    self._recorder.fresh = False
                    await keep_former(work, self._load, connection)
                self._recorder.entries.extend(decided.entries)
            else:
                await book(self._work, connection, self._load, decided.entries, fresh=self._recorder.fresh)
            await work.save_stage(connection, ahead)
        # not before: ends that are committed meanwhile would carry the cursor past a block that nobody announced
        self._stage.cursor, self._stage.counts["taken"] = upto, taken
        return block

    async def _enqueue(self, items: Sequence[Item], block: Block) -> None:
        self._sending()
        size = self._writer.batch
        updates = self._writer.update_batch or size
        for item in items:
            item.block = block
            update = item.record_id is not None
            group = self._partial[update]
            group.append(item)
            if len(group) == (updates if update else size):
                self._partial[update] = []
                await self._queue.put(group)

    # ── recovery ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _recover(self) -> None:
        """Settles the blocks that an earlier worker left open: looks first, sends only what is not there."""
        async with self._work.transaction() as connection:
            intents = await self._book.open_intents(connection, self._stage.key)
        if not intents:
            return
        self._recorder.fresh = False
        await self._wait_for_wire()
        blocks = [(intent, await self._decide_again(intent)) for intent in intents]
        items = [item for _, decided in blocks for item in decided.items]  # at once: none is taken for another block's
        found, doubtful = await self._clearing.clear_up(items, min(intent.committed_at for intent in intents))
        for intent, decided in blocks:
            await self._settle_block(intent, decided, found, doubtful)

    async def _wait_for_wire(self) -> None:
        """The old worker's last call ended with its lease plus the timeout; the vendor may show it a little later."""
        until = self._work.lease.quiet_at + self._timeout + self._settle
        while (left := until - time.monotonic()) > 0:
            self._work.check_stop()
            await asyncio.sleep(min(left, 0.25))

    async def _decide_again(self, intent: OpenIntent) -> Decided:
        rows: list[StagedRow] = []
        after = intent.after_id
        while page := await self._pages.read(after, intent.upto_id, self._page, gone_too=self._recovering):
            rows += page
            after = page[-1].source_id
        async with self._work.transaction() as connection:
            gathered = await self._decider.gather_page(connection, rows, fresh=False, everything=self._recovering)
            if self._recovering:
                self._unwanted |= await self._decider.unwanted(connection, rows)
        decided = await self._decider.decide(gathered)
        await self._merge(decided, resumed=True)
        return decided

    async def _settle_block(
        self, intent: OpenIntent, decided: Decided, found: Mapping[str, Found], doubtful: Set[str]
    ) -> None:
        existing = set(intent.existing)
        left = []
        for item in decided.items:
            hit, item.doubted = found.get(item.source_id), True
            if item.source_id in doubtful:
                decided.entries.append(held(item, intent.committed_at))
            elif item.source_id in self._unwanted and (hit is None or item.source_id in existing):
                continue
            elif hit is None:
                left.append(item)
            elif item.source_id in existing:
                await take_over(self._work, self._load, item, hit)
                left.append(item)
            else:
                entry = self._ends.entry(item, WriteResult(WriteStatus.CREATED, id=hit.id))
                if self._recovering:
                    entry.sent_hash = _UNKNOWN
                decided.entries.append(entry)
        block = Block(intent.id, pending=len(left))
        self._recorder.entries.extend(decided.entries)
        if left:
            await self._enqueue(left, block)
        else:
            self._recorder.blocks.append(block)
        self._recorder.wake()

    # ── sending ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _send_loop(self) -> None:
        while (batch := await self._queue.get()) is not None:
            self._work.check_stop()
            await self._send(batch)

    async def _send(self, batch: list[Item]) -> None:
        """Brings a batch to its end: every item gets exactly one entry, whatever the answers were."""
        unsent, since = batch, self._work.now()
        attempt = 0
        while unsent:
            try:
                results = await self._call(unsent)
            except BatchRefused as refusal:
                if len(unsent) == 1:
                    code = refusal.code or "batch_refused"
                    self._settle_item(unsent[0], WriteResult(WriteStatus.REFUSED, code=code, message=refusal.detail))
                    return
                middle = len(unsent) // 2
                await self._send(unsent[:middle])
                unsent = unsent[middle:]
            except Transient as problem:
                attempt += 1
                if attempt >= TRIES or is_long(problem):
                    raise
                await pause(self._work, problem.retry_after, attempt)
            except Ambiguous:
                attempt += 1
                if attempt >= TRIES:
                    raise
                for item in unsent:
                    item.doubted = True
                await pause(self._work, None if self._writer.repeatable else self._settle or None, attempt)
                unsent = await self._look(unsent, since)
            else:
                self._settle_all(unsent, results)
                return

    async def _call(self, unsent: Sequence[Item]) -> list[WriteResult]:
        """One call, when it is this load's turn; the lease is looked at after the wait, right before the sending."""
        await self._wire.enter(self._rank)
        try:
            await self._work.lease.ready_to_send(self._timeout)
            return await self._writer.send(unsent)
        finally:
            self._wire.leave()

    async def _look(self, unsent: list[Item], since: datetime) -> list[Item]:
        """After a lost answer: settles what is there, returns what has to be sent (again)."""
        found = await self._clearing.look(unsent, since)
        left = []
        for item in unsent:
            hit = found.get(item.source_id)
            if hit is None:
                left.append(item)
            else:
                self._settle_item(item, WriteResult(WriteStatus.CREATED, id=hit.id))
        return left

    def _settle_item(self, item: Item, result: WriteResult) -> None:
        self._settle_all((item,), (result,))

    def _settle_all(self, items: Sequence[Item], results: Sequence[WriteResult]) -> None:
        known, entry = self._recorder, self._ends.entry
        known.entries += [entry(item, result) for item, result in zip(items, results, strict=True)]
        for item in items:
            block = item.block
            assert block is not None
            block.pending -= 1
            if block.pending == 0:
                known.blocks.append(block)
        if len(known.entries) >= self._flush_rows or self._read_out or self._writer.keyless:
            known.wake()
