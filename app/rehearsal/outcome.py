"""What a rehearsal found, in figures: printed as JSON, and judged by the invariants that must all be zero."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Outcome:
    """Figures of one rehearsal. `broken` are sentences, one per invariant that does not hold."""

    pair: str
    seed: int
    records: int
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    injected: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    """Clients that the customer had at the destination before, under their former ids."""
    moved: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    missing: int = 0
    unknown: int = 0
    without_end: int = 0
    unbalanced: int = 0
    unequal_roots: int = 0
    discrepancies: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    workers_lost: int = 0
    slowest_resume: float = 0.0
    losses: list[str] = field(default_factory=list)
    """When a worker was lost, how, and after how many seconds somebody drove on."""
    client_retries: int = 0
    restored: int = 0
    refused: int = 0
    """What the destination refused to a rollback in bad weather; the next rollback has to bring it back."""
    changed: list[str] = field(default_factory=list)
    """What was changed in the destination's schema during the full run."""
    repaired: int = 0
    """Records that a repair completed, because a field was away while they were written."""
    roots: dict[str, str] = field(default_factory=dict)
    left_behind: dict[str, int] = field(default_factory=dict)
    """Per object, what a rollback had to leave because no call of the vendor takes it away (ruling 24)."""
    objects: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per object of the destination: records that are ours at the end, and duplicates and missing ones ever seen."""
    broken: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:
        """Notes a broken invariant unless something holds."""
        if not holds:
            self.broken.append(otherwise)

    def as_json(self) -> dict[str, Any]:
        return {
            "pair": self.pair,
            "seed": self.seed,
            "records": self.records,
            "faults": self.faults,
            "seconds": round(self.seconds, 1),
            "injected": dict(sorted(self.injected.items())),
            "settled": self.settled,
            "moved": self.moved,
            "duplicates": self.duplicates,
            "missing": self.missing,
            "unknown": self.unknown,
            "without_end": self.without_end,
            "unbalanced": self.unbalanced,
            "unequal_roots": self.unequal_roots,
            "discrepancies": self.discrepancies,
            "quarantined": self.quarantined,
            "calls": self.calls,
            "workers_lost": self.workers_lost,
            "slowest_resume": round(self.slowest_resume, 2),
            "losses": self.losses,
            "client_retries": self.client_retries,
            "restored": self.restored,
            "refused": self.refused,
            "changed": self.changed,
            "repaired": self.repaired,
            "roots": self.roots,
            "left_behind": self.left_behind,
            "objects": self.objects,
            "broken": self.broken,
        }
