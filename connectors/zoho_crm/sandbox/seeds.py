"""What the customer already has in the org: a few records always, many with a scale, the same for the same seed."""

import random
from dataclasses import replace
from datetime import timedelta

from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.writer import Order, Writer

_FIRST = ("Ana", "Ben", "Carla", "Derek", "Elif", "Frank", "Greta", "Hugo", "Ines", "Jonas")
_LAST = ("Adler", "Becker", "Costa", "Dunn", "Ekberg", "Ferrari", "Gomez", "Hale", "Ito", "Jensen")
_NAMES = ("Harbor", "Northside", "Cedar", "Summit", "Riverside", "Maple", "Granite", "Lakeview", "Orchard", "Beacon")
_KINDS = (
    "Dental Group",
    "Property Management",
    "Logistics",
    "Foods",
    "School District",
    "Apartments",
    "Clinic",
    "Hotels",
)
_STEP = 100
_AGE = timedelta(days=90)
"""How long ago the records were entered: what a customer has is older than whoever asks for what is new."""


def seed_customer(crm: Crm) -> None:
    """Fills an empty org; does nothing where records exist or the option `empty` is set."""
    if crm.options.empty or crm.store.one("SELECT 1 FROM records LIMIT 1") is not None:
        return
    today, crm.config = crm.config, replace(crm.config, clock=lambda: today.clock() - _AGE)
    try:
        _fill(crm)
    finally:
        crm.config = today


def _fill(crm: Crm) -> None:
    draw = random.Random(crm.config.seed)  # noqa: S311 - names of a stand-in
    accounts = max(5, crm.config.scale * 2 // 5)
    contacts = max(8, crm.config.scale - accounts if crm.config.scale else 8)
    with crm.store.transaction():
        first = _insert(crm, "Accounts", [_account(draw, number) for number in range(min(accounts, _STEP))])
        for start in range(_STEP, accounts, _STEP):
            _insert(crm, "Accounts", [_account(draw, n) for n in range(start, min(start + _STEP, accounts))])
        for start in range(0, contacts, _STEP):
            numbers = range(start, min(start + _STEP, contacts))
            _insert(crm, "Contacts", [_contact(draw, number, draw.choice(first)) for number in numbers])
        _insert(crm, "Products", [_product(number) for number in range(3)])
    crm.stats.created.clear()


def _insert(crm: Crm, module: str, items: list[Json]) -> list[str]:
    results = Writer(crm, crm.schema.modules[module], Order("insert")).run(items)
    failed = [result for result in results if result["status"] == "error"]
    assert not failed, failed[:1]
    return [result["details"]["id"] for result in results]


def _account(draw: random.Random, number: int) -> Json:
    return {
        "Account_Name": f"{draw.choice(_NAMES)} {draw.choice(_KINDS)} {number + 1}",
        "Phone": f"+1 555 01{number % 100:02d}",
        "Website": f"https://customer{number + 1}.example.com", "Industry": "Real Estate",
        "Billing_City": "Springfield",
        "Billing_Street": f"{number + 1} Main Street", "Billing_Country": "USA", "Account_Type": "Customer",
    }  # fmt: skip


def _contact(draw: random.Random, number: int, account: str) -> Json:
    first, last = draw.choice(_FIRST), draw.choice(_LAST)
    return {
        "First_Name": first, "Last_Name": last, "Email": f"{first}.{last}.{number + 1}@customer.example.com".lower(),
        "Phone": f"+1 555 02{number % 100:02d}", "Account_Name": {"id": account}, "Title": "Manager",
    }  # fmt: skip


def _product(number: int) -> Json:
    name, code, price = (("Site Visit", "SV-1", 95), ("Annual Inspection", "AI-1", 240), ("Filter Set", "FS-1", 18.5))[
        number
    ]
    return {"Product_Name": name, "Product_Code": code, "Unit_Price": price, "Product_Active": True}
