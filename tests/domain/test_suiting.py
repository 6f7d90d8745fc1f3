"""Loads for accounts of one vendor that differ in the objects they have."""

from datetime import UTC, datetime

import pytest

from app.domain.schema import Inventory, ObjectSpec
from app.domain.suiting import suited
from connectors.registry import load_blueprint


def having(*names: str) -> Inventory:
    objects = tuple(ObjectSpec(name=name, label=name) for name in names)
    return Inventory(platform="freshsales", taken_at=datetime(2026, 1, 1, tzinfo=UTC), objects=objects)


@pytest.mark.parametrize("source", ["rsoft", "servicetracker"])
@pytest.mark.parametrize(("objects", "kept", "left"), [
    (("contacts",), "leads", "classic_leads"), (("contacts", "leads"), "classic_leads", "leads"),
])  # fmt: skip
def test_leads_go_the_way_that_the_account_has(source: str, objects: tuple[str, ...], kept: str, left: str) -> None:
    fitted = suited(load_blueprint(source, "freshsales"), having(*objects))
    keys = {load.key for load in fitted.loads}
    assert kept in keys
    assert left not in keys
    named = {key for load in fitted.loads for rule in load.fields if rule.lookup for key in rule.lookup.loads}
    assert left not in named


def test_a_blueprint_without_such_loads_stays_as_it_is() -> None:
    blueprint = load_blueprint("clinic", "freshsales")
    assert suited(blueprint, having("contacts")) is blueprint
