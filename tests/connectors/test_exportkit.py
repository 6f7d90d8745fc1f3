"""Export files of a platform without an API: objects, keys, types and absence, over a small made-up catalogue."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain.schema import FieldType, Record
from connectors.base import FileRef
from connectors.errors import BatchRefused, ContractBroken, CredentialsRejected
from connectors.exportkit.catalogue import Catalogue, TableField, TableObject
from connectors.exportkit.source import DerivedObject, ExportSource
from tests.connectors.connector_kit import read_all
from tests.connectors.shelf_kit import Answers, Shelf, upload_context, whole

CATALOGUE = Catalogue(
    "yard",
    (
        TableObject(
            "people",
            "People",
            (
                TableField("id", headings=("Worker No",)),
                TableField("name", "Full Name"),
                TableField("email", type=FieldType.EMAIL),
                TableField("active", "Status"),
            ),
            files=("staff",),
        ),
        TableObject(
            "clients",
            "Clients",
            (
                TableField("id", "Client ID"),
                TableField("name", "Client Name"),
                TableField("phone", "Phone", FieldType.PHONE, ("Home Phone", "Tel")),
                TableField("joined", "Joined", FieldType.DATE),
                TableField("balance", type=FieldType.CURRENCY),
                TableField("share", type=FieldType.PERCENT),
                TableField("updated_at", type=FieldType.DATETIME),
                TableField("pin", never=True),
                TableField("second", "Second Person"),
            ),
        ),
        TableObject(
            "jobs",
            "Jobs",
            (
                TableField("id", "Job ID"),
                TableField("client", "Client", FieldType.LOOKUP, references="clients", match_on="name"),
                TableField("worker", "Worker", FieldType.USER, references="people", match_on="email,name"),
                TableField("done", type=FieldType.BOOLEAN),
            ),
        ),
        TableObject(
            "job_lines",
            "Job Lines",
            (
                TableField("job", "Job ID", FieldType.LOOKUP, references="jobs"),
                TableField("line", "Line"),
                TableField("price", "Price", FieldType.CURRENCY),
            ),
            key=("id",),
            or_key=("job", "line"),
            parent="jobs",
            path="lines",
            required=False,
        ),
        TableObject(
            "payments",
            "Payments",
            (TableField("job", references="jobs"), TableField("paid", type=FieldType.DATE), TableField("amount")),
            key=("job", "paid", "amount"),
            required=False,
        ),
        TableObject(
            "cases",
            "Cases",
            (TableField("surname", sensitive=True), TableField("born", type=FieldType.DATE)),
            key=("surname", "born"),
            required=False,
        ),
    ),
    users="people",
)


class Yard(ExportSource):
    catalogue = CATALOGUE

    def extra_fields(self, object_name: str) -> Sequence[TableField]:
        return (TableField("shout", "Shout"),) if object_name == "clients" else ()

    def complete_record(self, object_name: str, record: Record) -> None:
        if object_name == "clients" and "name" in record:
            record["shout"] = record["name"].upper()

    def derive(self) -> Sequence[DerivedObject]:
        spec = TableObject("persons", "Persons", (TableField("id"), TableField("name"), TableField("client")))
        return (DerivedObject(spec, "clients", _persons),)


def _persons(record: Record) -> Iterable[Record]:
    for number, field in enumerate(("name", "second"), start=1):
        if record.get(field):
            yield {"id": f"{record['id']}:{number}", "name": record[field], "client": record["id"]}


def yard(files: Mapping[str, str | bytes], answers: Mapping[str, Answers] = {}, **config: Any) -> Yard:
    bodies = {name: body.encode() if isinstance(body, str) else body for name, body in files.items()}
    return Yard(upload_context(Shelf(bodies, answers), **config))


CLIENTS = "Client ID,Client Name,Phone,Joined\n2,Beta,02 5550 0002,13/04/2024\n1,Alpha,02 5550 0001,03/04/2024\n"


class TestFiles:
    @pytest.mark.parametrize(
        "name",
        ["clients.csv", "Clients-Yard-20240102.csv", "2024-01-02_clients.csv", "clients (2).csv", "North Clients.csv"],
    )
    async def test_names_with_dates_and_prefixes(self, name: str) -> None:
        assert set(await whole(yard({name: CLIENTS}), "clients")) == {"1", "2"}

    async def test_an_exact_name_goes_before_a_similar_one(self) -> None:
        source = yard({"clients.csv": CLIENTS, "Clients Pets.csv": "Pet ID,ID,Name\np1,9,Rex\n"})
        spec = (await source.describe()).object("Clients_Pets")
        assert spec is not None
        assert spec.custom
        assert [one.name for one in spec.fields if one.primary_key] == ["id"]

    async def test_two_files_of_one_object_are_refused(self) -> None:
        with pytest.raises(ContractBroken) as refused:
            await yard({"clients.csv": CLIENTS, "clients 2024.csv": CLIENTS}).check()
        assert refused.value.code == "TWO_FILES"

    async def test_missing_files_are_named_with_what_to_do(self) -> None:
        shelf = Shelf({"clients.csv": CLIENTS.encode()})
        shelf.paths = ["clients", "jobs", "jobs.worker.email", "job_lines", "persons"]
        with pytest.raises(ContractBroken) as refused:
            await Yard(upload_context(shelf)).check()
        assert refused.value.code == "FILES_MISSING"
        assert "jobs.csv, people.csv." in refused.value.detail
        assert '"absent": "jobs, people"' in refused.value.detail
        facts = await Yard(upload_context(shelf, absent="Jobs, staff")).check()
        assert facts["absent"] == ["jobs", "people", "job_lines"]

    async def test_an_unknown_file_with_a_key_is_an_object_and_another_is_told(self) -> None:
        source = yard({"clients.csv": CLIENTS, "vans.csv": "Van Id,Client Id,Plate\nv1,1,AB\n", "x.csv": "A,B\n1,2\n"})
        found = await whole(source, "vans")
        assert found == {"v1": {"id": "v1", "clients_id": "1", "Plate": "AB"}}
        spec = (await source.describe()).object("vans")
        assert spec is not None
        assert spec.field("clients_id") is not None
        assert (await source.check())["ignored_files"] == ["x.csv"]

    async def test_options_that_cannot_be_used(self) -> None:
        with pytest.raises(CredentialsRejected, match="timezone"):
            yard({}, timezone="Mars/Olympus")
        with pytest.raises(CredentialsRejected, match="page_size"):
            yard({}, page_size=0)

    async def test_documents_are_opened_by_path(self) -> None:
        shelf = Shelf({})
        shelf.papers = {"export/documents/7/Scan.pdf": b"%PDF", "export/documents/8/scan.pdf": b"other"}
        source = Yard(upload_context(shelf))
        async with source.open_file(FileRef("documents", "documents/7/scan.pdf", "path")) as stream:
            assert (stream.name, stream.content_type, stream.size) == ("Scan.pdf", "application/pdf", 4)
            assert b"".join([chunk async for chunk in stream.chunks]) == b"%PDF"
        for path in ("scan.pdf", "9/other.pdf"):  # two of that name, and none
            with pytest.raises(BatchRefused) as refused:
                async with source.open_file(FileRef("documents", path, "path")):
                    pass
            assert refused.value.code == "FILE_GONE"
            assert path not in refused.value.detail


class TestTypes:
    async def test_cells_become_canonical_values(self) -> None:
        source = yard(
            {
                "clients.csv": "Client ID,Tel,Joined,Balance,Share,Updated At,PIN,Colour\n"
                '007,0412 345 678,31/12/2024,"$1,250.50",70%,31/12/2024 9:05 PM,1234,red\n'
            },
            timezone="Australia/Sydney",
        )
        assert await whole(source, "clients") == {
            "007": {
                "id": "007", "phone": "0412 345 678", "joined": "2024-12-31", "balance": "1250.5", "share": "70",
                "updated_at": "2024-12-31T10:05:00+00:00", "Colour": "red",
            }
        }  # fmt: skip
        facts = await source.check()
        assert facts["never_read"] == ["clients.PIN"]
        assert facts["mistyped"] == []

    async def test_passwords_are_never_read_whatever_the_catalogue_says(self) -> None:
        source = yard({"clients.csv": "Client ID,Password,Client Name\n1,hunter2,Al\n"})
        spec = (await source.describe()).object("clients")
        assert spec is not None
        assert "hunter2" not in str(await whole(source, "clients"))
        assert not [one for one in spec.fields if "assword" in one.name]

    async def test_a_field_with_other_values_is_text_and_told(self) -> None:
        source = yard({"clients.csv": "Client ID,Joined,Balance\n1,last spring,about 5\n"})
        found = await whole(source, "clients")
        assert (found["1"]["joined"], found["1"]["balance"]) == ("last spring", "about 5")
        assert (await source.check())["mistyped"] == ["clients.joined", "clients.balance"]

    async def test_an_ambiguous_date_waits_for_an_answer(self) -> None:
        body = {"clients.csv": "Client ID,Joined\n1,03/04/2024\n"}
        with pytest.raises(ContractBroken) as refused:
            await yard(body).check()
        assert refused.value.code == "NEEDS_ANSWER"
        assert "joined" in refused.value.detail
        answered = yard(body, {"clients.csv": {("Joined", "date-order"): "day-first"}})
        assert (await whole(answered, "clients"))["1"]["joined"] == "2024-04-03"

    async def test_times_without_a_zone_wait_for_one(self) -> None:
        with pytest.raises(ContractBroken, match="timezone"):
            await yard({"clients.csv": "Client ID,Updated At\n1,2024-05-06 07:08:09\n"}).check()

    async def test_unknown_columns_are_typed_by_votes(self) -> None:
        rows = "".join(
            f"{n},{('gold', 'silver')[n % 2]},{('a;b', 'b', 'a;c')[n % 3]},{n}.5,2024-02-{n + 1:02d},yes,note {n}\n"
            for n in range(12)
        )
        source = yard({"clients.csv": "Client ID,Tier,Tags,Size,Seen,Vip,Free text\n" + rows})
        spec = (await source.describe()).object("clients")
        assert spec is not None
        types = {one.name: one.type for one in spec.fields if one.custom}
        assert types == {
            "Tier": FieldType.PICKLIST, "Tags": FieldType.MULTIPICKLIST, "Size": FieldType.DECIMAL,
            "Seen": FieldType.DATE, "Vip": FieldType.BOOLEAN, "Free_text": FieldType.TEXT,
        }  # fmt: skip
        tags = spec.field("Tags")
        assert tags is not None
        assert [one.value for one in tags.picklist] == ["a", "b", "c"]
        assert (await whole(source, "clients"))["0"]["Tags"] == ["a", "b"]

    async def test_of_two_columns_for_one_field_neither_is_lost(self) -> None:
        source = yard({"clients.csv": "Client ID,Home Phone,Phone\n1,02 1,02 2\n"})
        assert await whole(source, "clients") == {"1": {"id": "1", "phone": "02 2", "Home_Phone": "02 1"}}


class TestKeys:
    async def test_a_composite_key(self) -> None:
        source = yard({"payments.csv": "Job,Paid,Amount\nJ1,31/01/2024, 5.00\nj1,31/01/2024,5.00\nJ2,,\n,,\n"})
        assert list(await whole(source, "payments")) == ["j1|2024-01-31|5.00", "j2||"]
        facts = (await source.describe()).facts["tables"]
        assert facts["payments"] == {
            "file": "payments.csv", "rejected_rows": 0, "rows": 3, "without_id": 0, "repeated_ids": 1,
            "key": ["job", "paid", "amount"],
        }  # fmt: skip

    async def test_a_key_of_sensitive_fields_is_not_readable(self) -> None:
        (key,) = await whole(yard({"cases.csv": "Surname,Born\nNovak,1990-02-03\n"}), "cases")
        assert "novak" not in key
        assert "1990" not in key

    async def test_a_file_without_its_key_says_which_column(self) -> None:
        with pytest.raises(ContractBroken, match="no column Client ID") as refused:
            await yard({"clients.csv": "Client Name\nA\n"}).check()
        assert refused.value.code == "NO_ID"

    async def test_pages_continue(self) -> None:
        body = "Client ID\n" + "".join(f"{n * 7 % 50:02d}\n" for n in range(50))
        pages = [page async for page in yard({"clients.csv": body}, page_size=8).read("clients", ["id"])]
        ids = [record["id"] for page in pages for record in page.records]
        assert ids == [f"{n:02d}" for n in range(50)]
        rest, _ = await read_all(yard({"clients.csv": body}), "clients", ["id"], cursor=pages[1].cursor)
        assert [one["id"] for one in rest] == ids[16:]

    async def test_unknown_fields_and_cursors_are_refused(self) -> None:
        with pytest.raises(ContractBroken, match="no field nose"):
            await read_all(yard({"clients.csv": CLIENTS}), "clients", ["nose"])
        with pytest.raises(ContractBroken, match="cursor"):
            await read_all(yard({"clients.csv": CLIENTS}), "clients", [], cursor="zzz")


class TestNested:
    LINES = json.dumps([{"price": 5.10, "note": "first"}, {"price": 7, "note": None}])

    async def test_lists_in_rows_are_an_object(self) -> None:
        cell = self.LINES.replace('"', '""')
        source = yard({"jobs.csv": f'Job ID,Lines,Done\nB,"{cell}",yes\nA,"[{{""price"": 1}}]",no\nC,,no\n'})
        assert await whole(source, "job_lines") == {
            "A:00001": {"id": "A:00001", "job": "A", "price": "1"},
            "B:00001": {"id": "B:00001", "job": "B", "price": "5.1", "note": "first"},
            "B:00002": {"id": "B:00002", "job": "B", "price": "7"},
        }
        assert await source.count("job_lines") == 3
        assert "Lines" not in (await whole(source, "jobs"))["B"]

    async def test_a_file_of_its_own_goes_first(self) -> None:
        source = yard(
            {"jobs.csv": 'Job ID,Lines\nA,"[{""price"": 1}]"\n', "job lines.csv": "Job ID,Line,Price\nA,2,9\n"}
        )
        assert await whole(source, "job_lines") == {"a|2": {"id": "a|2", "job": "A", "line": "2", "price": "9"}}

    @pytest.mark.parametrize("cell", ["[broken", "5", '"[1, 2]"', "[" * 50_000])
    async def test_what_is_no_list_names_its_line(self, cell: str) -> None:
        with pytest.raises(ContractBroken, match=r"jobs\.csv, line 2, column lines") as refused:
            await yard({"jobs.csv": f"Job ID,Lines\nA,{cell}\n"}).describe()
        assert refused.value.code == "BAD_LIST"

    async def test_derived_objects_and_fields(self) -> None:
        source = yard({"clients.csv": "Client ID,Client Name,Second Person\n2,Bo,\n1,Al,Cy\n"})
        assert await whole(source, "persons") == {
            "1:1": {"id": "1:1", "name": "Al", "client": "1"},
            "1:2": {"id": "1:2", "name": "Cy", "client": "1"},
            "2:1": {"id": "2:1", "name": "Bo", "client": "2"},
        }
        assert (await whole(source, "clients"))["1"]["shout"] == "AL"


class TestDelta:
    async def test_absence_is_a_deletion_only_where_declared(self) -> None:
        shelf = Shelf({"clients.csv": CLIENTS.encode()})
        shelf.known["clients"] = ["0", "1", "2", "9"]
        since = {"since": datetime(2024, 1, 1, tzinfo=UTC)}
        records, deletions = await read_all(Yard(upload_context(shelf)), "clients", ["id"], **since)
        assert ([one["id"] for one in records], deletions) == (["1", "2"], [])
        _, deletions = await read_all(Yard(upload_context(shelf, complete=True)), "clients", ["id"], **since)
        assert [one.id for one in deletions] == ["0", "9"]
        _, deletions = await read_all(Yard(upload_context(shelf, complete=True)), "clients", ["id"])
        assert deletions == []
