"""`tranship propose` on what discovery finds at the five source forms, to both destinations, against tables by hand."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.domain.matching.columns import schema_of
from app.domain.matching.documents import read_schema, write_schema
from app.domain.schema import Inventory
from app.propose_cli import propose_files
from connectors.base import Source
from connectors.clinic.generator import write_export as write_clinic
from connectors.octopuspro.generator import write_export as write_octopuspro
from connectors.registry import PLATFORMS
from connectors.rsoft.generator import write_export as write_rsoft
from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app
from connectors.servicetracker.sandbox.csv_folder import export_csv
from connectors.servicetracker.source import ServiceTrackerSource
from tests.connectors.connector_kit import no_sleep, serve, servicetracker_context
from tests.connectors.shelf_kit import Shelf, upload_context

WRITERS: Mapping[str, Callable[[Path, int, int], dict[str, int]]] = {
    "octopuspro": write_octopuspro, "clinic": write_clinic, "rsoft": write_rsoft,
}  # fmt: skip
TRACKER = """
    Account = Accounts | sales_account: Name Account_Name name; ParentId Parent_Account parent_sales_account_id;
      Industry Industry industry_type_id; Phone Phone phone; Website Website website;
      BillingStreet Billing_Street address; BillingCity Billing_City city; BillingState Billing_State state;
      BillingPostalCode Billing_Code zipcode;
      BillingCountry Billing_Country country; OwnerId Owner owner_id; CreatedDate Created_Time created_at;
      LastModifiedDate Modified_Time updated_at
    Contact = Contacts | contact: FirstName First_Name first_name; LastName Last_Name last_name; Email Email email;
      Phone Phone work_number; MobilePhone Mobile mobile_number; Title Title job_title;
      AccountId Account_Name sales_accounts; MailingStreet Mailing_Street address; MailingCity Mailing_City city;
      MailingPostalCode Mailing_Zip zipcode;
      OwnerId Owner owner_id; CreatedDate Created_Time created_at
    Lead = Leads | contact: FirstName First_Name first_name; LastName Last_Name last_name; Email Email email;
      Phone Phone work_number; LeadSource Lead_Source lead_source_id; OwnerId Owner owner_id
    Product2 = Products | product: Name Product_Name name; ProductCode Product_Code product_code;
      IsActive Product_Active is_active; Description Description description
    Task = Tasks | task: Subject Subject title; OwnerId Owner owner_id
    WorkOrder = Deals | deal
    ServiceAppointment = Events | appointment
"""
TRUTH = {
    "servicetracker": TRACKER,
    "servicetracker files": TRACKER,
    "octopuspro": """
    customers = Contacts | contact: email Email email; suburb Mailing_City city; state Mailing_State state;
      postcode Mailing_Zip zipcode
    services = Products | product: name Product_Name name; description Description description
    bookings = Deals | deal
    invoices = Deals | deal
    """,
    "clinic": """
    patients = Contacts | contact: given First_Name first_name; family Last_Name last_name;
      mobile_phone Mobile mobile_number; city Mailing_City city; state Mailing_State state
    appointments = Events | appointment
    practices = Accounts | sales_account
    payers = Accounts | sales_account
    """,
    "rsoft": """
    companies = Accounts | sales_account: name Account_Name name; phone Phone phone; website Website website
    contacts = Contacts | contact: first_name First_Name first_name; last_name Last_Name last_name; email Email email;
      mobile Mobile mobile_number
    leads = Leads | contact: given_name First_Name first_name; family_name Last_Name last_name; email Email email
    deals = Deals | deal: name Deal_Name name; amount Amount amount; probability Probability probability
    tickets = Cases | task
    """,
}


def parsed(text: str) -> dict[str, tuple[tuple[str, str], dict[str, tuple[str, str]]]]:
    """Source object → ((Zoho object, Freshsales object), source field → (Zoho field, Freshsales field))."""
    found = {}
    joined = "\n".join(line.strip() if "=" in line.split(":")[0] else " " + line.strip() for line in text.splitlines())
    for entry in joined.replace("\n ", " ").strip().splitlines():
        head, _, fields = entry.partition(":")
        name, _, targets = head.partition("=")
        zoho, _, fresh = targets.partition("|")
        pairs = [one.split() for one in fields.split(";") if one.strip()]
        found[name.strip()] = ((zoho.strip(), fresh.strip()), {one[0]: (one[1], one[2]) for one in pairs})
    return found


async def described(source: Source) -> Inventory:
    try:
        return await source.describe()
    finally:
        await source.close()


@pytest.fixture(scope="module")
async def discovered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inventory]:
    """What the connectors describe: one sandbox, its files, and three generated exports."""
    folder = tmp_path_factory.mktemp("sources")
    app = create_app(SandboxConfig(seed=11, scale=100))
    found: dict[str, Inventory] = {}
    async with serve(app) as url:
        (folder / "servicetracker").mkdir()
        export_csv(app.state.sandbox.store, folder / "servicetracker")
        context = servicetracker_context(url, config={"bulk": "off"})
        found["servicetracker"] = await described(ServiceTrackerSource(context, sleep=no_sleep))
    for name in ("servicetracker", *WRITERS):
        if name in WRITERS:
            (folder / name).mkdir()
            WRITERS[name](folder / name, 200, 5)
        bodies = {path.name: path.read_bytes() for path in (folder / name).glob("*.csv")}
        opener = PLATFORMS[name].source
        assert opener is not None
        made = opener(upload_context(Shelf(bodies), timezone="Asia/Kolkata"))
        found[name if name in WRITERS else f"{name} files"] = await described(made)
    return found


@pytest.mark.parametrize("destination", ["zoho_crm", "freshsales"])
@pytest.mark.parametrize("form", TRUTH)
async def test_standard_objects_and_fields_are_known(
    discovered: dict[str, Inventory], form: str, destination: str, tmp_path: Path
) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(write_schema(schema_of(discovered[form]))))
    answer, _ = propose_files(path, destination)
    made = {one["source_object"]: one for one in answer["objects"]}
    assert list(made) == [one.name for one in discovered[form].objects]
    place = ("zoho_crm", "freshsales").index(destination)
    wrong, total = [], 0
    for name, (objects, fields) in parsed(TRUTH[form]).items():
        assert made[name]["target_object"] == objects[place], name
        given = {one["source_field"]: one for one in made[name]["fields"]}
        for source, targets in fields.items():
            total += 1
            if given[source]["target"] != targets[place]:
                wrong.append((name, source, given[source]["target"], targets[place]))
    assert not wrong, f"{len(wrong)} of {total}: {wrong}"


async def test_a_written_schema_reads_back(discovered: dict[str, Inventory]) -> None:
    for inventory in discovered.values():
        schema = schema_of(inventory)
        again = read_schema(json.loads(json.dumps(write_schema(schema))))
        assert [one.name for one in again.tables] == [one.name for one in schema.tables]
        for before, after in zip(schema.tables, again.tables, strict=True):
            assert [(one.name, one.type, one.primary_key, one.reference) for one in after.columns] == [
                (one.name, one.type, one.primary_key, one.reference) for one in before.columns
            ]
