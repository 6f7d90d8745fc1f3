"""The hand-made clinic on its way: its export uploaded as one ZIP to a fresh engagement towards a fresh account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.clinic_company import CLINIC, Clinic
from tests.pairs.comparing import Account
from tests.pairs.conftest import ACCOUNTS, Pair
from tests.pairs.planting import Planted, lacking
from tests.pairs.uploading import send_files
from tests.runs.road import STEPS, Road, road, sandbox


@dataclass
class ClinicMove:
    """The files, the road, and the destination as the vendor's API shows it."""

    clinic: Clinic
    road: Road
    account: Any

    @property
    def reader(self) -> Account:
        reader: Account = self.account
        return reader

    async def up_to(self, step: str) -> None:
        """The usual steps; nothing here needs an administrator."""
        for kind in STEPS[: STEPS.index(step) + 1]:
            if kind == "mapping":
                await self.road.confirm(await self.road.propose())
                await self.road.decide_owners()
            else:
                await self.road.run(kind)


@asynccontextmanager
async def moving_clinic(
    database_url: str, pair: Pair, *, edition: str = "enterprise", clinic: Clinic = CLINIC, **settings: Any
) -> AsyncIterator[ClinicMove]:
    """Uploaded, and nothing started yet."""
    with sandbox(pair[1], SandboxConfig(edition=edition)) as url:
        async with road(database_url, "", url, pair=pair, **settings) as way:
            await send_files(way, {"export.zip": clinic.bundle()})
            account = ACCOUNTS[pair[1]](url)
            try:
                yield ClinicMove(clinic, way, account)
            finally:
                await account.close()


@asynccontextmanager
async def moved_without(database_url: str, pair: Pair, planted: Planted) -> AsyncIterator[ClinicMove]:
    """Moved by a mapping that lacks the rules of `planted`."""
    async with moving_clinic(database_url, pair) as made:
        for step in ("discovery", "preflight"):
            await made.road.run(step)
        await made.road.confirm(lacking(await made.road.propose(), planted))
        await made.road.decide_owners()
        for step in ("provision", "full"):
            await made.road.run(step)
        await made.account.sign_in()
        yield made
