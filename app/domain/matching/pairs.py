"""What is proposed for a field, and the matrices of an object pair while rules change them."""

from dataclasses import dataclass, field

from app.domain.matching.features import Matrix
from app.domain.matching.sides import Side

SURE = 0.9
"""From here on a proposal is preselected."""
LIKELIER = 0.5
MOST = 0.99

Ground = tuple[str, str, float]


@dataclass(slots=True)
class FieldPair:
    """What is proposed for one source field. `target` is a place among the destination fields, None for none.

    `how` says what kind of proposal it is: "" an ordinary pair, "external_id", "alternate", "join", "split".
    `partners` are, for a join, the source fields in the order in which they are read, this one among them; for a
    split, the destination fields of first and last name; for an alternate, the field that covers it.
    """

    row: int
    target: int | None
    probability: float
    grounds: list[Ground] = field(default_factory=list)
    alternatives: list[tuple[int, float]] = field(default_factory=list)
    how: str = ""
    partners: tuple[str, ...] = ()
    settled: bool = False
    """A join or split that can be written as it stands: every part is sure, every type takes part."""

    @property
    def band(self) -> str:
        """preselected | choose | none."""
        if self.target is None:
            return "none"
        return "preselected" if self.probability >= SURE else "choose"


@dataclass(slots=True)
class Work:
    """The matrices of one object pair while rules change them."""

    source: Side
    target: Side
    probability: Matrix
    features: dict[str, Matrix]
    votes: dict[tuple[int, int], float] = field(default_factory=dict)
    said: dict[tuple[int, int], Ground] = field(default_factory=dict)
    spoken: dict[int, Ground] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    refused: set[tuple[int, int | None]] = field(default_factory=set)
    """Places (row, column) that this tenant decided against; column None: the field goes nowhere."""
