"""Companies taken to their destinations once per module, and once more by a mapping with faults planted in it.

To add a pair:

1. A source with an API needs a maker like `company.make_company`; an export needs files in a folder, given to the road
   as uploads (see `moving`, which takes the source's URL, "" for uploads, and `prepare` for what a person does first).
2. A destination needs a reader with `records`, `reference` and `person` (`comparing.Account`), entered in `ACCOUNTS`
   beside the edition of its stand-in. `vendors.Zoho` and `freshsales_account.Freshsales` stand there.
3. Rows are functions from the company to `Expected` records, in a file of their own (`rows`, `freshsales_rows`).
4. The test module sets `PAIR = ("source", "destination")` and asks for the fixture `move` (the company after sample
   and full run). For planted faults it opens `moving` itself and confirms a document with rules taken out
   (`planting`).

Whatever an administrator has to do at the destination before a run goes on is done by `ADMINS`, through the stand-in's
own `/_sandbox/admin`, as a person would in the vendor's pages.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.company import WRITTEN, Company, make_company
from tests.pairs.comparing import Account
from tests.pairs.freshsales_account import Freshsales
from tests.pairs.vendors import Tracker, Zoho
from tests.runs.conftest import product_logs, prompt_vendor
from tests.runs.road import Road, road, sandbox

__all__ = ["Move", "moving", "product_logs", "prompt_vendor"]

Pair = tuple[str, str]
DEFAULT_PAIR: Pair = ("servicetracker", "zoho_crm")
ACCOUNTS: Mapping[str, Callable[[str], Any]] = {"zoho_crm": Zoho, "freshsales": Freshsales}
ADMINS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "freshsales": ({"action": "create_row", "selector": "lead_sources", "name": "ServiceTracker Website"},),
}
"""By destination: what its administrator does while the provisioning waits."""


@dataclass
class Move:
    """A company, its road, and the destination as the vendor's API shows it."""

    company: Company
    road: Road
    account: Any

    @property
    def zoho(self) -> Zoho:
        assert isinstance(self.account, Zoho)
        return self.account

    @property
    def freshsales(self) -> Freshsales:
        assert isinstance(self.account, Freshsales)
        return self.account

    @property
    def reader(self) -> Account:
        """The destination as far as comparing needs it."""
        reader: Account = self.account
        return reader

    async def up_to(self, step: str) -> None:
        """`Road.up_to`, with the administrator's hand where the provisioning waits for it."""
        await up_to(self.road, step)


async def up_to(way: Road, step: str, *, admin: Callable[[Road], Awaitable[None]] | None = None) -> None:
    """Takes the usual steps; an administrator does what the provisioning waits for, then it looks again."""
    steps = ("discovery", "preflight", "mapping", "provision", "sample", "full")
    for kind in steps[: steps.index(step) + 1]:
        if kind == "mapping":
            await way.confirm(await way.propose())
            await way.decide_owners()
        elif kind == "provision":
            await provision(way, admin)
        else:
            await way.run(kind)


async def provision(way: Road, admin: Callable[[Road], Awaitable[None]] | None = None) -> None:
    """Provisioning to its end; `admin` (default: what `ADMINS` lists) acts once when it waits."""
    run_id = await way.start("provision")
    waits = bool(ADMINS.get(way.pair[1])) or admin is not None
    await way.drive(run_id, expect="waiting_admin" if waits else "completed")
    if waits:
        await (admin or _administrate)(way)
        await way.resume(run_id)
        await way.drive(run_id)


async def _administrate(way: Road) -> None:
    for action in ADMINS[way.pair[1]]:
        await way.destination.post("admin", action)


@asynccontextmanager
async def moving(
    database_url: str,
    source_url: str,
    company: Company,
    *,
    pair: Pair = DEFAULT_PAIR,
    edition: str = "enterprise",
    options: Mapping[str, str] | None = None,
    **settings: Any,
) -> AsyncIterator[Move]:
    """A fresh account and engagement for a company that stands at the source; nothing has been started yet.

    `options` are switches of the destination's stand-in.
    """
    with sandbox(pair[1], SandboxConfig(edition=edition, options=options or {})) as destination_url:
        async with road(database_url, source_url, destination_url, pair=pair, **settings) as way:
            account = ACCOUNTS[pair[1]](destination_url)
            try:
                yield Move(company, way, account)
            finally:
                await account.close()


@pytest.fixture(scope="module")
def pair(request: pytest.FixtureRequest) -> Pair:
    """The pair that the module names, source first."""
    found: Pair = getattr(request.module, "PAIR", DEFAULT_PAIR)
    return found


@pytest.fixture(scope="module")
async def source() -> AsyncIterator[tuple[str, Company]]:
    """The source's URL with the company in it."""
    with sandbox("servicetracker", SandboxConfig(clock=lambda: WRITTEN)) as url:
        async with Tracker(url) as tracker:
            yield url, await make_company(tracker)


@pytest.fixture(scope="module")
async def move(database_url: str, source: tuple[str, Company], pair: Pair) -> AsyncIterator[Move]:
    """The company after the whole road: sample, then full run."""
    async with moving(database_url, *source, pair=pair) as made:
        await made.up_to("full")
        await made.account.sign_in()
        yield made
