"""A folder of tables that nobody here made, from upload to full run: what is known moves, the rest is named."""

from pathlib import Path

import pytest

from tests.pairs.clinic_company import Clinic
from tests.pairs.clinic_move import moving_clinic

SYNTHEA = Path(__file__).resolve().parents[3] / "shared" / "data" / "synthea-small"
PAIR = ("clinic", "zoho_crm")
FOREIGN = {
    "allergies", "conditions", "devices", "imaging_studies", "immunizations", "medications", "procedures", "supplies",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not SYNTHEA.is_dir(), reason="the data set is not here")


async def test_foreign_tables_go_the_whole_road(database_url: str) -> None:
    tables = {path.name: path.read_text(encoding="utf-8") for path in sorted(SYNTHEA.glob("*.csv"))}
    async with moving_clinic(database_url, PAIR, clinic=Clinic(tables, {})) as move:
        await move.up_to("full")
        counts = (await move.road.row(move.road.runs["full"])).counts
        print(counts)
