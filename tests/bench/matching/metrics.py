"""Figures of ranking, assignment and calibration."""

from collections.abc import Sequence

import numpy as np

from app.domain.matching.assignment import assign
from tests.bench.matching.tasks import Task


def ranking(tasks: Sequence[Task], scores: Sequence[np.ndarray]) -> dict[str, float]:
    """R@1, R@3, R@5 and MRR over source fields that have a counterpart."""
    hits, total = np.zeros(4), 0
    for task, score in zip(tasks, scores, strict=True):
        for row, good in task.truth.items():
            order = np.argsort(-score[row], kind="stable")
            rank = next((number for number, place in enumerate(order, 1) if int(place) in good), 10**6)
            hits += (rank <= 1, rank <= 3, rank <= 5, 1 / rank)
            total += 1
    return dict(zip(("r1", "r3", "r5", "mrr"), hits / max(total, 1), strict=True)) | {"n": total}


def most_pairs(task: Task) -> int:
    """The size of the largest one-to-one set of true pairs."""
    size = (len(task.source.columns), len(task.target.columns))
    worth = np.zeros(size)
    for row, good in task.truth.items():
        worth[row, list(good)] = 1.0
    return len(assign(worth, 0.0))


def one_to_one(tasks: Sequence[Task], scores: Sequence[np.ndarray]) -> list[tuple[float, bool]]:
    """Every proposal after assignment with its score and whether it is right."""
    out = []
    for task, score in zip(tasks, scores, strict=True):
        for row, place in assign(score, float(score.min()) - 1).items():
            out.append((float(score[row, place]), place in task.truth.get(row, ())))
    return out


def best_f1(proposals: Sequence[tuple[float, bool]], total: int) -> float:
    """F1 at the best single threshold; `total` is how many could be found."""
    best, right = 0.0, 0
    ordered = sorted(proposals, key=lambda one: -one[0])
    for number, (score, good) in enumerate(ordered, 1):
        right += good
        if number < len(ordered) and ordered[number][0] == score:
            continue
        best = max(best, 2 * right / (number + total))
    return best


def calibration_error(p: np.ndarray, y: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal size."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) / len(p) * abs(p[part].mean() - y[part].mean()) for part in parts))
