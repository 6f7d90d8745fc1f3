"""OctopusPro's export as a source: both forms of the generated account, persons, workers, payments, custom fields."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.schema import FieldType, Record
from connectors.errors import ContractBroken
from connectors.exportkit.catalogue import fold
from connectors.octopuspro import PLATFORM
from connectors.octopuspro.catalogue import CATALOGUE
from connectors.octopuspro.custom import split_choices, split_options
from connectors.octopuspro.generator import write_export
from connectors.octopuspro.people import complete_customer
from connectors.octopuspro.source import OctopusProSource, placeholder_email
from tests.connectors.connector_kit import read_all
from tests.connectors.shelf_kit import Shelf, UnpackedShelf, upload_context, whole

ZONE = {"timezone": "Australia/Sydney"}


def source(files: Mapping[str, bytes | str], **config: Any) -> OctopusProSource:
    bodies = {name: body.encode() if isinstance(body, str) else body for name, body in files.items()}
    made = PLATFORM.source(upload_context(Shelf(bodies), **(ZONE | config))) if PLATFORM.source else None
    assert isinstance(made, OctopusProSource)
    return made


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("csv")
    rows = write_export(folder, 400, 5)
    assert rows.keys() == {path.stem for path in folder.iterdir()}
    return files_in(folder)


class TestGenerator:
    def test_equal_seeds_give_equal_bytes(self, tmp_path: Path, generated: Mapping[str, bytes]) -> None:
        write_export(tmp_path / "again", 400, 5)
        write_export(tmp_path / "other", 400, 6)
        assert files_in(tmp_path / "again") == generated
        assert files_in(tmp_path / "other")["customers.csv"] != generated["customers.csv"]

    def test_the_scale_is_about_the_number_of_records(self, tmp_path: Path) -> None:
        for scale in (200, 3000):
            rows = write_export(tmp_path / str(scale), scale, 1)
            assert 0.8 * scale < sum(rows.values()) < 1.6 * scale

    def test_another_form_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="csv or json"):
            write_export(tmp_path, 10, 1, form="xml")


class TestGeneratedAccount:
    async def test_everything_can_be_read_and_refers_to_something(self, generated: Mapping[str, bytes]) -> None:
        made = source(generated)
        facts = await made.check()
        assert facts["mistyped"] == []
        assert facts["ignored_files"] == []
        assert facts["never_read"] == ["customers.Password"]
        for spec in (await made.describe()).objects:
            records = await whole(made, spec.name)
            assert len(records) == await made.count(spec.name) > 0, spec.name
        unresolved: Any = (await made.describe()).facts["unresolved"]
        assert unresolved.keys() <= {"payments.invoice", "bookings.customer", "invoices.customer", "quotes.customer"}
        assert unresolved["payments.invoice"] == {"unknown": 1}
        assert "never-carry-me" not in str(await whole(made, "customers"))

    async def test_json_holds_the_same_records(self, tmp_path: Path, generated: Mapping[str, bytes]) -> None:
        write_export(tmp_path, 400, 5, form="json")
        ((name, body),) = files_in(tmp_path).items()
        nested = OctopusProSource(upload_context(UnpackedShelf(name, body), **ZONE))
        tables = source(generated)
        for name in ("customers", "bookings", "payments", "quotes", "services"):
            ours, theirs = await whole(nested, name), await whole(tables, name)
            assert list(map(_told, ours.values())) == list(map(_told, theirs.values())), name
        for name in ("booking_services", "booking_visits", "booking_status_history", "invoice_items"):
            spec = CATALOGUE.object(name)
            assert spec is not None
            one, other = await whole(nested, name), await whole(tables, name)
            owner = spec.fields[1].name if spec.fields[1].references else spec.fields[0].name
            keys = sorted((row[owner], row["position"]) for row in one.values())
            assert keys == sorted((row[owner], row["position"]) for row in other.values()), name


def _told(record: Record) -> Record:
    """Custom fields are called as the form calls them; everything else must be equal."""
    return {fold(name): value for name, value in record.items()}


class TestPeople:
    def person(self, **cells: str) -> Record:
        record: Record = {"id": "7", **cells}
        complete_customer(record)
        return record

    def test_numbered_channels_belong_to_the_person_of_that_number(self) -> None:
        made = self.person(first_name="Al", last_name="Bo", first_name2="Cy", last_name2="Di", email2="cy@example.com")
        assert (made["display_name"], made["person2"], made.get("spare_email")) == ("Al Bo", "Cy Di", None)

    def test_without_that_person_they_are_spare(self) -> None:
        made = self.person(last_name="Bo", email2="a@example.com", email3="b@example.com", mobile3="0412")
        assert (made["spare_email"], made["other_channels"]) == ("a@example.com", "b@example.com\n0412")

    def test_one_word_is_a_family_name(self) -> None:
        made = self.person(first_name3="Sam")
        assert (made["person3"], made["person3_last"], made.get("person3_first")) == ("Sam", "Sam", None)

    @pytest.mark.parametrize(
        ("cells", "name"),
        [
            ({"business_name": "Acme", "last_name": "Bo"}, "Acme"),
            ({"full_name_given": "Al Bo"}, "Al Bo"),
            ({"email": "x@example.com"}, "x@example.com"),
            ({}, "Customer 7"),
        ],
    )
    def test_an_account_always_has_a_name(self, cells: dict[str, str], name: str) -> None:
        assert self.person(**cells)["display_name"] == name


class TestMoney:
    @pytest.mark.parametrize(
        ("status", "total", "paid", "due", "told"),
        [
            ("Closed", "100", "100", "0", "Paid"),
            ("Open", "100", "40", "", "Partial"),
            ("Overdue", "100", "0", "100", "Unpaid"),
            ("Open", "100", "", "", "Unpaid"),
            ("Void", "100", "100", "0", "Void"),
            ("Draft", "100", "0", "100", "Draft"),
            ("Open", "100", "120", "-20", "Paid"),
        ],
    )
    async def test_what_is_paid_follows_from_amounts(
        self, status: str, total: str, paid: str, due: str, told: str
    ) -> None:
        heading = "Invoice ID,Invoice Number,Status,Total,Amount Paid,Amount Due\n"
        (row,) = (
            await whole(source({"invoices.csv": f"{heading}1,INV-1,{status},{total},{paid},{due}\n"}), "invoices")
        ).values()
        assert row["payment_status"] == told

    async def test_payments_without_ids_have_a_key_and_their_kind(self) -> None:
        made = source(
            {
                "invoices.csv": "Invoice ID,Invoice Number,Total\nI1,INV-1,100\n",
                "payments.csv": "Invoice,Payment Date,Amount,Method,Reference,Notes\n"
                "INV-1,31/01/2024,100,EFT,a,\nINV-1,31/01/2024,10,EFT,b,\nINV-1,31/01/2024,5,EFT,c,chargeback\n"
                ",31/01/2024,5,EFT,d,\nINV-9,31/01/2024,5,EFT,e,\n",
            }
        )
        found = {row["reference"]: row for row in (await whole(made, "payments")).values()}
        assert {key: row["kind"] for key, row in found.items()} == {
            "a": "Payment", "b": "Partial payment", "c": "Refund", "d": "Payment", "e": "Payment",
        }  # fmt: skip
        assert (found["d"]["invoice"], found["e"]["invoice"]) == ("no invoice named", "INV-9")


class TestWorkers:
    FILES: Mapping[str, str] = {
        "workers.csv": "Field Worker ID,Name,Email,Status\n"
        "1,Ann,ann@example.com,Active\n2,Bo,,Inactive\n3,Twin,,Active\n4,twin,,Active\n",
        "bookings.csv": "Booking ID,Field Workers,Start\nB1,Nobody; ANN@example.com,\nB2,Twin,\nB3,2; Ann,\n",
    }

    async def test_the_first_who_is_known_leads_and_all_are_named(self) -> None:
        found = await whole(source(self.FILES), "bookings")
        assert (found["B1"]["lead_worker"], found["B1"]["worker_names"]) == ("1", "Nobody, Ann")
        assert (found["B2"].get("lead_worker"), found["B2"]["worker_names"]) == (None, "Twin")
        assert (found["B3"]["lead_worker"], found["B3"]["worker_names"]) == ("2", "Bo, Ann")

    async def test_whoever_has_no_address_gets_one_that_reaches_nobody(self) -> None:
        made = source(self.FILES)
        users = {one.id: one for one in (await made.describe()).users}
        assert (users["1"].email, users["1"].active) == ("ann@example.com", True)
        assert (users["2"].email, users["2"].active) == ("field-worker-2@placeholder.invalid", False)
        workers = await whole(made, "field_workers")
        assert (workers["2"]["placeholder_email"], workers["2"]["account_state"]) == (True, "inactive")
        assert (await made.describe()).facts["placeholder_emails"] == 3
        assert placeholder_email("Ä/9") == "field-worker-9@placeholder.invalid"


class TestCustomFields:
    CUSTOMERS = (
        'Customer ID,Tags,Seal Signature,Photos,Since\n1,"Dog, Cat",data:image,https://p.example.com/1.jpg,13/05/2024\n'
    )

    async def test_the_inventory_decides(self) -> None:
        listed = (
            "Applies To,Field Name,Field Type,Options\n"
            "Customer,Tags,Multi-Select,Dog|Cat|Bird\nCustomer,Photos,Image,\nCustomers,Since,Date,\nCustomer,Gone,Text,\n"
        )
        made = source({"customers.csv": self.CUSTOMERS, "Custom Field Inventory.csv": listed})
        spec = (await made.describe()).object("customers")
        assert spec is not None
        types = {one.name: one.type for one in spec.fields if one.custom}
        assert types == {
            "Tags": FieldType.MULTIPICKLIST, "Seal_Signature": FieldType.FILE, "Photos": FieldType.TEXTAREA,
            "Since": FieldType.DATE,
        }  # fmt: skip
        tags = spec.field("Tags")
        assert tags is not None
        assert [one.value for one in tags.picklist] == ["Dog", "Cat", "Bird"]
        row = (await whole(made, "customers"))["1"]
        assert (row["Tags"], row["Seal_Signature"]) == (["Dog", "Cat"], "captured")
        facts = (await made.describe()).facts
        assert facts["not_migratable"] == ["customers.Seal Signature"]
        assert facts["custom_fields_without_column"] == ["customers.Gone"]

    async def test_without_it_the_rows_vote(self) -> None:
        spec = (await source({"customers.csv": self.CUSTOMERS}).describe()).object("customers")
        assert spec is not None
        types = {one.name: one.type for one in spec.fields if one.custom}
        assert (types["Tags"], types["Seal_Signature"], types["Since"]) == (
            FieldType.TEXT,
            FieldType.FILE,
            FieldType.DATE,
        )

    def test_commas_separate_only_options(self) -> None:
        known = {"dog", "cat", "bird, tame"}
        assert split_choices("Dog, Cat", known) == ["Dog", "Cat"]
        assert split_choices("Bird, tame", known) == ["Bird, tame"]
        assert split_choices("Dog; Bird, tame; Dog", known) == ["Dog", "Bird, tame"]
        assert split_choices("Dog, Emu", known) == ["Dog, Emu"]
        assert split_options("a, b") == ("a", "b")
        assert split_options("a|b, c") == ("a", "b, c")


async def test_times_wait_for_the_accounts_zone() -> None:
    body = {"bookings.csv": "Booking ID,Start\nB1,31/12/2024 9:00 AM\n"}
    with pytest.raises(ContractBroken, match="timezone"):
        await source(body, timezone="").check()
    records, _ = await read_all(source(body), "bookings", ["starts_at"])
    assert records[0]["starts_at"] == "2024-12-30T22:00:00+00:00"
