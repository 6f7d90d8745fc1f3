"""What a mapping loses, per field: counts of values cut, rounded, refused or left blank, from the compiler's issues."""

from collections.abc import Mapping

from app.domain.schema import Frozen


class FieldLoss(Frozen):
    """What becomes of one field's values: how many are cut, rounded, changed in kind, refused or left blank."""

    load: str
    field: str
    counts: dict[str, int]

    @property
    def lossy(self) -> int:
        """Values of which something is lost."""
        return sum(number for code, number in self.counts.items() if code in LOSSES)


LOSSES = frozenset({
    "truncated", "too_long", "rounded", "out_of_range", "not_a_number", "not_a_date", "not_a_boolean",
    "invalid_email", "invalid_url", "sentinel_blanked", "control_characters_removed", "unmapped_value",
    "lookup_missing", "collapsed", "time_dropped", "html_removed",
})  # fmt: skip
"""Issue codes after which the destination holds less than the source did."""


def loss_report(counts: Mapping[tuple[str, str, str], int]) -> tuple[FieldLoss, ...]:
    """Groups the compiler's issue counts, (load key, field, issue code) → number, by field; the worst first."""
    grouped: dict[tuple[str, str], dict[str, int]] = {}
    for (load, name, code), number in counts.items():
        if number < 0:
            raise ValueError(f"a count cannot be negative: {load}.{name} {code}")
        if number:
            grouped.setdefault((load, name), {})[str(code)] = number
    losses = [FieldLoss(load=load, field=name, counts=found) for (load, name), found in grouped.items()]
    return tuple(sorted(losses, key=lambda one: (-one.lossy, one.load, one.field)))
