"""`make bench-matching`: the table of figures, on sources the model has not seen, beside rapidfuzz and COMA."""

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.domain.matching.columns import Column, Schema, Table
from app.domain.matching.memory import Memory
from app.domain.matching.model import Regression
from app.domain.matching.objects import guess_kind, match_objects
from app.domain.matching.options import map_options
from app.domain.matching.proposal import propose_tables
from app.domain.matching.sides import Reading, reading_of
from app.domain.matching.systems import find_system
from tests.bench.matching.anchors import coma_scores, rapidfuzz_scores
from tests.bench.matching.damage import damaged
from tests.bench.matching.metrics import best_f1, calibration_error, most_pairs, one_to_one, ranking
from tests.bench.matching.tasks import SHARED, Task, own_tasks, shared_tasks
from tests.bench.matching.train import Prepared, calibrator, fit_pair, prepared, proposals, scored

HERE = Path(__file__).parent


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def line(label: str, tasks: Sequence[Task], scores: Sequence[np.ndarray]) -> None:
    figures = ranking(tasks, scores)
    f1 = best_f1(one_to_one(tasks, scores), sum(most_pairs(task) for task in tasks))
    show(f"| {label:38s} | {figures['r1']:.3f} | {figures['r3']:.3f} | {figures['mrr']:.3f} | {f1:.3f} |")


def held_out(tasks: Sequence[Task]) -> None:
    """Leave one source system out: ranking, F1, damaged names, calibration."""
    clean = [prepared(one, frozenset()) for one in tasks]
    worn = [prepared(damaged(one, 7), frozenset()) for one in tasks]
    test = [prepared(damaged(one, 1), frozenset()) for one in tasks]
    systems = sorted({one.system for one in tasks})
    held = {name: fit_pair([one for one in (*clean, *worn) if one.task.system != name]) for name in systems}
    logits = [scored(held[one.task.system], one) for one in clean]
    for origin in ("shared", "own"):
        mine = [place for place, one in enumerate(clean) if one.task.origin == origin]
        if not mine:
            continue
        chosen = [clean[place].task for place in mine]
        systems_here = len({one.system for one in chosen})
        show(f"\n{origin}: {len(mine)} object pairs of {systems_here} source systems, each never seen")
        show("| matcher                                |  R@1  |  R@3  |  MRR  | F1 1:1 |\n|---|---|---|---|---|")
        line("this one", chosen, [logits[place] for place in mine])
        line("rapidfuzz", chosen, [rapidfuzz_scores(one) for one in chosen])
        coma = [coma_scores(one) for one in chosen] if origin == "shared" else [None]
        if all(one is not None for one in coma):
            line("COMA", chosen, [one for one in coma if one is not None])
        elif origin == "shared":
            show("| COMA: install valentine and pandas to see it |")
        worn_tasks = [test[place].task for place in mine]
        line("this one, damaged names", worn_tasks, [scored(held[test[p].task.system], test[p]) for p in mine])
        line("rapidfuzz, damaged names", worn_tasks, [rapidfuzz_scores(one) for one in worn_tasks])
        _calibration([clean[place] for place in mine], [logits[place] for place in mine], clean, logits)


def _calibration(
    items: Sequence[Prepared],
    logits: Sequence[np.ndarray],
    everything: Sequence[Prepared],
    scores: Sequence[np.ndarray],
) -> None:
    made: dict[str, Regression] = {}
    ps, ys = [], []
    for one, logit in zip(items, logits, strict=True):
        name = one.task.system
        if name not in made:
            rest = [place for place, other in enumerate(everything) if other.task.system != name]
            made[name] = calibrator([everything[p] for p in rest], [scores[p] for p in rest])
        x, y = proposals([one], [logit])
        features = {
            key: x[:, place : place + 1].astype(np.float32) for place, key in enumerate(("logit", "row", "column"))
        }
        ps.append(1 / (1 + np.exp(-made[name].logit(features).ravel())))
        ys.append(y)
    p, y = np.concatenate(ps), np.concatenate(ys)
    total = sum(most_pairs(one.task) for one in items)
    sure = p >= 0.9
    show(
        f"calibration error {calibration_error(p, y):.3f}; p >= 0.9: precision {y[sure].mean():.3f}, "
        f"recall {y[sure].sum() / total:.3f}; p < 0.1: {int(y[p < 0.1].sum())} of {int((p < 0.1).sum())} were right"
    )


