"""Schedules of faults: repeatable, complete, and different for different seeds."""

import pytest

from app.rehearsal.faults import BY_NAME, FAULTS, Place, UnknownFault, chosen
from app.rehearsal.schedule import RUNS, Weather, make_schedule

PAIR = ("servicetracker", "zoho_crm")


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert make_schedule(7, FAULTS, PAIR, 400) == make_schedule(7, FAULTS, PAIR, 400)
    assert make_schedule(7, FAULTS, PAIR, 400) != make_schedule(8, FAULTS, PAIR, 400)


def test_every_event_happens_as_often_as_its_fault_says() -> None:
    for seed in range(20):
        events = [
            moment.name for weather in make_schedule(seed, FAULTS, PAIR, 400).values() for moment in weather.events
        ]
        for fault in FAULTS:
            if fault.place is not Place.SCHEMA:
                assert events.count(fault.name) == (fault.times if fault.place is Place.PROCESS else 0)


def test_the_schema_changes_once_and_in_the_full_run() -> None:
    changes = {fault.name for fault in FAULTS if fault.place is Place.SCHEMA}
    met = set()
    for seed in range(40):
        schedule = make_schedule(seed, FAULTS, PAIR, 400)
        struck = [(kind, moment.name) for kind in schedule for moment in schedule[kind].events]
        [(kind, name)] = [one for one in struck if one[1] in changes]
        assert kind == "full"
        met.add(name)
    assert met == changes
    named = make_schedule(1, chosen("field_gone,options_gone"), PAIR, 400, exact=True)["full"]
    assert {one.name for one in named.events} == {"field_gone", "options_gone"}


def test_what_strikes_provisioning_by_name_meets_it() -> None:
    for seed in range(10):
        schedule = make_schedule(seed, chosen("duplicates_accepted"), PAIR, 400, exact=True)
        assert schedule["provision"].destination["no_unique_slots"] == 10_000


def test_events_come_in_their_order() -> None:
    for weather in make_schedule(3, FAULTS, PAIR, 10_000).values():
        assert [one.answers for one in weather.events] == sorted(one.answers for one in weather.events)


def test_named_faults_come_at_exactly_their_rates() -> None:
    weather = make_schedule(5, chosen("commit_drop,too_many"), PAIR, 400, exact=True)["full"]
    assert {name: rate for name, rate in weather.destination.items() if name != "seed"} == {"drop": 200, "fail429": 300}
    assert weather.network == {}
    assert weather.events == []


def test_a_stand_in_gets_the_switches_it_knows() -> None:
    rejects, expiry = chosen("rejects"), chosen("token_expiry")
    assert "reject_record" in make_schedule(1, rejects, PAIR, 400)["full"].destination
    assert "reject_record" in make_schedule(1, rejects, ("servicetracker", "freshsales"), 400)["full"].destination
    assert make_schedule(1, expiry, ("servicetracker", "freshsales"), 400)["full"].destination == {}


def test_none_is_calm() -> None:
    for weather in make_schedule(1, chosen("none"), PAIR, 400).values():
        assert weather == Weather()


def test_provisioning_meets_faults_in_some_schedules_only() -> None:
    met = sum("provision" in make_schedule(seed, FAULTS, PAIR, 400) for seed in range(200))
    assert 20 < met < 90
    assert all(kind in make_schedule(1, FAULTS, PAIR, 400) for kind in RUNS if kind != "provision")


def test_unknown_names_are_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownFault, match="worker_kill"):
        chosen("worker_kill,meteor")
    assert chosen("all") == FAULTS
    assert chosen("stall, stall") == (BY_NAME["stall"],)
