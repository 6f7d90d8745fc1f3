"""Which fields form an address, and which addresses are too little to find the place."""

import pytest

from app.domain.addresses import Address, addresses
from app.domain.schema import FieldSpec, ObjectSpec


def test_fields_of_one_prefix_form_an_address() -> None:
    names = (
        "Name", "BillingStreet", "BillingCity", "BillingPostalCode", "ShippingStreet", "ShippingCity", "Street__c",
        "City__c", "Postal_Code__c", "home_address", "home_town", "home_zip", "Velocity", "EmailAddress",
    )  # fmt: skip
    spec = ObjectSpec(name="Account", fields=tuple(FieldSpec(name=name) for name in names))
    assert addresses(spec) == (
        Address("BillingStreet", "BillingCity", "BillingPostalCode"),
        Address("ShippingStreet", "ShippingCity", ""),
        Address("Street__c", "City__c", "Postal_Code__c"),
        Address("home_address", "home_town", "home_zip"),
    )


@pytest.mark.parametrize(
    ("record", "incomplete"),
    [
        ({}, False),
        ({"s": "Low Road 1", "c": "Bath"}, False),
        ({"s": "Low Road 1", "p": "BA1"}, False),
        ({"s": "Low Road 1"}, True),
        ({"c": "Bath", "p": "BA1"}, True),
        ({"s": "", "c": "", "p": "BA1"}, True),
    ],
)
def test_incomplete(record: dict[str, str], incomplete: bool) -> None:
    assert Address("s", "c", "p").incomplete(record) is incomplete
