"""Clinic exports as a source: papers, what is guarded, the generator, and tables that nobody here made."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.base import FileRef
from connectors.clinic import PLATFORM
from connectors.clinic.catalogue import CATALOGUE
from connectors.clinic.generator import pack, write_export
from connectors.errors import BatchRefused, ContractBroken
from tests.connectors.clinic_kit import PATIENTS, SYNTHEA, clinic, papers_in, tables_in
from tests.connectors.connector_kit import read_all
from tests.connectors.shelf_kit import UPLOADED, Shelf, upload_context, whole


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

    async def test_a_paper_that_a_whole_export_no_longer_has_is_gone(self) -> None:
        shelf = Shelf({"Patients.csv": PATIENTS.encode()})
        shelf.papers = {"documents/P1/new.pdf": b"new"}
        shelf.known["documents"] = ["D1", "file-0"]
        assert PLATFORM.source is not None
        for complete, wanted in ((True, ["D1", "file-0"]), (False, [])):
            source = PLATFORM.source(upload_context(shelf, complete=complete))
            _, gone = await read_all(source, "documents", ["id"], since=UPLOADED)
            assert [one.id for one in gone] == wanted


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
