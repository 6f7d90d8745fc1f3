"""Postal addresses in a source object: which fields form one, and whether a record's is complete (ruling 27)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from app.domain.schema import ObjectSpec, Record
from app.domain.transforms import blank

_PARTS: Mapping[str, re.Pattern[str]] = {
    "street": re.compile(r"(street|address(_?line)?_?1?|addr1?)$"),
    "city": re.compile(r"(city|town|suburb|locality)$"),
    "postal": re.compile(r"(postal_?code|post_?code|zip(_?code)?|pin_?code)$"),
}


class Address(NamedTuple):
    """Field names of one address of an object; `postal` is "" where the object has none."""

    street: str
    city: str
    postal: str

    def incomplete(self, record: Record) -> bool:
        """Whether something is filled, but not enough to find the place: no street, or neither town nor postal code."""
        street, city = not blank(record.get(self.street)), not blank(record.get(self.city))
        postal = bool(self.postal) and not blank(record.get(self.postal))
        return (street or city or postal) and not (street and (city or postal))


def addresses(spec: ObjectSpec) -> tuple[Address, ...]:
    """The addresses of an object: fields of one prefix (BillingStreet, BillingCity, …) that name street and town."""
    found: dict[str, dict[str, str]] = {}
    for field in spec.fields:
        name = re.sub(r"__c$", "", field.name).lower()
        for part, pattern in _PARTS.items():
            match = pattern.search(name)
            if match:
                found.setdefault(name[: match.start()].rstrip("_"), {}).setdefault(part, field.name)
                break
    return tuple(
        Address(parts["street"], parts["city"], parts.get("postal", ""))
        for parts in found.values()
        if {"street", "city"} <= parts.keys()
    )
