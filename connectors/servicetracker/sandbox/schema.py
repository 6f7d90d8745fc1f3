"""Every object of the sandbox by name, and what follows from their references to each other."""

from collections.abc import Iterator

from connectors.servicetracker.sandbox.fields import Field, SObject
from connectors.servicetracker.sandbox.schema_files import FILES
from connectors.servicetracker.sandbox.schema_people import PEOPLE
from connectors.servicetracker.sandbox.schema_work import WORK

OBJECTS: dict[str, SObject] = {one.name: one for one in (*PEOPLE, *WORK, *FILES)}
_BY_LOWER = {name.lower(): one for name, one in OBJECTS.items()}
BY_PREFIX: dict[str, SObject] = {one.prefix: one for one in OBJECTS.values()}


def find_object(name: str) -> SObject | None:
    """Object names ignore case, as SOQL does."""
    return _BY_LOWER.get(name.lower())


def references_to(target: str) -> Iterator[tuple[SObject, Field]]:
    """Every field of every object that may point to `target`."""
    for one in OBJECTS.values():
        for field in one.fields:
            if target in field.refers:
                yield one, field
