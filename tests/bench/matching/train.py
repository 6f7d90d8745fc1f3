"""Fits the coefficients that ship: `python -m tests.bench.matching.train [--write]`.

Leaves one source system out at a time for the figures and for the calibrator; the shipped regressions see everything.
"""

import sys
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from app.domain.matching.assignment import assign
from app.domain.matching.features import BASE, RIVALRY, base_features, groundless, rivalry_features
from app.domain.matching.memory import Memory
from app.domain.matching.model import CALIBRATION, Regression, calibration_features
from tests.bench.matching.damage import damaged
from tests.bench.matching.foreign import foreign_tasks
from tests.bench.matching.metrics import best_f1, calibration_error, most_pairs, one_to_one, ranking
from tests.bench.matching.tasks import Task, own_tasks, shared_tasks

OUT = Path("app/domain/matching/knowledge/coefficients.json")
HARD = 8
FLOOR = -1.5
_WORTH = {"shared": 1.0, "own": 0.5, "open": 1.5}
"""What a pair of fields counts by where its truth is from: foreign tables are few and most like what comes."""

_LIKE_WHAT_COMES = {"shared": 1.0, "own": 0.5, "open": 3.0}
"""The same for the calibration, which has to hold for tables like the foreign ones."""


_DOUBT = {"shared": 0.0, "own": 0.0, "open": 0.02}
"""What a right answer counts less than 1 in the calibration: the knowledge has been widened for the open tables; where
the model was sure, their first runs had been right one or two times in a hundred less often."""

_GROUPS = 8
_UNREAD = 0.2
"""The share of fields whose words the knowledge is taken not to hold: what a table nobody has thought of is like."""


@dataclass
class Prepared:
    """A task with its features and truth matrix."""

    task: Task
    base: dict[str, np.ndarray]
    truth: np.ndarray


