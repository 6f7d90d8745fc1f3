"""How well values of one type fit a field of another."""

import numpy as np
import numpy.typing as npt

from app.domain.matching.columns import Column
from app.domain.schema import FieldType as T

UNKNOWN = 0.7
_GROUPS = {
    T.TEXT: "str", T.TEXTAREA: "long", T.PICKLIST: "enum", T.MULTIPICKLIST: "multi", T.BOOLEAN: "bool",
    T.INTEGER: "num", T.DECIMAL: "num", T.CURRENCY: "num", T.PERCENT: "num", T.DATE: "date", T.DATETIME: "date",
    T.TIME: "time", T.EMAIL: "email", T.PHONE: "phone", T.URL: "url", T.LOOKUP: "ref", T.USER: "ref", T.ID: "id",
    T.FILE: "file", T.COMPOUND: "compound", T.AUTONUMBER: "str",
}  # fmt: skip
_FITS = {
    ("str", "long"): 0.8, ("str", "enum"): 0.65, ("str", "multi"): 0.5, ("str", "email"): 0.6, ("str", "phone"): 0.6,
    ("str", "url"): 0.65, ("str", "ref"): 0.6, ("str", "num"): 0.5, ("str", "date"): 0.45, ("str", "id"): 0.35,
    ("str", "bool"): 0.3, ("str", "file"): 0.4, ("str", "time"): 0.5, ("str", "compound"): 0.5, ("long", "enum"): 0.25,
    ("long", "multi"): 0.2, ("enum", "multi"): 0.75, ("enum", "ref"): 0.5, ("enum", "bool"): 0.45, ("enum", "num"): 0.4,
    ("num", "ref"): 0.5, ("num", "id"): 0.35, ("ref", "id"): 0.3, ("ref", "multi"): 0.45, ("bool", "num"): 0.25,
    ("date", "num"): 0.15, ("date", "time"): 0.3, ("file", "url"): 0.7, ("num", "phone"): 0.4, ("long", "email"): 0.2,
    ("email", "ref"): 0.2, ("long", "compound"): 0.4, ("multi", "long"): 0.4, ("phone", "id"): 0.1,
    ("long", "ref"): 0.2,
    ("num", "time"): 0.35, ("bool", "multi"): 0.2, ("email", "multi"): 0.4,
    ("url", "long"): 0.3, ("file", "long"): 0.15,
}  # fmt: skip


def fit(source: Column, target: Column) -> float:
    """0 (never) to 1 (the same kind of value); 0.7 where a type is unknown."""
    if source.type is None or target.type is None:
        return UNKNOWN
    return group_fit(_GROUPS[source.type], _GROUPS[target.type])


def group_fit(ours: str, theirs: str) -> float:
    if ours == theirs:
        return 1.0
    return _FITS.get((ours, theirs), _FITS.get((theirs, ours), 0.08))


def fits(sources: list[Column], targets: list[Column]) -> npt.NDArray[np.float32]:
    """The matrix of `fit`."""
    names = sorted(set(_GROUPS.values()))
    table = np.array([[*(group_fit(a, b) for b in names), UNKNOWN] for a in names] + [[UNKNOWN] * (len(names) + 1)])
    place = {name: number for number, name in enumerate(names)}

    def rows(columns: list[Column]) -> list[int]:
        return [place[_GROUPS[one.type]] if one.type else len(names) for one in columns]

    made: npt.NDArray[np.float32] = table[np.ix_(rows(sources), rows(targets))].astype(np.float32)
    return made
