"""Yes or no to mail: a field that says who may be written to holds the opposite of one that says who may not."""

from collections.abc import Sequence

from app.domain.matching.sides import Item
from app.domain.schema import FieldType

ABOUT = frozenset({"optout", "sms_optout", "fax_optout", "do_not_call"})
_NO = frozenset({
    "out", "not", "no", "unsubscribe", "unsubscribed", "exclude", "excluded", "stop", "block", "blocked", "suppress",
    "suppressed", "bounced", "restriction", "never", "without",
})  # fmt: skip
_YES = frozenset({
    "in", "yes", "ok", "allow", "allowed", "accept", "accepts", "receive", "receives", "send", "subscribe",
    "subscribed", "consent", "newsletter", "permission", "agreed", "wants", "promotional", "marketing", "reminders",
})  # fmt: skip


def turned_round(ours: Sequence[Item], theirs: Sequence[Item]) -> list[tuple[int, int]]:
    """The pairs (row, column) of which one says yes where the other says no: their values must not move as they are."""
    return [
        (row, column)
        for row, one in enumerate(ours) if one.known is None and ABOUT & one.concepts.keys()
        for column, other in enumerate(theirs) if _opposite(one, other)
    ]  # fmt: skip


def _opposite(ours: Item, theirs: Item) -> bool:
    if not (set(ours.concepts) & set(theirs.concepts) & ABOUT) or theirs.column.type is not FieldType.BOOLEAN:
        return False
    return _says_no(ours) is not None and _says_no(ours) != _says_no(theirs)


def _says_no(item: Item) -> bool | None:
    said = {*item.label, *item.name}
    return True if said & _NO else False if said & _YES else None
