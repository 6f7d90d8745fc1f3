"""Records of theirs that a load meets: what they hold is read and kept before the first call that changes them."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid5

import asyncpg

from app.domain.json_texts import json_text
from app.domain.mapping import Load
from app.runs.items import Item
from app.runs.ledger import Book, Entry, Outcome
from app.runs.work import Work
from connectors.base import Found


async def take_over(work: Work, load: Load, item: Item, found: Found) -> None:
    """Makes the item an update of the record that was found, with what this holds now."""
    destination = await work.destination()
    target = work.object_name(load.target_object)
    linked = work.cache.get(f"linked:{load.key}", ())  # links are set on it later: kept as well
    names = [name for name in dict.fromkeys((*item.payload, *linked)) if name[0] != "$" and name != "id"]
    before = (await destination.fetch(target, [found.id], names)).get(found.id)
    item.record_id, item.ours = found.id, False
    asked = dict.fromkeys(names) if before else {}  # a blank that the vendor leaves out was read all the same
    item.before = work.seal_before(item.source_id, {**asked, **(before or {})})
    item.payload["id"] = found.id
    item.encoded = json_text(item.payload)


def former_values(items: Sequence[Item]) -> list[Entry]:
    """What records of theirs among these items hold, as entries of the ledger."""
    return [
        Entry(item.source_id, Outcome.HELD, "taken_over", item.record_id, before=item.before)
        for item in items
        if item.ours is False
    ]


async def keep_former(work: Work, load: Load, connection: "asyncpg.Connection[Any]") -> None:
    """Records former values, which the caller has brought: after the first call nobody could read them any more.

    Under a number of its own, so that the rows do not count as ends of this run.
    """
    own = work.book
    aside = Book(own.tenant_id, own.engagement_id, own.destination_id, uuid5(own.run_id, "taken over"))
    await aside.record(connection, load, work.now())
