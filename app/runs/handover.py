"""Pages on their way from extraction to load within one worker: what was staged a moment ago need not be read back.

PostgreSQL has every record; this is a bounded memory of some. Only objects that are extracted from the beginning, here
and in key order, are handed over, so a page is exactly what reading the same key range would give.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

LIMIT = 32 * 1024 * 1024
_BLOCK = 250  # records that are taken together; also how many are parsed before the loop may breathe
_ID = 64  # bytes an id takes beside its characters


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive records of an object behind the key `after`: their ids, and one JSON array of them."""

    after: str
    ids: Sequence[str]
    text: bytes
    size: int


@dataclass(slots=True)
class Flow:
    """An object on its way: `last` is the id up to which all is staged, in so far as its records come in key order.

    `broken`: they did not. `ended`: no more will come. `news` is set when a page has come, and with either of them.
    """

    last: str = ""
    count: int = 0
    broken: bool = False
    ended: bool = False
    blocks: deque[Block] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Handover:
    """Keeps at most `limit` bytes of records until they are taken. `opened` is set whenever an object begins."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = 0
        self._objects: dict[str, Flow] = {}
        self.opened = asyncio.Event()

    def open(self, name: str) -> None:
        """The extraction of an object of which nothing is staged begins."""
        self._objects[name] = Flow()
        self.opened.set()

    def drop(self, name: str) -> None:
        """Forgets an object: what is staged of it is not what its pages say."""
        known = self._objects.get(name)
        if known is not None:
            self._held -= sum(block.size for block in known.blocks)
            known.blocks.clear()
            known.broken = True
            known.news.set()

    def paged(self, name: str) -> None:
        """A whole page was put."""
        if (known := self._objects.get(name)) is not None:
            known.news.set()

    def end(self, name: str) -> None:
        """All of an object is staged."""
        if (known := self._objects.get(name)) is not None:
            known.ended = True
            known.news.set()

    def flows(self, name: str) -> bool:
        """Whether an object is being extracted from its beginning at this moment."""
        known = self._objects.get(name)
        return known is not None and not known.ended

    def flow(self, name: str) -> Flow:
        """An object that is on its way, or was. Raises KeyError."""
        return self._objects[name]

    def put(self, name: str, ids: Sequence[str], texts: Sequence[bytes]) -> None:
        """Offers a page that is committed. Records out of key order end the handover of their object."""
        for start in range(0, len(ids), _BLOCK):
            # one text for all: small ones left standing would hold the heap around them
            text = b"[" + b",".join(texts[start : start + _BLOCK]) + b"]"
            self.put_block(name, ids[start : start + _BLOCK], text)
        self.paged(name)

    def put_block(self, name: str, ids: Sequence[str], text: bytes) -> None:
        """Offers the next records of an object: their ids, and one JSON array of them."""
        known = self._objects.get(name)
        if known is None or known.broken:
            return
        if ids[0] <= known.last or any(map(str.__ge__, ids, ids[1:])):
            self.drop(name)
            return
        after, known.last = known.last, ids[-1]
        known.count += len(ids)
        size = len(text) + sum(map(len, ids)) + _ID * len(ids)
        if self._held + size <= self._limit:
            self._held += size
            known.blocks.append(Block(after, ids, text, size))

    def holds(self, name: str) -> bool:
        """Whether records of an object are at hand."""
        known = self._objects.get(name)
        return known is not None and bool(known.blocks)

    def count(self, name: str) -> int | None:
        """How many records an object has, once its extraction has ended; None where only PostgreSQL can tell."""
        known = self._objects.get(name)
        return known.count if known is not None and not known.broken else None

    def take(self, name: str, after: str, limit: int) -> list[Block]:
        """Blocks that follow `after`, of at most `limit` records; none where the next ones are not at hand."""
        known = self._objects.get(name)
        taken: list[Block] = []
        while known is not None and known.blocks and known.blocks[0].after <= after:
            block = known.blocks[0]
            if block.after == after:
                limit -= len(block.ids)
                if limit < 0:
                    break
                taken.append(block)
                after = block.ids[-1]
            known.blocks.popleft()
            self._held -= block.size
        return taken
