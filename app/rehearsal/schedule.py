"""What happens when: a seeded schedule of faults over the runs of one rehearsal. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.rehearsal.faults import Fault, Place

RUNS = ("provision", "sample", "full", "delta", "rollback")
"""Kinds of runs that meet faults, in their order; everything between them is calm."""
_PROVISIONING = 0.25
_CHANGED = "full"
"""The run in which the schema changes: the longest, and what it misses lands in the second full run."""
_WEIGHTS = {"sample": 1, "full": 4, "delta": 1, "rollback": 2}


@dataclass(frozen=True, slots=True)
class Moment:
    """An event: `name` strikes once `answers` answers of the destination have passed in this run."""

    answers: int
    name: str


@dataclass(slots=True)
class Weather:
    """What one run meets: rates of the network and of both stand-ins, and events in their order."""

    network: dict[str, int] = field(default_factory=dict)
    destination: dict[str, int] = field(default_factory=dict)
    source: dict[str, int] = field(default_factory=dict)
    events: list[Moment] = field(default_factory=list)


Schedule = Mapping[str, Weather]


def make_schedule(
    seed: int, faults: Sequence[Fault], pair: tuple[str, str], records: int, *, exact: bool = False
) -> dict[str, Weather]:
    """The same arguments, the same schedule. Rates vary by half around each fault's own, unless they are to be `exact`.

    Events fall into the runs by weight, the full run most, and within the first answers that a run of `records`
    source records is sure to have. Provisioning, which asks about two hundred times whatever the size, meets faults
    in one schedule of four, or always if an exact fault strikes there. Of several changes to the schema a schedule that
    need not be exact has one.
    """
    draw = random.Random(seed)  # noqa: S311  a schedule is to be repeatable, not secret
    preparing = exact and any(fault.preparing for fault in faults)
    met = [kind for kind in RUNS if kind != "provision" or draw.random() < _PROVISIONING or preparing]
    schedule = {kind: Weather() for kind in met}
    for fault in faults:
        if fault.place is Place.PROCESS:
            for _ in range(fault.times):
                kind = draw.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
                schedule[kind].events.append(Moment(draw.randint(1, _span(kind, records)), fault.name))
            continue
        if fault.place is Place.SCHEMA:
            continue
        for weather in schedule.values():
            shelf, platform = {
                Place.NETWORK: (weather.network, ""),
                Place.DESTINATION: (weather.destination, pair[1]),
                Place.SOURCE: (weather.source, pair[0]),
            }[fault.place]
            for name, value in fault.switches(platform).items():
                fixed = exact or name.endswith(("_ms", "_bytes", "_seconds"))
                shelf[name] = min(10_000, shelf.get(name, 0) + (value if fixed else _varied(draw, value)))
    schedule[_CHANGED].events += _changes(seed, faults, records, exact=exact)
    for weather in schedule.values():
        weather.events.sort(key=lambda one: one.answers)
        if weather.destination:
            weather.destination["seed"] = draw.randrange(1, 1 << 30)
        if weather.source:
            weather.source["seed"] = draw.randrange(1, 1 << 30)
    return schedule


def _changes(seed: int, faults: Sequence[Fault], records: int, *, exact: bool) -> list[Moment]:
    """Changes to the schema, drawn apart from everything else."""
    draw = random.Random(f"{seed}:schema")  # noqa: S311
    names = [fault.name for fault in faults if fault.place is Place.SCHEMA]
    if names and not exact:
        names = [draw.choice(names)]
    return [Moment(draw.randint(1, _span(_CHANGED, records)), name) for name in names]


def _span(kind: str, records: int) -> int:
    """Answers within which an event falls: loads ask about once per 40 records at this size, at least 6 times."""
    return max(6, records // (40 if kind in ("full", "rollback") else 400))


def _varied(draw: random.Random, rate: int) -> int:
    return max(1, round(rate * draw.uniform(0.5, 1.5)))
