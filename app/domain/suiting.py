"""The blueprint as it suits one account: accounts of one vendor differ in the objects they have."""

from app.domain.blueprint import Blueprint
from app.domain.mapping import FieldRule, Load
from app.domain.schema import Inventory


def suits(load: Load, destination: Inventory) -> bool:
    """Whether the account has what the load asks for, and lacks what rules it out."""
    has_needed = not load.only_with or destination.object(load.only_with) is not None
    return has_needed and (not load.only_without or destination.object(load.only_without) is None)


def suited(blueprint: Blueprint, destination: Inventory) -> Blueprint:
    """The blueprint without the loads for another kind of account, and without references to them."""
    absent = {load.key for load in blueprint.loads if not suits(load, destination)}
    if not absent:
        return blueprint
    loads = tuple(_fitted(load, absent) for load in blueprint.loads if load.key not in absent)
    return blueprint.model_copy(update={"loads": loads})


def _fitted(load: Load, absent: set[str]) -> Load:
    return load.model_copy(update={"fields": tuple(_without(rule, absent) for rule in load.fields)})


def _without(rule: FieldRule, absent: set[str]) -> FieldRule:
    if rule.lookup is None or not absent & set(rule.lookup.loads):
        return rule
    kept = tuple(key for key in rule.lookup.loads if key not in absent)
    return rule.model_copy(update={"lookup": rule.lookup.model_copy(update={"loads": kept})})
