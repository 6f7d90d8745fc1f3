"""A value that must be unique at the destination, told apart where an earlier record keeps it (ruling 21)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.choices import folded
from app.domain.deduplicating import marked
from app.domain.mapping import Keep, UniqueValue
from app.domain.schema import Record

Digest = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Apart:
    """One rule ready for use. `name` and `into` are API names, `first` leads from the hash of a shared value to the
    (load, id) of the record that keeps it.
    """

    rule: UniqueValue
    name: str
    into: str
    length: int | None
    first: Mapping[int, tuple[str, str]]
    digest: Digest

    def apply(self, load: str, source_id: str, record: Record, payload: dict[str, Any]) -> bool:
        """Tells the record's value apart where an earlier one keeps it; whether it had to."""
        value = payload.get(self.name)
        if not isinstance(value, str) or not value:
            return False
        keeper = self.first.get(claim(value, self.digest))
        if keeper is None or keeper == (load, source_id):
            return False
        if self.into:
            payload[self.into] = value
        if self.rule.how is Keep.MOVE:
            del payload[self.name]
        else:
            payload[self.name] = marked(value, str(record.get(self.rule.mark) or source_id), self.length)
        return True


def claim(value: str, digest: Digest) -> int:
    """A 64-bit hash of the value as it compares: trimmed, case aside."""
    return int.from_bytes(digest(folded(value).encode())[:8])
