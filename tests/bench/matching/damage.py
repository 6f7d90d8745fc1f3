"""Names damaged the way administrators name custom fields: cut short, prefixed, run together. Seeded."""

import random
from collections import defaultdict
from dataclasses import replace

from app.domain.matching.columns import Column, Table
from app.domain.matching.names import split, words
from tests.bench.matching.tasks import Task

_PREFIXES = ("acme", "crm", "x", "cust", "std", "biz", "my")


def damaged_label(label: str, chance: random.Random) -> str:
    """One damaged name for a label."""
    short = defaultdict(list)
    for piece, spelt in words().short.items():
        if len(spelt) == 1:
            short[spelt[0]].append(piece)
    out = []
    for word in split(label):
        made = word
        if word in short and chance.random() < 0.6:
            made = chance.choice(sorted(short[word]))
        elif len(word) > 4 and chance.random() < 0.45:
            bare = word[0] + "".join(one for one in word[1:] if one not in "aeiou")
            made = bare if chance.random() < 0.6 else word[: chance.choice((3, 4))]
        out.append(made)
    if len(out) > 1 and chance.random() < 0.15:
        out = [*out[1:], out[0]]
    if chance.random() < 0.3:
        out = [chance.choice(_PREFIXES), *out]
    style = chance.random()
    text = "_".join(out) if style < 0.6 else "".join(map(str.capitalize, out)) if style < 0.84 else "".join(out)
    return text + ("__c" if chance.random() < 0.3 else "")


def damaged(task: Task, seed: int) -> Task:
    """The task with every source field renamed; labels are gone."""
    chance = random.Random(f"{seed}{task.name}")
    columns = []
    for one in task.source.columns:
        name = damaged_label(one.shown, chance)
        columns.append(Column(name, name, one.type, one.picklist))
    return replace(task, source=Table(task.source.name, task.source.label, tuple(columns)))
