"""Every row of the table Clinic → Zoho CRM: what a clinic exported stands in Zoho, field by field."""

from collections.abc import AsyncIterator

import pytest

from app.domain.grading import grade
from connectors.registry import load_blueprint
from tests.pairs import clinic_rows as rows
from tests.pairs.clinic_company import CARD, CONSENT, LEASE
from tests.pairs.clinic_move import ClinicMove, moving_clinic
from tests.pairs.clinic_rows import ZOHO
from tests.pairs.comparing import FAR, Expected, Person, To, differences
from tests.pairs.planting import without

PAIR = ("clinic", "zoho_crm")


async def test_nothing(database_url: str) -> None:
    async with moving_clinic(database_url, PAIR) as move:
        await move.up_to("full")
        await move.account.sign_in()
        for name, make in (("p", rows.patients), ("s", rows.sharing), ("y", rows.payers), ("t", rows.treatment_plans), ("r", rows.referrers), ("l", rows.results), ("c", rows.custom_fields)):
            for one in make(ZOHO):
                print(name, one.former, await differences(move.reader, one))
        for one in rows.bills(ZOHO, ("Partly Paid", "Denied", "Paid", "Billed")):
            print("bill", one.former, await differences(move.reader, one))
        print((await move.road.row(move.road.runs["full"])).counts)
        for r in await move.road.ledger("outcome NOT IN ('created')"): print(dict(r))