def prepared(task: Task, without: frozenset[str], unread: int | None = None) -> Prepared:
    """Features as if the task's own system (and `without`) had never been described. With a seed `unread`, some fields
    are read as if none of their words had been listed."""
    source, target = task.sides()
    if unread is not None:
        chance = np.random.default_rng([unread, *task.name.encode()])
        for item in source.items:
            if chance.random() < _UNREAD:
                item.concepts, item.block = {}, ""
    truth = np.zeros((len(source.items), len(target.items)), np.float32)
    for row, good in task.truth.items():
        truth[row, list(good)] = 1.0
    return Prepared(task, base_features(source, target, Memory(without | {task.system, task.destination})), truth)


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, names: Sequence[str], ridge: float = 3.0) -> Regression:
    """Ridge logistic regression by Newton's steps, on centred and scaled features."""
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-3)
    z = np.hstack([(x - mean) / scale, np.ones((len(x), 1))]).astype(np.float64)
    beta = np.zeros(z.shape[1])
    penalty = np.full(z.shape[1], ridge)
    penalty[-1] = 1e-6
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        slope = z.T @ (weight * (p - y)) + penalty * beta
        curve = (z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        beta -= step
        if np.abs(step).max() < 1e-5:
            break
    return Regression(tuple(names), mean.astype(float), scale.astype(float), beta[:-1], float(beta[-1]))


def _flat(features: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    return np.stack([features[name].ravel() for name in names], 1)


def _picked(one: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """(places of the pairs to learn from, their weights): all that look alike, one in twenty of the others."""
    looks = one.base["concept"] + one.base["token_sort"] + one.base["alias"]
    hard = ((-looks).argsort(1).argsort(1) < HARD) | (one.truth > 0)
    chance = np.random.default_rng(len(looks))
    chosen = hard | (chance.random(looks.shape) < 0.05)
    weight = np.where(hard, 1.0, 2.0) * _WORTH[one.task.origin]
    places = np.nonzero(chosen.ravel())[0]
    return places, weight.ravel()[places]


def fit_pair(train: Sequence[Prepared]) -> tuple[Regression, Regression]:
    """Both regressions."""
    picks = [_picked(one) for one in train]
    y = np.concatenate([one.truth.ravel()[places] for one, (places, _) in zip(train, picks, strict=True)])
    weight = np.concatenate([weights for _, weights in picks])
    rows = [_flat(one.base, BASE)[places] for one, (places, _) in zip(train, picks, strict=True)]
    alone = fit(np.concatenate(rows), y, weight, BASE)
    full = []
    for one, (places, _) in zip(train, picks, strict=True):
        features = {**one.base, **rivalry_features(alone.logit(one.base), one.base["alias"])}
        full.append(_flat(features, (*BASE, *RIVALRY))[places])
    return alone, fit(np.concatenate(full), y, weight, (*BASE, *RIVALRY))


def scored(pair: tuple[Regression, Regression], one: Prepared) -> np.ndarray:
    alone, rivals = pair
    return rivals.logit({**one.base, **rivalry_features(alone.logit(one.base), one.base["alias"])})


def proposals(items: Sequence[Prepared], logits: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(calibration features, right or not) of every assigned pair."""
    rows, good = [], []
    for one, logit in zip(items, logits, strict=True):
        made = calibration_features(logit, one.base, groundless(one.base))
        for row, place in assign(logit, -9).items():
            rows.append([made[name][row, place] for name in CALIBRATION])
            good.append(one.truth[row, place])
    return np.array(rows), np.array(good)


def calibrator(items: Sequence[Prepared], logits: Sequence[np.ndarray]) -> Regression:
    made = [(*proposals([one], [logit]), one.task.origin) for one, logit in zip(items, logits, strict=True)]
    x = np.concatenate([x for x, _, _ in made if len(x)])
    y = np.concatenate([y * (1 - _DOUBT[origin]) for _, y, origin in made])
    weight = np.concatenate([np.full(len(y), _LIKE_WHAT_COMES[origin]) for _, y, origin in made])
    return fit(x, y, weight, CALIBRATION, ridge=1.0)


def calibrated(regression: Regression, x: np.ndarray) -> np.ndarray:
    """Probabilities of rows of `proposals`."""
    made = {name: x[:, place : place + 1].astype(np.float32) for place, name in enumerate(CALIBRATION)}
    odds: np.ndarray = regression.logit(made).ravel()
    return 1 / (1 + np.exp(-odds))


def group(task: Task) -> str:
    """Which tasks are left out together: those of a system, foreign tables by groups, since they are many and small."""
    return f"tables {zlib.crc32(task.system.encode()) % _GROUPS}" if task.origin == "open" else task.system


def report(
    label: str, items: Sequence[Prepared], logits: Sequence[np.ndarray], cal: Sequence[Regression] | None = None
) -> None:
    tasks = [one.task for one in items]
    total = sum(most_pairs(task) for task in tasks)
    line = ranking(tasks, logits)
    line["f1"] = best_f1(one_to_one(tasks, logits), total)
    text = "  ".join(f"{name} {value:.3f}" for name, value in line.items())
    if cal is not None:
        ps, ys = [], []
        for one, logit, regression in zip(items, logits, cal, strict=True):
            x, y = proposals([one], [logit])
            ps.append(calibrated(regression, x))
            ys.append(y)
        p, y = np.concatenate(ps), np.concatenate(ys)
        sure = p >= 0.9
        right = f"p90 {y[sure].mean():.3f} recall {y[sure].sum() / total:.3f}"
        text += f"  ece {calibration_error(p, y):.3f}  {right}  below.1 wrong {int(y[p < 0.1].sum())}"
    print(f"{label:28s} {text}", flush=True)


def main() -> None:
    start = time.time()
    shared, own = shared_tasks(), own_tasks()
    covered = {(one.system, one.destination, one.target.name) for one in shared}
    own = [one for one in own if (one.system, one.destination, one.target.name) not in covered]
    tasks = [*shared, *own, *foreign_tasks("open")]
    items = [prepared(one, frozenset()) for one in tasks]
    worn = [prepared(damaged(one, 7), frozenset()) for one in tasks]
    unread = [prepared(one, frozenset(), 3) for one in tasks]
    test_worn = [prepared(damaged(one, 1), frozenset()) for one in tasks]
    print(f"{len(tasks)} pairs of objects, {len(shared)} annotated; features in {time.time() - start:.1f} s")
    held: dict[str, tuple[Regression, Regression]] = {}
    names = sorted({group(one) for one in tasks})
    for name in names:
        held[name] = fit_pair([one for one in (*items, *worn, *unread) if group(one.task) != name])
    logits = [scored(held[group(one.task)], one) for one in items]
    worn_logits = [scored(held[group(one.task)], one) for one in test_worn]
    unread_logits = [scored(held[group(one.task)], one) for one in unread]
    judged, judged_logits = [*items, *unread], [*logits, *unread_logits]
    cal = {}
    for name in names:
        rest = [place for place, one in enumerate(judged) if group(one.task) != name]
        cal[name] = calibrator([judged[p] for p in rest], [judged_logits[p] for p in rest])
    for label, chosen in (("annotated", "shared"), ("own", "own"), ("foreign tables", "open")):
        mine = [place for place, one in enumerate(items) if one.task.origin == chosen]
        if not mine:
            continue
        pick = lambda seq: [seq[p] for p in mine]  # noqa: E731, B023
        cals = [cal[group(items[p].task)] for p in mine]
        report(label, pick(items), pick(logits), cals)
        report(label + ", damaged", pick(test_worn), pick(worn_logits))
        report(label + ", partly unread", pick(unread), pick(unread_logits), cals)
        for name in sorted({items[p].task.system for p in mine}):
            some = [p for p in mine if items[p].task.system == name]
            if "-v" in sys.argv:
                report("   " + name, [items[p] for p in some], [logits[p] for p in some],
                       [cal[group(items[p].task)] for p in some])  # fmt: skip
    if "--errors" in sys.argv:
        _errors(items, logits)
    if "--write" in sys.argv:
        alone, rivals = fit_pair([*items, *worn, *unread])
        everything = calibrator(judged, judged_logits)
        about = "object pairs of the knowledge files" + (f", {len(shared)} annotated object pairs" if shared else "")
        about += f", {len(tasks) - len(own) - len(shared)} foreign tables"
        made = {
            "trained_on": f"{len(own)} {about}, each clean, damaged and partly unread",
            "floor": FLOOR, "alone": alone.write(), "rivals": rivals.write(), "calibration": everything.write(),
        }  # fmt: skip
        OUT.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2) + b"\n")
        for name, weight in sorted(zip(rivals.names, rivals.weights, strict=True), key=lambda o: -abs(o[1])):
            print(f"   {name:20s} {weight:+.2f}")
    print(f"{time.time() - start:.1f} s")


def _errors(items: Sequence[Prepared], logits: Sequence[np.ndarray]) -> None:
    """First ranks that are wrong, and confident proposals for fields without a counterpart."""
    for one, logit in zip(items, logits, strict=True):
        ours, theirs = one.task.source.columns, one.task.target.columns
        for row in range(len(ours)):
            place, good = int(logit[row].argmax()), one.task.truth.get(row, frozenset())
            if place not in good and (good or logit[row, place] > 1.5):
                wanted = ", ".join(theirs[other].name for other in good) or "none"
                print(
                    f"{one.task.name} {ours[row].shown} -> {theirs[place].name} {logit[row, place]:.1f}, not {wanted}"
                )


if __name__ == "__main__":
    main()
