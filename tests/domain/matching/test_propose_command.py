"""`tranship propose`: schema files in, the agreed JSON out, faults named."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.domain.matching.columns import Schema, Table
from app.domain.matching.documents import read_schema
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.proposal import answer, propose_tables
from app.domain.matching.systems import find_system

SHARED = Path(os.environ.get("TRANSHIP_SHARED_DATA") or Path(__file__).parents[4] / "shared" / "data")
SOURCE = {
    "platform": "dental_manager",
    "objects": [
        {"name": "patients", "label": "Patients", "fields": [
            {"name": "patient_id", "type": "int", "primary_key": True},
            {"name": "given_name", "required": True}, {"name": "family_name"},
            {"name": "dob", "type": "date", "samples": ["31/12/1980"]},
            {"name": "cell", "samples": ["+44 20 7946 0000"]},
            {"name": "shoe_size", "type": "int"},
        ]},
        {"name": "gps_log", "fields": [{"name": "lat"}, {"name": "lng"}]},
    ],
}  # fmt: skip


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["propose", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.json"
    path.write_text(json.dumps(SOURCE))
    return path


@pytest.mark.parametrize(("destination", "born"), [("zoho_crm", "Date_of_Birth"), ("freshsales", None)])
def test_a_known_destination(source: Path, tmp_path: Path, destination: str, born: str | None) -> None:
    out = tmp_path / "out.json"
    assert run("--source", source, "--destination", destination, "--json", out) == (0, "", "")
    objects = json.loads(out.read_text())["objects"]
    assert [one["source_object"] for one in objects] == ["patients", "gps_log"]
    fields = {one["source_field"]: one for one in objects[0]["fields"]}
    assert list(fields) == [one["name"] for one in SOURCE["objects"][0]["fields"]]  # type: ignore[index]
    assert fields["dob"]["target"] == born
    assert fields["family_name"]["band"] == "preselected"
    assert fields["shoe_size"]["target"] is None
    assert fields["patient_id"]["transform"]["name"] == "external_id"
    assert objects[1]["target_object"] is None
    if born:
        assert fields["dob"]["transform"] == {"name": "date", "args": {"formats": ["%d/%m/%Y"]}, "loss": []}


def test_another_schema_as_destination_and_an_outline(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    fields = [{"name": "Surname"}, {"name": "Forename"}, {"name": "Mobile No"}]
    other.write_text(json.dumps({"platform": "x", "objects": [{"name": "Person", "fields": fields}]}))
    code, said, _ = run("--source", source, "--destination", other)
    assert code == 0
    assert "patients -> Person" in said
    assert "family_name -> Surname" in said
    assert "cell -> Mobile No" in said


@pytest.mark.parametrize(
    ("content", "destination", "hint"),
    [
        ("{}", "fly_by_night", "neither a known platform"),
        ("{}", "missing.json", "neither a known platform"),
        ("nonsense", "zoho_crm", "is not JSON"),
        ("[]", "zoho_crm", "a schema is a JSON object"),
        ('{"objects": [{"fields": []}]}', "zoho_crm", "objects[0].name"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, destination: str, hint: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(content)
    code, said, problem = run("--source", path, "--destination", destination)
    assert (code, said) == (2, "")
    assert hint in problem


def test_it_needs_no_server_no_network_and_no_settings(source: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "propose", "--source", source, "--destination", "zoho_crm"],
        capture_output=True, check=True, text=True, env={"TRANSHIP_ENVIRONMENT": "production", "PATH": ""},
        cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    assert "patients -> Contacts" in done.stdout


def csv_schema(folder: Path) -> Schema:
    """A folder of CSV files as a schema: headings and some values, nothing else."""
    objects = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8-sig") as handle:
            rows = [row for row, _ in zip(csv.DictReader(handle), range(40), strict=False)]
        if rows:
            fields = [{"name": key, "samples": [row[key] for row in rows if row[key]]} for key in rows[0]]
            objects.append({"name": path.stem, "fields": fields})
    return read_schema({"platform": folder.name, "objects": objects})


def proposal(schema: Schema, lessons: list[Lesson]) -> dict[str, dict[str, str | None]]:
    system = find_system("zoho_crm")
    assert system is not None
    made = answer(propose_tables(schema, system.schema(), Memory(lessons=lessons)))
    return {
        one["source_object"]: {"": one["target_object"], **{f["source_field"]: f["target"] for f in one["fields"]}}
        for one in made["objects"]
    }


@pytest.mark.skipif(not (SHARED / "chinook").exists(), reason="the data folder is not at hand")
def test_a_foreign_csv_folder_is_proposed_corrected_and_proposed_again() -> None:
    schema = csv_schema(SHARED / "chinook")
    first = proposal(schema, [])
    assert first["Customer"][""] == "Contacts"
    assert first["Customer"] | {
        "FirstName": "First_Name", "LastName": "Last_Name", "Company": "Account_Name", "City": "Mailing_City",
        "PostalCode": "Mailing_Zip", "Phone": "Phone", "Fax": "Fax", "Email": "Email", "CustomerId": "id",
    } == first["Customer"]  # fmt: skip
    assert first["Invoice"][""] == "Invoices"
    assert (first["Invoice"]["InvoiceDate"], first["Invoice"]["Total"]) == ("Invoice_Date", "Grand_Total")
    assert first["Track"]["Composer"] is None
    learnt = [
        Lesson("Products", "Manufacturer", "Track", "Composer", confirmed=1),
        Lesson("Contacts", "Owner", "Customer", "SupportRepId", confirmed=1),
        Lesson("Contacts", "Fax", "Customer", "Fax", rejected=1),
        Lesson("Contacts", "", "Customer", "Fax", confirmed=1),
    ]
    second = proposal(schema, learnt)
    assert second["Track"]["Composer"] == "Manufacturer"
    assert second["Customer"]["SupportRepId"] == "Owner"
    assert second["Customer"]["Fax"] is None
    changed = {
        (table, name)
        for table, fields in first.items()
        for name, target in fields.items()
        if second[table][name] != target
    }
    assert changed == {("Track", "Composer"), ("Customer", "Fax"), ("Employee", "Fax")}


@pytest.mark.skipif(not (SHARED / "synthea-small").exists(), reason="the data folder is not at hand")
def test_a_clinic_keeps_its_patients_apart_from_its_records() -> None:
    made = proposal(csv_schema(SHARED / "synthea-small"), [])
    assert made["patients"][""] == "Contacts"
    assert (made["patients"]["FIRST"], made["patients"]["LAST"]) == ("First_Name", "Last_Name")
    assert made["patients"]["SSN"] is None
    assert made["organizations"][""] == "Accounts"
    assert made["encounters"][""] == "Events"
    assert made["observations"][""] is None
    assert made["allergies"][""] is None


def test_a_table_without_columns() -> None:
    assert proposal(Schema("", (Table("Accounts"),)), []) == {"Accounts": {"": "Accounts"}}


def test_an_empty_schema_is_said_to_be_empty_and_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text('{"platform": "x", "objects": []}')
    assert run("--source", path, "--destination", "zoho_crm")[1].startswith("The schema has no objects")
    evil = {"name": "\u001b[2Jcontacts", "fields": [{"name": "last\u202e_name"}, {"name": "email"}]}
    path.write_text(json.dumps({"objects": [evil]}))
    code, shown, _ = run("--source", path, "--destination", "zoho_crm")
    assert code == 0
    assert "\u001b" not in shown
    assert "\u202e" not in shown
    assert "email -> Email" in shown
