"""Generated customer data: accounts, contacts and deals in the ratio 3 : 5 : 2, the same for the same seed."""

import random
from collections.abc import Iterator

from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.store import Row, row_values
from connectors.freshsales.sandbox.times import kept

_FIRST = (
    "Ada",
    "Bela",
    "Chen",
    "Dora",
    "Emeka",
    "Farah",
    "Gita",
    "Hugo",
    "Ines",
    "Jun",
    "Kofi",
    "Lena",
    "Marek",
    "Noor",
)
_LAST = ("Abel", "Brandt", "Costa", "Dube", "Eriksen", "Fofana", "Garcia", "Hoang", "Ito", "Jensen", "Kaya", "Lopez")
_WORDS = ("Harbor", "Summit", "Willow", "Copper", "Prairie", "Juniper", "Granite", "Meadow", "Lantern", "Cobalt")
_KINDS = ("Plumbing", "Heating", "Clinic", "Estates", "Logistics", "Bakery", "Studio", "Motors")
_CITIES = ("Austin", "Boise", "Denver", "Omaha", "Tulsa", "Fresno")
_STEP = 2_000


def seed(crm: Crm) -> None:
    """Fills a fresh account with about `scale` records; an account that holds any is left alone."""
    scale = crm.config.scale
    if scale <= 0 or crm.store.count("SELECT count(*) FROM (SELECT 1 FROM records LIMIT 1)"):
        return
    draw = random.Random(crm.config.seed)  # noqa: S311 - data is to be repeatable, not secret
    accounts = _write(crm, _accounts(crm, draw, scale * 3 // 10))
    _write(crm, _contacts(crm, draw, scale * 5 // 10))
    deals = _write(crm, _deals(crm, draw, scale - scale * 3 // 10 - scale * 5 // 10))
    _link(crm, draw, accounts, deals)


def _write(crm: Crm, rows: Iterator[Row]) -> range:
    """Stores the rows in blocks; answers the range of their ids."""
    first = last = 0
    block: list[Row] = []
    for row in rows:
        row.id = crm.store.next_id()
        first, last = first or row.id, row.id
        block.append(row)
        if len(block) == _STEP:
            _flush(crm, block)
            block = []
    _flush(crm, block)
    return range(first, last + 1) if first else range(0)


def _flush(crm: Crm, block: list[Row]) -> None:
    with crm.store.transaction():
        crm.store.run_many(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [row_values(row) for row in block]
        )
        crm.store.run_many("INSERT INTO keys VALUES (?, ?, ?, ?)", [key for row in block for key in _keys(row)])


def _keys(row: Row) -> list[tuple[str, str, str, int]]:
    found = [("emails", each["value"]) for each in row.data.get("emails", [])]
    found += [(name, row.data[name]) for name in ("name", "mobile_number", "phone", "website") if row.data.get(name)]
    return [(row.module, name, value.lower(), row.id) for name, value in found]


def _blank(crm: Crm, draw: random.Random, module: str, name: str) -> Row:
    users = [user["id"] for user in crm.book.rows["users"].values() if user["is_active"]]
    age, admin = draw.randrange(86_400, 400 * 86_400), crm.book.admin["id"]
    at = crm.now() - age
    return Row(0, module, name, created=at, updated=at, owner=draw.choice(users), creator=admin, updater=admin)


def _accounts(crm: Crm, draw: random.Random, number: int) -> Iterator[Row]:
    industries = list(crm.book.rows["industry_types"])
    for place in range(number):
        name = f"{draw.choice(_WORDS)} {draw.choice(_KINDS)} {place}"
        row = _blank(crm, draw, "sales_account", name)
        row.data = {
            "name": name, "phone": f"555{draw.randrange(10**7):07}", "city": draw.choice(_CITIES), "country": "USA",
            "website": f"https://account{place}.example.com", "industry_type_id": draw.choice(industries),
        }  # fmt: skip
        yield row


def _contacts(crm: Crm, draw: random.Random, number: int) -> Iterator[Row]:
    stages = list(crm.book.rows["lifecycle_stages"].values())
    for place in range(number):
        first, last, stage = draw.choice(_FIRST), draw.choice(_LAST), draw.choice(stages)
        row = _blank(crm, draw, "contact", f"{first} {last}")
        email = {"id": crm.store.next_id(), "value": f"{first}.{last}.{place}@example.com".lower(),
                 "is_primary": True, "label": "Work"}  # fmt: skip
        row.data = {
            "first_name": first, "last_name": last, "emails": [email], "city": draw.choice(_CITIES),
            "mobile_number": f"555{draw.randrange(10**7):07}", "lifecycle_stage_id": stage["id"],
            "contact_status_id": draw.choice(stage["contact_status_ids"]),
        }  # fmt: skip
        yield row


def _deals(crm: Crm, draw: random.Random, number: int) -> Iterator[Row]:
    stages = crm.book.stages_of(crm.book.default_pipeline["id"])
    for place in range(number):
        stage = draw.choice(stages)
        row = _blank(crm, draw, "deal", f"Deal {place}")
        row.facet = stage["forecast_type"]
        row.data = {
            "name": row.name, "amount": f"{draw.randrange(100, 90_000)}.0", "deal_stage_id": stage["id"],
            "deal_pipeline_id": stage["deal_pipeline_id"], "probability": stage["probability"],
            "stage_updated_time": kept(crm.utc_now()),
        }  # fmt: skip
        yield row


def _link(crm: Crm, draw: random.Random, accounts: range, deals: range) -> None:
    """Contacts and deals get an account; ids of contacts are found by query, e-mail rows take ids in between."""
    if not accounts:
        return
    people = [key for (key,) in crm.store.all("SELECT id FROM records WHERE module = 'contact'")]
    pairs = [("contact_account", key, draw.choice(accounts), 1) for key in people]
    pairs += [("deal_account", key, draw.choice(accounts), 1) for key in deals]
    pairs += [("deal_contact", key, draw.choice(people), 0) for key in deals if people]
    with crm.store.transaction():
        crm.store.run_many("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)", pairs)
