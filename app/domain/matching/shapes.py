"""What samples say: whether values look like what a field takes, and how many values two fields share."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.domain.matching.columns import Column
from app.domain.matching.sides import Item
from app.domain.schema import FieldType as T

_LOOKS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "url": re.compile(r"(https?://|www\.)\S+|[\w-]+(\.[\w-]+)+(/\S*)?", re.IGNORECASE),
    "date": re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*"),
    "phone": re.compile(r"[+(]?\d[\d ()./x-]{5,}\d"),
    "number": re.compile(r"[-+(]?[^\w]{0,3}\d[\d.,' ]*\)?\s*%?"),
    "bool": re.compile(r"true|false|yes|no|y|n|0|1", re.IGNORECASE),
}
_WANTS = {
    T.EMAIL: "email", T.URL: "url", T.DATE: "date", T.DATETIME: "date", T.PHONE: "phone", T.INTEGER: "number",
    T.DECIMAL: "number", T.CURRENCY: "number", T.PERCENT: "number", T.BOOLEAN: "bool",
}  # fmt: skip


def looks(column: Column) -> dict[str, float]:
    """Shares of the samples that look like an e-mail address, a date, …; empty without samples."""
    values = [one.strip()[:200] for one in column.samples if one.strip()]
    if not values:
        return {}
    return {name: sum(bool(shape.fullmatch(one)) for one in values) / len(values) for name, shape in _LOOKS.items()}


def shape_fit(ours: Sequence[Item], theirs: Sequence[Item]) -> npt.NDArray[np.float32]:
    """1 where samples look like what the destination takes, -1 where they do not, 0 without samples or demands."""
    made = np.zeros((len(ours), len(theirs)), np.float32)
    wants = [_WANTS.get(item.column.type) if item.column.type else None for item in theirs]
    for row, item in enumerate(ours):
        seen = looks(item.column)
        if not seen:
            continue
        special = max(("email", "url", "date"), key=lambda one: seen[one])
        for place, wanted in enumerate(wants):
            if wanted is not None:
                made[row, place] = 2 * seen[wanted] - 1
            elif seen[special] > 0.9 and theirs[place].column.type in {T.PICKLIST, T.USER, T.LOOKUP}:
                made[row, place] = -0.5
    return made


def value_overlap(ours: Sequence[Item], theirs: Sequence[Item]) -> npt.NDArray[np.float32]:
    """The share of a source field's values that the destination field's options or samples hold."""
    made = np.zeros((len(ours), len(theirs)), np.float32)
    right = [
        frozenset(one.casefold().strip() for one in (*item.column.picklist, *item.column.samples)) for item in theirs
    ]
    columns = [place for place, one in enumerate(right) if one]
    for row, item in enumerate(ours):
        left = frozenset(one.casefold().strip() for one in item.column.samples if one.strip())
        for place in columns if left else ():
            made[row, place] = len(left & right[place]) / min(len(left), len(right[place]))
    return made
