"""A planned write on its way: what a page came to, which items it has, and the block they were announced in."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.domain.schema import Record
from app.runs.ledger import Entry


@dataclass(slots=True)
class Block:
    """Items announced together; the intent closes when nothing is pending and every end is committed."""

    intent: UUID | None
    pending: int = 0


@dataclass(slots=True)
class Item:
    """A write that is to happen. `record_id` is set when the destination record exists already (an update);
    `known_hash` is that of our last write to it, None where we never wrote it; `adopted` says that the ledger has it as
    one of the customer's; `doubted` that a call for it may have been made whose answer nobody has.
    """

    source_id: str
    record: Record
    payload: dict[str, Any]
    encoded: bytes
    sent_hash: bytes
    issues: str = ""
    owner_id: str = ""
    record_id: str | None = None
    ours: bool | None = None
    before: bytes | None = None
    block: Block | None = None
    known_hash: bytes | None = None
    adopted: bool = False
    doubted: bool = False


@dataclass(slots=True)
class Decided:
    """A page after deciding: what to write, what ended without a call, and what was settled earlier in this run."""

    items: list[Item] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    settled: int = 0
    taken: int = 0