def known_sources() -> float:
    """R@1 of the whole road on systems that are described, over their standard fields."""
    right = total = 0
    for task in shared_tasks():
        source = Schema(task.system, (task.source,))
        target = Schema(task.destination, (task.target,))
        pairs = propose_tables(source, target)[0].pairs
        system = find_system(task.system)
        known = system.object(task.source.name) if system else None
        for row, good in task.truth.items():
            column = task.source.columns[row]
            if not pairs or known is None or column.name not in known.fields or not known.fields[column.name].concepts:
                continue
            right += pairs[row].target in good
            total += 1
    return right / max(total, 1)


def localised() -> tuple[float, int]:
    """R@1 on tables with labels in other languages and no API names."""
    right = total = 0
    target = find_system("zoho_crm")
    assert target is not None
    for tables in json.loads((HERE / "localised.json").read_text(encoding="utf-8")).values():
        for name, fields in tables.items():
            source = Schema("", (Table(name, name, tuple(Column(label) for label in fields)),))
            only = Schema("zoho_crm", tuple(one for one in target.schema().tables if one.name == name))
            made = propose_tables(source, only)[0]
            for pair, wanted in zip(made.pairs, fields.values(), strict=False):
                found = made.target.columns[pair.target].name if made.target and pair.target is not None else None
                right += found == wanted
                total += 1
                if "-v" in sys.argv and found != wanted:
                    show(f"   {list(fields)[pair.row]} -> {found} instead of {wanted}")
    return right / max(total, 1), total


def options() -> tuple[float, int]:
    """Share of pick-list values that get an acceptable counterpart, none included."""
    path = SHARED / "picklists" / "value_maps.json"
    right = total = 0
    for one in json.loads(path.read_text()) if path.exists() else ():
        for match in map_options(one["source"], one["target"]):
            good = one["map"].get(match.source)
            right += match.target in good if good else match.target is None
            total += 1
            if "-v" in sys.argv and not (match.target in good if good else match.target is None):
                show(f"   {one['system']} {one['field']}: {match.source} -> {match.target} instead of {good}")
    return right / max(total, 1), total


def objects() -> tuple[float, int]:
    """Share of source objects that find their place, the source treated as unknown."""
    right = total = 0
    for destination in ("zoho_crm", "freshsales"):
        system = find_system(destination)
        assert system is not None
        targets = [(table, guess_kind(table, system, Reading())) for table in system.schema().tables]
        for task in (one for one in (*shared_tasks(), *own_tasks()) if one.destination == destination):
            guess = guess_kind(task.source, None, reading_of([task.source]))
            found = match_objects([(task.source, guess)], targets)[0].target
            right += found == task.target.name
            total += 1
            if "-v" in sys.argv and found != task.target.name:
                show(f"   {task.system}.{task.source.name} ({guess}) -> {found} instead of {task.target.name}")
    return right / max(total, 1), total


def speed() -> None:
    """One migration of about 400 fields, first and again."""
    tables = [replace(one.source) for one in (*shared_tasks(), *own_tasks()) if one.system == "salesforce"][:9]
    source = Schema("unheard of", tuple(tables))
    destination = find_system("zoho_crm")
    assert destination is not None
    for label in ("first", "again"):
        start = time.perf_counter()
        propose_tables(source, destination.schema(), Memory())
        show(f"{sum(len(one.columns) for one in tables)} fields, {label}: {time.perf_counter() - start:.2f} s")


def main() -> None:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    shared = shared_tasks()
    covered = {(one.system, one.destination, one.target.name) for one in shared}
    own = [one for one in own_tasks() if (one.system, one.destination, one.target.name) not in covered]
    if "--quick" not in sys.argv:
        held_out([*shared, *own])
    if shared:
        show(f"\nknown sources, standard fields: R@1 {known_sources():.3f}")
    value, count = localised()
    show(f"labels in other languages ({count}): R@1 {value:.3f}")
    value, count = options()
    if count:
        show(f"pick-list values ({count}): {value:.3f}")
    value, count = objects()
    show(f"objects ({count}): {value:.3f}")
    speed()


if __name__ == "__main__":
    main()
