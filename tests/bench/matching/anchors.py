"""The matchers to beat on the same pairs: rapidfuzz on names and labels, and COMA where the valentine package is."""

import numpy as np
from rapidfuzz import fuzz, process

from app.domain.matching.names import split
from tests.bench.matching.tasks import Task


def _texts(task: Task, which: str, side: str) -> list[str]:
    return [" ".join(split(getattr(one, which) or one.name)) for one in getattr(task, side).columns]


def rapidfuzz_scores(task: Task) -> np.ndarray:
    """The better token-set ratio of names and labels; token-sort breaks ties."""
    pairs = [(_texts(task, which, "source"), _texts(task, which, "target")) for which in ("label", "name")]
    best = np.max([process.cdist(a, b, scorer=fuzz.token_set_ratio) for a, b in pairs], axis=0)
    ties = np.max([process.cdist(a, b, scorer=fuzz.token_sort_ratio) for a, b in pairs], axis=0)
    return best / 100 + ties / 1e4


def coma_scores(task: Task) -> np.ndarray | None:
    """COMA's schema matcher over labels; None without the packages (`uv pip install valentine pandas`)."""
    try:
        import pandas as pd
        from valentine import valentine_match
        from valentine.algorithms import Coma
    except ImportError:
        return None
    left = [f"{' '.join(split(one.shown))}#{n}" for n, one in enumerate(task.source.columns)]
    right = [f"{' '.join(split(one.shown))}#{n}" for n, one in enumerate(task.target.columns)]
    frames = [pd.DataFrame({name: pd.Series(dtype=str) for name in names}) for names in (left, right)]
    found = valentine_match(frames, Coma())
    made = np.zeros((len(left), len(right)))
    for pair, score in found.items():
        ours, theirs = (
            (pair.source_column, pair.target_column) if hasattr(pair, "source_column") else (pair[0][1], pair[1][1])
        )
        made[left.index(ours), right.index(theirs)] = score
    return made
