"""From the destination's verdict on one item to the ledger's entry for it. Pure."""

from dataclasses import dataclass

from app.runs.items import Item
from app.runs.ledger import Entry, Outcome
from app.runs.writers import adopted
from connectors.base import WriteResult, WriteStatus

_CREATED, _UPDATED = Outcome.CREATED.value, Outcome.UPDATED.value


@dataclass(frozen=True, slots=True)
class Ends:
    """What a load knows when it reads verdicts: its key at the destination, whether a call without an answer leaves
    unknowns, and whether nothing but ours carries our key there (`virgin`).
    """

    key_field: str
    keyless: bool
    virgin: bool

    def entry(self, item: Item, result: WriteResult) -> Entry:
        """Created, updated, or quarantined under the destination's code."""
        status = result.status
        if status is WriteStatus.REFUSED:
            result = adopted(result, self.key_field)
            status = result.status
            if status is WriteStatus.REFUSED:
                reason = f"{result.code}:{result.field}" if result.field else result.code or "refused"
                return Entry(item.source_id, Outcome.QUARANTINED, reason, issues=item.issues)
        known = item.record_id
        met = status is WriteStatus.UPDATED and not self.keyless
        # an upsert that met a record although none of our calls can have made it: a person entered it since we looked
        theirs = known is None and met and not item.doubted
        updated = known is not None or theirs or (status is WriteStatus.UPDATED and not self.virgin)
        return Entry(
            item.source_id,
            _UPDATED if updated else _CREATED,
            "",
            result.id or known,
            None if known is not None or theirs else True,
            item.sent_hash,
            item.before,
            item.issues,
            item.owner_id,
            result.modified_at or "",
        )
