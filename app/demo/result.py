"""What a demo found, in the shape of DEMO_JSON, and what did not hold."""

from dataclasses import dataclass, field
from typing import Any

from app.demo.counting import Row


@dataclass(slots=True)
class Result:
    """Filled on the way. `faults` are sentences; a demo with none of them ends with exit code 0."""

    pair: str
    seconds: float = 0.0
    objects: list[Row] = field(default_factory=list)
    sample: dict[str, int] = field(default_factory=dict)
    reconciliation: dict[str, int] = field(default_factory=dict)
    delta: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    rollback: dict[str, Any] | None = None
    webhooks_delivered: int = 0
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "pair": self.pair,
            "seconds": round(self.seconds, 1),
            "objects": [row.as_json() for row in self.objects],
            "sample": self.sample,
            "reconciliation": self.reconciliation,
            "delta": self.delta,
            "calls": self.calls,
            "rollback": self.rollback,
            "webhooks_delivered": self.webhooks_delivered,
        }

    def expect(self, holds: bool, otherwise: str) -> None:
        """Notes a fault unless something holds."""
        if not holds:
            self.faults.append(otherwise)
