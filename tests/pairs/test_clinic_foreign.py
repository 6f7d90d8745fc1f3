"""A folder of tables that nobody here made, from upload to full run: what is known moves, the rest is named."""

from pathlib import Path

import pytest

from app.domain.mapping import Origin
from tests.pairs import verdicts
from tests.pairs.clinic_company import Clinic
from tests.pairs.clinic_move import moving_clinic

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea-small"
PAIR = ("clinic", "zoho_crm")
LEFT = {
    "allergies": 40, "conditions": 438, "devices": 3, "imaging_studies": 1, "immunizations": 29, "medications": 663,
    "procedures": 249, "supplies": 72,
}  # fmt: skip
MOVED = {
    "clinics": 63, "payers": 10, "patients": 27, "invoices": 1267, "treatment_plans": 49, "lab_results": 990,
    "plans": 1051, "events": 604,
}  # fmt: skip

pytestmark = pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the data set is not here")


async def test_foreign_tables_go_the_whole_road(database_url: str) -> None:
    """Every row of every file has one outcome; clinical lists without a counterpart are said to stay behind."""
    paths = sorted(SYNTHEA.glob("*.csv"))
    tables = {path.name: path.read_text(encoding="utf-8") for path in paths}
    async with moving_clinic(database_url, PAIR, clinic=Clinic(tables, {})) as move:
        await move.up_to("full")
        document = await move.road.document()
        assert {one.source_object for one in document.exclusions if one.reason == "no_counterpart"} == LEFT.keys()
        patients = document.load("patients")
        found = {rule.sources[0]: rule for rule in patients.fields if rule.origin is Origin.MATCHED}
        assert found.keys() == {"COUNTY", "LAT", "LON", "HEALTHCARE_EXPENSES", "HEALTHCARE_COVERAGE"}
        assert all(rule.sensitive for rule in found.values()), "nobody knows what a clinic keeps in its own fields"
        counts = (await move.road.row(move.road.runs["full"])).counts
        rows = sum(text.count("\n") - 1 for text in tables.values())
        assert (counts["read"], counts["held"], counts["quarantined"]) == (rows, 0, 0)
        by_load = {one["load"]: one for one in counts["objects"] if one["load"]}
        assert {name: by_load[name]["created"] + by_load[name]["unchanged"] for name in MOVED} == MOVED
        left = {
            one["object"]: one["skipped"]
            for one in counts["objects"]
            if not one["load"] and "skipped:no_counterpart" in one["reasons"]
        }
        assert left == LEFT
        await verdicts.conserves(move.road)
        await move.account.sign_in()
        people = await move.reader.records("Contacts")
        assert len(people) == MOVED["patients"]
        assert all(row["Last Name"] and row["Date of Birth"] and row["Insurance Carrier"] for row in people.values())
