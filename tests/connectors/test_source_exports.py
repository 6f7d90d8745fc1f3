"""ServiceTracker's export files as a source: the same records as its API, and every trouble named."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.domain.schema import FieldType, Record
from connectors.base import Deletion, FileRef, Source
from connectors.errors import BatchRefused, ContractBroken, CredentialsRejected
from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker import PLATFORM
from connectors.servicetracker.exports import ServiceTrackerExports
from connectors.servicetracker.sandbox import create_app
from connectors.servicetracker.sandbox.csv_folder import export_csv
from connectors.servicetracker.source import ServiceTrackerSource
from tests.connectors.connector_kit import no_sleep, read_all, serve, servicetracker_context
from tests.connectors.shelf_kit import UPLOADED, Shelf, upload_context

USERS = b"Id,Name,Email,IsActive\n0055g00000000010AA,Ada Berg,Ada@Example.com ,true\n"


def exports(shelf: Shelf, **config: Any) -> Source:
    assert PLATFORM.source is not None
    made = PLATFORM.source(upload_context(shelf, **config))
    assert isinstance(made, ServiceTrackerExports)
    return made


def one(name: str, body: bytes, answers: Mapping[tuple[str, str], str] | None = None, **config: Any) -> Source:
    return exports(Shelf({name: body}, {name: answers or {}}), **config)


async def everything(source: Source, name: str) -> tuple[dict[str, Record], dict[str, Deletion]]:
    spec = (await source.describe()).object(name)
    assert spec is not None
    records, deletions = await read_all(source, name, [field.name for field in spec.fields])
    assert len({record["Id"] for record in records}) == len(records)
    return {record["Id"]: record for record in records}, {gone.id: gone for gone in deletions}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Source, Shelf]]:
    """The API of a sandbox, and the files it exports."""
    app = create_app(SandboxConfig(seed=11, scale=300))
    folder: Path = tmp_path_factory.mktemp("export")
    async with serve(app) as url:
        export_csv(app.state.sandbox.store, folder)
        api = ServiceTrackerSource(servicetracker_context(url, config={"bulk": "off"}), sleep=no_sleep)
        yield api, Shelf(contents(folder))
        await api.close()


class TestLikeTheApi:
    async def test_every_object_and_record(self, both: tuple[Source, Shelf]) -> None:
        api, shelf = both
        files = exports(shelf)
        theirs, ours = await api.describe(), await files.describe()
        full = {one.name for one in theirs.objects if await api.count(one.name)}
        assert full <= {one.name for one in ours.objects}
        assert len(full) > 15
        for name in sorted(full):
            expected, gone = await everything(api, name)
            found, missing = await everything(files, name)
            assert found == expected, name
            assert missing == gone, name
            assert await files.count(name) == await api.count(name) == len(expected), name
        assert ours.users == theirs.users

    async def test_fields_have_the_same_types(self, both: tuple[Source, Shelf]) -> None:
        api, shelf = both
        theirs = {one.name: one for one in (await api.describe()).objects}
        for spec in (await exports(shelf).describe()).objects:
            for field in spec.fields:
                other = theirs[spec.name].field(field.name)
                assert other is not None
                assert (field.type, field.references) == (other.type, other.references), (spec.name, field.name)
                assert field.primary_key == other.primary_key

    async def test_a_page_continues_where_it_ended(self, both: tuple[Source, Shelf]) -> None:
        files = exports(both[1], page_size=7)
        pages = [page async for page in files.read("Contact", ["Id"])]
        assert len(pages) > 5
        ids = [record["Id"] for page in pages for record in page.records]
        assert ids == sorted(ids)
        rest, _ = await read_all(exports(both[1]), "Contact", ["Id"], cursor=pages[2].cursor)
        assert [record["Id"] for record in rest] == [record["Id"] for page in pages[3:] for record in page.records]
        assert pages[-1].cursor is None

    async def test_files_are_listed_and_their_bytes_refused(self, both: tuple[Source, Shelf]) -> None:
        files = exports(both[1])
        listed, _ = await everything(files, "File")
        first = next(iter(listed.values()))
        with pytest.raises(BatchRefused) as refused:
            async with files.open_file(FileRef(first["BlobObject"], first["BlobId"], first["BlobField"])):
                pass
        assert refused.value.code == "FILE_GONE"
        assert first["Name"] not in refused.value.detail


class TestForeignForms:
    async def test_labels_and_a_european_spreadsheet(self) -> None:
        body = (
            "Invoice ID;Name;Client;Issue Date;Total;Paid;Gebiet\r\n"
            "a02-2;INV-2;001-1;31.12.2024;1.234,50;0,00;NA\r\n"
            "a02-1;INV-1;001-1;01.02.2024;2,5;N/A;\r\n"
        ).encode("cp1252")
        source = one("Invoices.csv", body)
        spec = (await source.describe()).object("Invoice__c")
        assert spec is not None
        assert [field.name for field in spec.fields] == [
            "Id", "Name", "Client__c", "Issue_Date__c", "Total__c", "Paid__c", "Gebiet",
        ]  # fmt: skip
        assert await read_all(source, "Invoice__c", [field.name for field in spec.fields]) == (
            [
                {
                    "Id": "a02-1", "Name": "INV-1", "Client__c": "001-1", "Issue_Date__c": "2024-02-01",
                    "Total__c": "2.5",
                },
                {
                    "Id": "a02-2", "Name": "INV-2", "Client__c": "001-1", "Issue_Date__c": "2024-12-31",
                    "Total__c": "1234.5", "Paid__c": "0", "Gebiet": "NA",
                },
            ],
            [],
        )  # fmt: skip

    async def test_unknown_columns_are_typed_by_their_rows(self) -> None:
        body = b"Id,Van No,Litres,Fuelled,Checked.By,Ready\nx1,007,12.50,2024-01-31,Ann,yes\nx2,008,7,2024-02-01,,no\n"
        source = one("Vans__c.csv", body)
        spec = (await source.describe()).object("Vans__c")
        assert spec is not None
        assert spec.custom
        assert {field.name: field.type for field in spec.fields} == {
            "Id": FieldType.ID,
            "Van_No": FieldType.TEXT,
            "Litres": FieldType.DECIMAL,
            "Fuelled": FieldType.DATE,
            "Checked_By": FieldType.TEXT,
            "Ready": FieldType.BOOLEAN,
        }
        assert spec.field("Checked_By").label == "Checked.By"  # type: ignore[union-attr]
        records, _ = await read_all(source, "Vans__c", ["Van_No", "Litres", "Ready"])
        assert records == [
            {"Id": "x1", "Van_No": "007", "Litres": "12.5", "Ready": True},
            {"Id": "x2", "Van_No": "008", "Litres": "7", "Ready": False},
        ]

    async def test_a_known_column_with_other_values_stays_text(self) -> None:
        source = one("Contact.csv", b"Id,LastName,Birthdate\n1,Berg,1990-05-01\n2,Lund,spring 1991\n")
        assert (await source.check())["mistyped"] == ["Contact.Birthdate"]
        records, _ = await read_all(source, "Contact", ["Birthdate"])
        assert [record["Birthdate"] for record in records] == ["1990-05-01", "spring 1991"]

    async def test_users_by_name_and_address(self) -> None:
        found = (await one("User.csv", USERS).describe()).users
        assert [(user.email, user.name, user.active) for user in found] == [("ada@example.com", "Ada Berg", True)]


class TestQuestions:
    AMBIGUOUS = b"Id,LastName,Birthdate\n1,Berg,03/04/1990\n"

    async def test_two_readings_wait_for_an_answer(self) -> None:
        with pytest.raises(ContractBroken, match="order of day and month") as waiting:
            await one("Contact.csv", self.AMBIGUOUS).check()
        assert waiting.value.code == "NEEDS_ANSWER"
        assert "03/04" not in waiting.value.detail
        with pytest.raises(ContractBroken):
            await read_all(one("Contact.csv", self.AMBIGUOUS), "Contact", ["Birthdate"])

    @pytest.mark.parametrize(("answer", "day"), [("day-first", "1990-04-03"), ("month-first", "1990-03-04")])
    async def test_an_answer_decides(self, answer: str, day: str) -> None:
        source = one("Contact.csv", self.AMBIGUOUS, {("Birthdate", "date-order"): answer})
        await source.check()
        records, _ = await read_all(source, "Contact", ["Birthdate"])
        assert records == [{"Id": "1", "Birthdate": day}]

    async def test_an_unknown_column_is_text_until_then(self) -> None:
        body = b"Id,Served\n1,03/04/1990\n"
        assert (await everything(one("Contact.csv", body), "Contact"))[0]["1"]["Served"] == "03/04/1990"
        answered = one("Contact.csv", body, {("Served", "date-order"): "day-first"})
        assert (await everything(answered, "Contact"))[0]["1"]["Served"] == "1990-04-03"

    async def test_stamps_without_an_offset_need_a_zone(self) -> None:
        body = b"Id,StartDate\n1,2024-07-01 08:00\n"
        with pytest.raises(ContractBroken, match="timezone"):
            await one("WorkOrder.csv", body).check()
        source = one("WorkOrder.csv", body, timezone="Europe/London")
        assert (await everything(source, "WorkOrder"))[0]["1"]["StartDate"] == "2024-07-01T07:00:00+00:00"

    async def test_markers_are_blanks_when_somebody_says_so(self) -> None:
        body = b"Id,LastName,Title\n1,Null,-\n"
        assert (await everything(one("Contact.csv", body), "Contact"))[0]["1"]["LastName"] == "Null"
        blank = one("Contact.csv", body, {("", "blank-markers"): "blank"})
        assert (await everything(blank, "Contact"))[0] == {"1": {"Id": "1"}}


class TestTrouble:
    async def test_missing_files_are_named(self) -> None:
        shelf = Shelf({"User.csv": USERS})
        shelf.paths = ["User", "File", "WorkOrder", "WorkOrder.Site__c.Name", "Note"]
        with pytest.raises(ContractBroken, match=r"WorkOrder\.csv, Site__c\.csv, Note\.csv") as missing:
            await exports(shelf).check()
        assert missing.value.code == "FILES_MISSING"
        facts = await exports(shelf, absent="Work Orders, Service Location,Note").check()
        assert facts["absent"] == ["WorkOrder", "Site__c", "Note"]

    @pytest.mark.parametrize(
        ("files", "code"),
        [
            ({"Account.csv": USERS, "Clients.csv": USERS}, "TWO_FILES"),
            ({"Account.csv": b"Id,Client ID,Name\n1,1,A\n"}, "TWO_COLUMNS"),
            ({"Account.csv": b"Name,Phone\nA,1\n"}, "NO_ID"),
            ({"Tools.csv": b"Name,Phone\nA,1\n"}, "NO_ID"),
        ],
    )
    async def test_what_cannot_be_told_apart(self, files: dict[str, bytes], code: str) -> None:
        with pytest.raises(ContractBroken) as refused:
            await exports(Shelf(files)).check()
        assert refused.value.code == code

    async def test_an_unknown_object_or_field(self) -> None:
        source = one("User.csv", USERS)
        with pytest.raises(ContractBroken, match=r"Account\.csv"):
            await source.count("Account")
        with pytest.raises(ContractBroken, match="Shoe_Size__c"):
            await read_all(source, "User", ["Shoe_Size__c"])

    @pytest.mark.parametrize("config", [{"timezone": "Mars/Olympus"}, {"page_size": 0}, {"complete": "perhaps"}])
    async def test_unusable_options(self, config: dict[str, Any]) -> None:
        with pytest.raises(CredentialsRejected):
            one("User.csv", USERS, **config)

    async def test_rows_without_an_id_and_repeated_ones_are_told(self) -> None:
        source = one("Account.csv", b"Id,Name\n2,B\n,X\n1,A\n2,C\n1,A,extra\n")
        facts = (await source.describe()).facts["tables"]
        assert facts == {
            "Account": {"file": "Account.csv", "rows": 3, "without_id": 1, "repeated_ids": 1, "rejected_rows": 1}
        }
        assert await source.count("Account") == 2
        assert (await read_all(source, "Account", ["Name"]))[0] == [{"Id": "1", "Name": "A"}, {"Id": "2", "Name": "B"}]


class TestDelta:
    BODY = b"Id,Name,IsDeleted,SystemModstamp,MasterRecordId\n" + b"".join(
        b"%d,N%d,%s,2024-01-02T03:04:05.000+0000,%s\n"
        % (number, number, b"true" if number in (3, 4) else b"false", b"7" if number == 4 else b"")
        for number in range(1, 9)
    )

    async def test_deleted_and_merged_rows(self) -> None:
        records, deletions = await read_all(one("Account.csv", self.BODY), "Account", ["Name"])
        assert [record["Id"] for record in records] == ["1", "2", "5", "6", "7", "8"]
        at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert deletions == [Deletion("3", at), Deletion("4", at, merged_into="7")]

    @pytest.mark.parametrize("size", [1, 3, 100])
    async def test_absence_is_deletion_only_in_a_complete_export(self, size: int) -> None:
        shelf = Shelf({"Account.csv": self.BODY})
        shelf.known["Account"] = ["0", "1", "2", "25", "3", "5", "6", "66", "7", "8", "9", "91"]
        since = UPLOADED
        for config in ({}, {"complete": True}):
            source = exports(shelf, page_size=size, **config)
            records, deletions = await read_all(source, "Account", ["Name"], since=since)
            assert len(records) == 6
            absent = [gone.id for gone in deletions if gone.at == UPLOADED]
            assert absent == (["0", "25", "66", "9", "91"] if config else [])
        _, first = await read_all(exports(shelf, complete=True), "Account", ["Name"])
        assert [gone.id for gone in first] == ["3", "4"]

    async def test_absence_after_a_pause_is_not_told_twice(self) -> None:
        shelf = Shelf({"Account.csv": self.BODY})
        shelf.known["Account"] = ["0", "1", "9"]
        pages = [page async for page in exports(shelf, page_size=2, complete=True).read("Account", [], since=UPLOADED)]
        again, gone = await read_all(
            exports(shelf, complete=True), "Account", [], since=UPLOADED, cursor=pages[0].cursor
        )
        assert "0" in [one.id for one in pages[0].deletions]
        assert [one.id for one in gone if one.at == UPLOADED] == ["9"]
        assert again[0]["Id"] == "5"
