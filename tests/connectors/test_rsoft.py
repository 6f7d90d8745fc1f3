"""RSoft read from its export: references, papers, stages, questions, and the generator that writes such an export."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ContractBroken
from connectors.registry import BLUEPRINTS, PLATFORMS, load_blueprint
from connectors.rsoft.catalogue import CATALOGUE
from connectors.rsoft.generator import write_export
from connectors.rsoft.source import RSoftExport
from tests.connectors.connector_kit import read_all
from tests.connectors.shelf_kit import Shelf, upload_context, whole
from tests.pairs.rsoft_company import FILES

NEEDED = ["companies", "contacts", "leads", "deals", "activities", "tickets", "ticket_messages"]


def opened(files: Mapping[str, bytes] = FILES, **config: Any) -> RSoftExport:
    shelf = Shelf(files)
    shelf.paths = list(NEEDED)
    return RSoftExport(upload_context(shelf, **config))


async def test_files_in_the_order_of_dependency() -> None:
    names = [one.name for one in CATALOGUE.objects]
    assert names.index("users") < names.index("companies") < names.index("contacts") < names.index("deals")
    assert names.index("leads") < names.index("activities") < names.index("tickets") < names.index("tags")
    source = opened()
    facts = await source.check()
    assert (facts["files"], facts["absent"], facts["ignored_files"]) == (len(FILES), [], [])
    inventory = await source.describe()
    assert [one.name for one in inventory.objects][:8] == names[:8]
    assert [user.email for user in inventory.users] == [
        "admin@example.com",
        "dispatch@example.com",
        "owner1@example.com",
        "selvi@example.org",
    ]
    assert [user.active for user in inventory.users] == [True, True, True, False]


async def test_references_by_id_then_by_exact_name_else_by_nothing() -> None:
    deals = await whole(opened(), "deals")
    assert (deals["DEA-1"]["company"], deals["DEA-1"]["contact"]) == ("COM-1", "CON-1")
    assert (deals["DEA-2"]["company"], deals["DEA-2"]["contact"], deals["DEA-2"]["owner"]) == ("COM-5", "CON-4", "U4")
    assert (deals["DEA-3"]["contact"], deals["DEA-3"]["contact__name"]) == ("Ramesh Rao", "Ramesh Rao")
    assert deals["DEA-4"]["company__name"] == "Unknown Traders"
    contacts = await whole(opened(), "contacts")
    assert contacts["CON-5"]["company__name"] == "Sagar Motors"
    assert "company__name" not in contacts["CON-4"]


async def test_activities_point_to_one_kind_of_record() -> None:
    rows = await whole(opened(), "activities")
    related = {
        key: {
            name: value for name, value in row.items() if name.startswith("related_") and name[8:] not in ("type", "to")
        }
        for key, row in rows.items()
    }
    assert related == {
        "ACT-1": {"related_contact": "CON-1"},
        "ACT-2": {"related_deal": "DEA-2"},
        "ACT-3": {"related_lead": "LEA-1"},
        "ACT-4": {"related_company": "COM-1"},
        "ACT-5": {"related_contact": "CON-4"},
        "ACT-6": {"related_deal": "DEA-1"},
        "ACT-7": {"related_contact": "CON-8"},  # the contact that the lead became
        "ACT-8": {"related_deal": "DEA-99", "related_unknown": "deals DEA-99"},
        "ACT-9": {"related_contact": "CON-1"},
        "ACT-10": {"related_ticket": "TKT-1"},
    }


async def test_an_id_without_a_type_still_tells_and_a_name_does_not() -> None:
    rows = b"Activity Id,Type,Related To\r\nA,Note,DEA-1\r\nB,Note,Meera Iyer\r\n"
    found = await whole(opened({**FILES, "activities.csv": rows}), "activities")
    assert found["A"]["related_deal"] == "DEA-1"
    assert found["B"]["related_unknown"] == "a record Meera Iyer"


async def test_times_are_those_of_india_unless_the_connection_says_otherwise() -> None:
    assert (await whole(opened(), "contacts"))["CON-1"]["created_at"] == "2024-11-15T09:37:00+00:00"
    abroad = await whole(opened(timezone="Asia/Dubai"), "contacts")
    assert abroad["CON-1"]["created_at"] == "2024-11-15T11:07:00+00:00"


async def test_dates_that_could_be_read_in_two_ways_are_asked() -> None:
    rows = b"Deal Id,Deal Name,Expected Close Date\r\nD,Unclear,03-04-2025\r\n"
    files = {**FILES, "deals.csv": rows}
    with pytest.raises(ContractBroken) as refused:
        await opened(files).check()
    assert refused.value.code == "NEEDS_ANSWER"
    shelf = Shelf(files, {"deals.csv": {("Expected Close Date", "date-order"): "day-first"}})
    answered = RSoftExport(upload_context(shelf))
    assert (await whole(answered, "deals"))["D"]["expected_close"] == "2025-04-03"


async def test_missing_files_are_named() -> None:
    files = {name: body for name, body in FILES.items() if name not in ("deals.csv", "tickets.csv")}
    with pytest.raises(ContractBroken) as refused:
        await opened(files).check()
    assert refused.value.code == "FILES_MISSING"
    assert "deals.csv" in refused.value.detail
    assert "tickets" not in refused.value.detail  # not every account has them
    source = opened(files, absent="deals")
    assert (await source.check())["absent"] == ["deals", "tickets"]
    states = {row["object"]: row["state"] for row in (await whole(source, "extraction")).values()}
    assert (states["deals"], states["tickets"]) == ("missing", "not delivered")


async def test_stages_come_in_the_order_of_their_positions() -> None:
    stages = (await opened().describe()).stages
    assert [(one.pipeline, one.name, one.probability) for one in stages][:3] == [
        ("Sales Pipeline", "Site Survey", 5),
        ("Sales Pipeline", "Enquiry Received", 10),
        ("Sales Pipeline", "Order Won", 100),
    ]
    without = {name: body for name, body in FILES.items() if name != "pipeline_stages.csv"}
    bare = (await opened(without).describe()).stages
    assert {(one.name, one.probability) for one in bare} == {
        ("Order Lost", None),
        ("Order Won", None),
        ("Site Survey", None),
    }


@pytest.mark.parametrize(("plan", "verdict"), [("standard", "orphaned: beyond the five fields of the plan"),
                                               ("", "beyond the five fields of Standard and Advanced")])  # fmt: skip
async def test_the_sixth_custom_field_exceeds_the_plan(plan: str, verdict: str) -> None:
    headings = ",".join(f"Extra {number}" for number in range(1, 8))
    body = f"Company Id,Company Name,{headings}\r\n" + "".join(
        f"C{row},Firm {row}," + ",".join("x" if number <= 8 - row else "" for number in range(1, 8)) + "\r\n"
        for row in range(1, 8)
    )
    audit = await whole(
        opened({"companies.csv": body.encode(), "custom_fields.csv": b"Module,Field Name\r\n"}, plan=plan),
        "custom_field_audit",
    )
    beyond = [name for name, row in audit.items() if row["verdict"] == verdict]
    assert beyond == ["Companies: Extra 6", "Companies: Extra 7"]  # those that are filled least


async def test_a_second_upload_that_is_complete_tells_what_is_gone() -> None:
    shelf = Shelf(FILES)
    shelf.known = {"deals": ["DEA-1", "DEA-2", "DEA-77"]}
    source = RSoftExport(upload_context(shelf, complete=True))
    _, gone = await read_all(source, "deals", ["name"], since=datetime(2024, 1, 1, tzinfo=UTC))
    assert [one.id for one in gone] == ["DEA-77"]


async def test_passwords_are_never_read() -> None:
    files = {**FILES, "users.csv": b"User Id,Name,Email,Password\r\nU1,A,admin@example.com,SECRET\r\n"}
    source = opened(files)
    assert (await source.check())["never_read"] == ["users.Password"]
    assert "SECRET" not in str(await whole(source, "users"))


# ── the platform, and the generator ──────────────────────────────────────────────────────────────────────────────────


def test_the_platform_says_what_it_knows_and_where_from() -> None:
    platform = PLATFORMS["rsoft"]
    assert platform.source is not None
    assert platform.destination is None
    assert {platform.editions[name].facts["custom_fields"] for name in ("standard", "advanced")} == {5}
    assert all("section" in text or "source" in text for text in platform.facts.values() if "(" in text)
    assert {pair for pair in BLUEPRINTS if pair[0] == "rsoft"} == {("rsoft", "freshsales"), ("rsoft", "zoho_crm")}


@pytest.mark.parametrize("destination", ["freshsales", "zoho_crm"])
def test_blueprints_read_fields_that_the_source_has(destination: str) -> None:
    known = {one.name: {field.name for field in one.fields} for one in CATALOGUE.objects}
    source = opened()
    for load in load_blueprint("rsoft", destination).loads:
        fields = known[load.source_object] | {one.name for one in source.extra_fields(load.source_object)}
        for rule in load.fields:
            for path in rule.sources:
                head = path.partition(".")[0].removesuffix("__name")
                assert head in fields, (load.key, path)


def test_an_export_can_be_made_again(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    counts = write_export(first, 300, 7)
    assert write_export(again, 300, 7) == counts
    write_export(other, 300, 8)
    assert sum(counts.values()) == pytest.approx(300, rel=0.35)
    for path in sorted(first.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name
    assert (first / "contacts.csv").read_bytes() != (other / "contacts.csv").read_bytes()
    manifest = list(csv.DictReader(io.StringIO((first / "extraction_manifest.csv").read_text("utf-8-sig"))))
    assert {row["File"]: int(row["Rows"]) for row in manifest} == counts


def _generated(folder: Path, scale: int) -> dict[str, bytes]:
    write_export(folder, scale, 3)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_a_generated_export_can_be_read_and_holds_its_dirt(tmp_path: Path) -> None:
    source = opened(_generated(tmp_path, 400))
    facts = await source.check()
    assert (facts["rejected_rows"], facts["mistyped"]) == (0, [])
    inventory = await source.describe()
    unresolved = inventory.facts["unresolved"]
    assert isinstance(unresolved, dict)
    assert {"deals.contact", "deals.company", "contacts.company"} <= unresolved.keys()
    contacts = await whole(source, "contacts")
    assert any("phones_as_written" in row for row in contacts.values())
    assert any(not row.get("given_name") for row in contacts.values())
    assert any("\u0900" <= row["family_name"][0] <= "\u0bff" for row in contacts.values() if row.get("family_name"))
    deals = await whole(source, "deals")
    assert all(row["amount"].isdecimal() for row in deals.values())
