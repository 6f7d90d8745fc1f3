"""Clinic exports as a source: who is who, hidden custom fields, money, visits, papers, and what is guarded."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.schema import FieldType, Record
from connectors.base import BatchRefused, ContractBroken, CredentialsRejected, FileRef, Source
from connectors.clinic import PLATFORM
from connectors.clinic.catalogue import CATALOGUE
from connectors.clinic.generator import pack, write_export
from tests.connectors.shelf_kit import Shelf, read_all, upload_context, whole

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea-small"
PATIENTS = "Patient ID,First Name,Last Name,DOB,Email\nP1,Ada,Berg,1980-02-13,home@example.com\n"


def clinic(files: Mapping[str, str], papers: Mapping[str, bytes] = {}, **config: Any) -> Source:
    shelf = Shelf({name: text.encode() for name, text in files.items()})
    shelf.papers = dict(papers)
    assert PLATFORM.source is not None
    return PLATFORM.source(upload_context(shelf, **config))


def tables_in(folder: Path) -> Shelf:
    return Shelf({path.name: path.read_bytes() for path in folder.glob("*.csv")})


def papers_in(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in (folder / "documents").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


async def patients_of(text: str, **more: str) -> dict[str, Record]:
    return await whole(clinic({"Patients.csv": text, **more}), "patients")


def names(record: Record) -> tuple[str, str, str]:
    return record.get("given", ""), record.get("middle", ""), record.get("family", "")


class TestNames:
    async def test_a_name_in_one_cell_is_taken_apart(self) -> None:
        text = 'MRN,Patient Name\n1,"DOE, Jane M"\n2,"van der Berg, Anne Marie"\n3,Madhavi\n4,John Q. Public\n'
        found = await patients_of(text)
        assert {key: names(record) for key, record in found.items()} == {
            "1": ("Jane", "M", "DOE"),
            "2": ("Anne Marie", "", "van der Berg"),
            "3": ("", "", "Madhavi"),
            "4": ("John", "Q.", "Public"),
        }
        assert found["1"]["full_name"] == "Jane M DOE"

    async def test_one_word_names_and_their_sentinel(self) -> None:
        found = await patients_of("Id,FIRST,LAST\n1,ONLYNAME,Tellar\n2,Ngozi,\n")
        assert [names(record) for record in found.values()] == [("", "", "Tellar"), ("", "", "Ngozi")]


class TestPeople:
    async def test_patients_who_share_an_address_stay_two(self) -> None:
        """The first by id keeps it, upper case or not; a physician yields to a patient (ruling 21)."""
        text = PATIENTS + "P0,Bo,Berg,2015-01-02,HOME@example.com\nP3,Cy,Dahl,1990-03-04,own@example.com\n"
        source = clinic(
            {
                "Patients.csv": text,
                "Referrers.csv": "Id,Doctor Name,Email\nR1,Kim Ost,own@example.com\nR2,Lee Ost,r2@example.com\n",
            }
        )
        found = await whole(source, "patients")
        assert found["P0"]["own_email"] == "HOME@example.com"
        assert "own_email" not in found["P1"]
        assert found["P1"]["shared_email"] == "home@example.com"
        physicians = await whole(source, "referrers")
        assert physicians["R1"]["shared_email"] == "own@example.com"
        assert physicians["R2"]["own_email"] == "r2@example.com"
        assert (await source.describe()).facts["shared_emails"] == 2

    async def test_states(self) -> None:
        text = (
            "Id,Last,Status,Date of Death,Archived\n"
            "1,A,Active,,No\n2,B,,,Yes\n3,C,Active,2024-02-13,No\n4,D,inactive,,\n5,E,VIP,,\n6,F,,,2024-02-13\n"
        )
        found = await patients_of(text)
        states = [record["record_state"] for record in found.values()]
        assert states == ["Active", "Archived", "Deceased", "Inactive", "VIP", "Archived"]
        assert [record["do_not_contact"] for record in found.values()] == [False, True, True, False, False, True]

    async def test_a_merged_patient_leads_to_the_survivor(self) -> None:
        text = "Id,Last,Email,Merged Into\n1,A,x@example.com,2\n2,A,x@example.com,\n"
        source = clinic({"Patients.csv": text})
        records, gone = await read_all(source, "patients", ["id", "own_email"])
        assert [(record["id"], record["own_email"]) for record in records] == [("2", "x@example.com")]
        assert [(one.id, one.merged_into) for one in gone] == [("1", "2")]
        assert await source.count("patients") == 1

    async def test_staff_without_an_address_are_users_without_one(self) -> None:
        text = "Staff ID,First Name,Surname,Email,Active\nD1,Kim,Ost,Kim@Example.com,Yes\nD2,Lee,Ost,,No\n"
        users = (await clinic({"Patients.csv": PATIENTS, "Staff.csv": text}).describe()).users
        assert [(one.id, one.name, one.email, one.active) for one in users] == [
            ("D1", "Kim Ost", "kim@example.com", True),
            ("D2", "Lee Ost", "", False),
        ]

    async def test_physicians_of_a_practice_share_its_account(self) -> None:
        text = "Id,Name,Practice,Territory\nR1,Kim Ost,Oak  Medical,North\nR2,Lee Ost,OAK MEDICAL,\nR3,Mo Ost,,\n"
        source = clinic({"Patients.csv": PATIENTS, "Referring Doctors.csv": text})
        practices = await whole(source, "practices")
        assert [(one["name"], one["territory"]) for one in practices.values()] == [("Oak  Medical", "North")]
        found = await whole(source, "referrers")
        assert found["R1"]["practice_id"] == found["R2"]["practice_id"] == next(iter(practices))
        assert "practice_id" not in found["R3"]


class TestRepeatedPersons:
    ROWS = (
        "Invoice ID,Surname,First Name,DOB,Medicare No,Fee\n"
        "I1,Berg,Ada,13/02/1980,,10.00\nI2,BERG,ada,13/02/1980,,20.00\nI3,Berg,Ada,14/02/1980,,30.00\n"
        "I4,Dahl,Cy,,2999,40.00\nI5,Dahl,Cy,,,50.00\n"
    )

    async def test_without_a_file_of_patients_they_are_read_out_of_the_rows(self) -> None:
        source = clinic({"Billing.csv": self.ROWS})
        await source.check()
        people = await whole(source, "patients")
        told = sorted((one["given"], one["family"], one.get("birth_date", "")) for one in people.values())
        assert told == [
            ("Ada", "Berg", "1980-02-13"),
            ("Ada", "Berg", "1980-02-14"),
            ("Cy", "Dahl", ""),
        ]
        invoices = await whole(source, "invoices")
        assert invoices["I1"]["patient_id"] == invoices["I2"]["patient_id"] != invoices["I3"]["patient_id"]
        assert {invoices[key]["patient_id"] for key in ("I1", "I3", "I4")} == people.keys()
        assert "patient_id" not in invoices["I5"], "a name alone tells nobody apart"
        assert not any("1980" in key or "berg" in key.lower() for key in people), "ids stand in ledgers and logs"

    async def test_with_one_their_ids_are_found(self) -> None:
        rows = ("P1,Ada,Berg,1980-02-13,", "P2,Ada,Berg,1980-02-14,", "P3,Cy,Dahl,1990-01-20,2999", "")
        text = "\n".join(("Id,First,Last,DOB,Medicare", *rows))
        source = clinic({"Patients.csv": text, "Invoices.csv": self.ROWS})
        found = await whole(source, "invoices")
        assert {key: one.get("patient_id") for key, one in found.items()} == {
            "I1": "P1", "I2": "P1", "I3": "P2", "I4": "P3", "I5": "P3",
        }  # fmt: skip

    async def test_a_name_of_two_people_is_nobodys(self) -> None:
        text = "Id,First,Last\nP1,Ada,Berg\nP2,Ada,Berg\nP3,Cy,Dahl\n"
        rows = ("A1,Ada Berg", 'A2,"DAHL, Cy"', "A3,P1", "A4,P9")
        visits = "Id,Patient,Start\n" + "".join(f"{row},2024-02-13\n" for row in rows)
        found = await whole(clinic({"Patients.csv": text, "Visits.csv": visits}), "appointments")
        assert {key: one["patient_id"] for key, one in found.items()} == {
            "A1": "Ada Berg", "A2": "P3", "A3": "P1", "A4": "P9",
        }  # fmt: skip

    async def test_without_any_patients_the_check_says_what_to_upload(self) -> None:
        with pytest.raises(ContractBroken) as caught:
            await clinic({"Appointments.csv": "Id,Patient,Start\nA1,Ada Berg,2024-02-13\n"}).check()
        assert caught.value.code == "FILES_MISSING"
        assert "Patients.csv" in caught.value.detail


class TestCustomFields:
    async def test_by_difference_and_numbered(self) -> None:
        ramps = ("No", "Yes")
        rows = "".join(f"P{number},X,{ramps[number % 2]},{number},13/02/202{number % 5}\n" for number in range(9))
        source = clinic({"Patients.csv": f"Id,Last,Ramp needed,UDF_01,Custom 2\n{rows}"})
        spec = (await source.describe()).object("patients")
        assert spec is not None
        found = {one.name: (one.type, one.custom, one.sensitive) for one in spec.fields if one.custom}
        assert found == {
            "Ramp_needed": (FieldType.BOOLEAN, True, True),
            "UDF_01": (FieldType.INTEGER, True, True),
            "Custom_2": (FieldType.DATE, True, True),
        }

    async def test_a_sheet_of_names_and_values_is_turned(self) -> None:
        sheet = (
            "Patient ID,Field Name,Value\nP1,Smoker,Yes\nP2,smoker,No\nP1,Next recall,2026-05-13\n"
            "P1,Email,kept@example.com\nP9,Smoker,No\n"
        )
        text = "Id,Last\nP1,Berg\nP2,Dahl\n"
        found = await patients_of(text, **{"Patient Custom Fields.csv": sheet})
        assert (found["P1"]["Smoker"], found["P2"]["Smoker"], found["P1"]["Next_recall"]) == (True, False, "2026-05-13")
        assert found["P1"]["Email_2"] == "kept@example.com", "it does not become the patient's address"
        assert "email" not in found["P1"]

    async def test_cells_of_json_are_spread(self) -> None:
        flat = '{""Diet"": ""vegan"", ""Steps"": 4000, ""Tags"": [""a"", ""b""]}'
        deep = (
            '{""sections"": [{""fields"": [{""name"": ""Diet"", ""value"": ""none""}, {""name"": ""Visits"", '
            '""options"": [{""name"": ""Home"", ""selected"": true}, {""name"": ""Clinic""}]}]}]}'
        )
        text = f'Id,Last,custom_fields\nP1,Berg,"{flat}"\nP2,Dahl,"{deep}"\nP3,Ost,\n'
        source = clinic({"Patients.csv": text})
        found = await whole(source, "patients")
        assert {name: found["P1"][name] for name in ("Diet", "Steps", "Tags")} == {
            "Diet": "vegan",
            "Steps": "4000",
            "Tags": "a;b",
        }
        assert (found["P2"]["Diet"], found["P2"]["Visits"]) == ("none", "Home")
        spec = (await source.describe()).object("patients")
        assert spec is not None
        assert spec.field("custom_fields") is None
        assert all(
            one.sensitive and one.custom for one in spec.fields if one.name in ("Diet", "Steps", "Tags", "Visits")
        )

    async def test_text_that_only_begins_like_json_stays_text(self) -> None:
        found = await patients_of("Id,Last,Remark\nP1,Berg,{not json\nP2,Dahl,plain\n")
        assert found["P1"]["Remark"] == "{not json"


class TestMoney:
    async def test_payments_and_refunds_are_added_up(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS,
                "Invoices.csv": (
                    "Invoice ID,Invoice No,Patient ID,Fee,Status\nI1,N-1,P1,100.10,\nI2,N-2,P1,50,Denied\n"
                    "I3,N-3,P1,5,Void\n"
                ),
                "Payments.csv": (
                    "Payment ID,Invoice No,Payment Date,Amount,Method\nX1,N-1,13/02/2024,70.10,Card\n"
                    "X2,I1,20/03/2024,-20.00,Card\nX3,N-9,20/03/2024,7,Cash\nX4,I1,14/02/2024,50,Cash\n"
                ),
            }
        )
        found = await whole(source, "invoices")
        told = {
            name: found["I1"][name]
            for name in ("total_billed", "total_paid", "balance", "last_payment", "billing_state")
        }
        assert told == {
            "total_billed": "100.1", "total_paid": "100.1", "balance": "0", "last_payment": "2024-03-20",
            "billing_state": "Paid",
        }  # fmt: skip
        assert found["I1"]["payment_history"].splitlines() == [
            "2024-02-13 · 70.1 · Card", "2024-02-14 · 50 · Cash", "2024-03-20 · -20 · Card",
        ]  # fmt: skip
        assert (found["I2"]["billing_state"], found["I2"]["denial_state"]) == ("Denied", "Denied")
        assert found["I3"]["billing_state"] == "Void"
        assert (await source.describe()).facts["unresolved"] == {"payments.invoice_id": {"unknown": 1}}

    async def test_amounts_come_from_the_lines_where_the_invoice_has_none(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS,
                "Claims.csv": "Id,PATIENTID,SERVICEDATE\nC1,P1,2024-02-13\n",
                "Claims Transactions.csv": (
                    "ID,CLAIMID,TYPE,AMOUNT,PAYMENTS\nT1,C1,CHARGE,80.50,\n"
                    "T2,C1,PAYMENT,,30\nT3,C1,TRANSFEROUT,50.50,\n"
                ),
            }
        )
        found = (await whole(source, "invoices"))["C1"]
        assert (found["total_billed"], found["total_paid"], found["balance"]) == ("80.5", "30", "50.5")
        assert found["billing_state"] == "Partly paid"

    async def test_policies_of_their_own_table_fill_the_patient(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS + "P2,Bo,Dahl,1981-02-13,\n",
                "Payers.csv": "Payer ID,Payer Name\nY1,Harvest\nY2,Tide\n",
                "Insurance Policies.csv": (
                    "Policy ID,Patient ID,Insurer,Policy No,Group No,Priority\n"
                    "1,P1,tide,SEC-2,G2,Secondary\n2,P1,Harvest,PRI-1,G1,Primary\n"
                ),
            }
        )
        found = await whole(source, "patients")
        told = {name: value for name, value in found["P1"].items() if name.startswith("insurance")}
        assert told == {
            "insurance1_payer_id": "Y1", "insurance1_policy": "PRI-1", "insurance1_group": "G1",
            "insurance2_payer_id": "Y2", "insurance2_policy": "SEC-2", "insurance2_group": "G2",
        }  # fmt: skip
        assert found["P1"]["plan1_inline"] is False, "the policy is a record of its own already"


class TestVisits:
    async def test_duration_makes_the_end_and_the_kind(self) -> None:
        text = (
            "Id,Patient,Start,Duration (min),Status\nA1,P1,2024-02-13T09:00:00Z,30,Completed\n"
            "A2,P1,2024-02-13T09:00:00Z,5,Booked\nA3,P1,2024-02-13T09:00:00Z,,No show\n"
        )
        found = await whole(clinic({"Patients.csv": PATIENTS, "Visits.csv": text}), "appointments")
        told = [
            (one["begins"][11:16], one.get("finishes", "")[11:16], one["lasting"], one["progress"])
            for one in found.values()
        ]
        assert told == [
            ("09:00", "09:30", True, "Done"),
            ("09:00", "09:05", False, "Open"),
            ("09:00", "", False, "Done"),
        ]

    async def test_a_day_and_a_time_of_day_are_one_moment_in_the_clinics_zone(self) -> None:
        text = "Id,Patient,Visit Date,Appointment Time,Length\nA1,P1,13/02/2024,2:15 pm,00:45\nA2,P1,14/02/2024,,\n"
        files = {"Patients.csv": PATIENTS, "Visits.csv": text}
        found = await whole(clinic(files, timezone="Australia/Sydney"), "appointments")
        assert found["A1"]["begins"] == "2024-02-13T03:15:00+00:00"
        assert found["A1"]["finishes"] == "2024-02-13T04:00:00+00:00"
        assert (found["A2"]["begins"], found["A2"]["lasting"]) == ("2024-02-14", False)

    async def test_the_border_between_visit_and_task_is_an_option(self) -> None:
        text = "Id,Patient,Start,Duration\nA1,P1,2024-02-13T09:00:00Z,20\n"
        files = {"Patients.csv": PATIENTS, "Visits.csv": text}
        found = await whole(clinic(files, visit_minutes=30), "appointments")
        assert found["A1"]["lasting"] is False
        with pytest.raises(CredentialsRejected):
            clinic(files, visit_minutes="long")


class TestPapers:
    LIST = (
        "Document ID,Patient ID,File Name,Path,Category\nD1,P1,consent.pdf,documents/P1/consent.pdf,Consent\n"
        "D2,P1,card.pdf,,Card\nD3,P1,gone.pdf,documents/P1/gone.pdf,Letter\nD4,P7,other.pdf,,Letter\n"
        "D5,P2,swap.pdf,documents/P1/swap.pdf,Letter\n"
    )
    FILES: Mapping[str, bytes] = {
        "export/documents/P1/consent.pdf": b"one",
        "export/documents/P1/card.pdf": b"two",
        "export/documents/P2/loose.pdf": b"three",
        "export/scans/P2_2024-02-13_xray.png": b"four",
        "export/scans/Ada Berg referral.pdf": b"five",
        "export/documents/P1/swap.pdf": b"six",
        "export/other.pdf": b"seven",
    }

    async def test_each_is_matched_for_certain_or_not_at_all(self) -> None:
        text = PATIENTS + "P2,Bo,Dahl,1981-02-13,\n"
        source = clinic({"Patients.csv": text, "Documents.csv": self.LIST}, self.FILES)
        found = await whole(source, "documents")
        told = {
            one["file_name"]: (one.get("found_by"), one.get("patient_id"), one.get("problem")) for one in found.values()
        }
        assert told == {
            "consent.pdf": ("path", "P1", None),
            "card.pdf": ("folder", "P1", None),
            "gone.pdf": (None, "P1", "file-missing"),
            "other.pdf": ("name", None, "patient-unknown"),
            "swap.pdf": ("path", "P2", "folder-of-another-patient"),
            "loose.pdf": ("folder", "P2", None),
            "P2_2024-02-13_xray.png": ("pattern", "P2", None),
            "Ada Berg referral.pdf": (None, None, "nobody-named"),
        }
        assert all(one["matched"] is ("problem" not in one) for one in found.values())
        consent = next(one for one in found.values() if one["file_name"] == "consent.pdf")
        assert (consent["Size"], consent["sha256"]) == ("3", hashlib.sha256(b"one").hexdigest())
        assert (await source.check())["papers_matched"] == 4
        assert (await source.describe()).facts["papers"] == {
            "papers": 8, "matched": 4, "bytes": 27, "file-missing": 1, "patient-unknown": 1,
            "folder-of-another-patient": 1, "nobody-named": 1,
        }  # fmt: skip

    async def test_bytes_are_streamed_and_a_missing_file_is_said_to_be_gone(self) -> None:
        source = clinic({"Patients.csv": PATIENTS, "Documents.csv": self.LIST}, self.FILES)
        async with source.open_file(FileRef("documents", "D1", "content")) as stream:
            assert b"".join([chunk async for chunk in stream.chunks]) == b"one"
            assert (stream.name, stream.size) == ("consent.pdf", 3)
        with pytest.raises(BatchRefused) as caught:
            async with source.open_file(FileRef("documents", "D3", "content")):
                pass
        assert caught.value.code == "FILE_GONE"
        assert "gone.pdf" not in caught.value.detail


class TestGuarding:
    GUARDED: Mapping[str, set[str]] = {
        "patients": {
            "birth_date",
            "death_date",
            "sex",
            "national_id",
            "medicare_no",
            "allergies",
            "notes",
            "insurance1_policy",
        },
        "appointments": {"reason", "diagnosis", "diagnosis_code", "notes"},
        "treatment_plans": {"diagnosis", "diagnosis_code", "procedure_codes"},
        "lab_results": {"test", "code", "value", "reference_range", "abnormal", "text"},
        "invoices": {"item_code", "diagnosis_code", "denial_reason"},
    }

    def test_health_data_is_marked_field_by_field(self) -> None:
        for name, fields in self.GUARDED.items():
            obj = CATALOGUE.object(name)
            assert obj is not None
            assert fields <= {one.name for one in obj.fields if one.sensitive}, name

    async def test_errors_name_the_column_and_never_the_value(self) -> None:
        shelf = Shelf({"Patients.csv": PATIENTS.encode()})
        assert PLATFORM.source is not None
        source = PLATFORM.source(upload_context(shelf))
        await source.describe()
        shelf.files["Patients.csv"] = PATIENTS.replace("1980-02-13", "CANARY-HIV").encode()
        with pytest.raises(ContractBroken) as caught:
            await read_all(source, "patients", ["id", "birth_date"])
        assert "birth_date" in caught.value.detail
        assert "CANARY" not in str(caught.value)


class TestGenerator:
    def test_equal_arguments_give_equal_bytes(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            write_export(tmp_path / name, 60, 5)
            pack(tmp_path / name, tmp_path / f"{name}.zip")
        assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
        write_export(tmp_path / "other", 60, 6)
        assert (tmp_path / "other/Patients.csv").read_bytes() != (tmp_path / "one/Patients.csv").read_bytes()

    async def test_its_dirt_is_found(self, tmp_path: Path) -> None:
        counts = write_export(tmp_path, 300, 5)
        shelf = tables_in(tmp_path)
        shelf.papers = papers_in(tmp_path)
        assert PLATFORM.source is not None
        source = PLATFORM.source(upload_context(shelf))
        facts = (await source.describe()).facts
        assert counts["Patients.csv"] == 301, "a row is repeated"
        assert facts["merged_patients"] == 3
        assert facts["shared_emails"] > 20  # type: ignore[operator]
        assert facts["papers"]["nobody-named"] == 1  # type: ignore[index, call-overload]
        assert await source.count("patients") == 297
        patients = await whole(source, "patients")
        assert {"Deceased", "Archived", "Inactive", "Active"} == {one["record_state"] for one in patients.values()}
        visits = await whole(source, "appointments")
        assert [one for one in visits.values() if one["patient_id"] not in patients and one["patient_id"][0] == "X"]


@pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the data set is not here")
async def test_foreign_tables_find_their_objects_by_their_headings() -> None:
    shelf = tables_in(SYNTHEA)
    assert PLATFORM.source is not None
    source = PLATFORM.source(upload_context(shelf))
    facts = await source.check()
    inventory = await source.describe()
    counts = {one.name: await source.count(one.name) for one in inventory.objects}
    known = {
        "clinics": 63, "providers": 166, "payers": 10, "patients": 27, "insurance_plans": 1051, "appointments": 604,
        "invoices": 1267, "charges": 5228, "treatment_plans": 49, "lab_results": 990, "imaging_studies": 1,
    }  # fmt: skip
    foreign = {
        "allergies": 40, "conditions": 438, "devices": 3, "immunizations": 29, "medications": 663, "procedures": 249,
        "supplies": 72, "documents": 0,
    }  # fmt: skip
    assert counts == {**known, **foreign}, "tables without ids are counted by their rows"
    assert facts["ignored_files"] == []
    medications = inventory.object("medications")
    assert medications is not None
    assert all(one.sensitive or one.name in ("id", "patient_id") for one in medications.fields)
    visits = await whole(source, "appointments")
    patients = await whole(source, "patients")
    assert {one["patient_id"] for one in visits.values()} <= patients.keys()
    assert all(one["lasting"] for one in visits.values())
    assert all("national_id" in one and "family" in one for one in patients.values())
