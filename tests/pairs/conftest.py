"""The hand-made company taken to Zoho once per module, and once more by a mapping with faults planted in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandboxkit.config import SandboxConfig
from tests.pairs.company import WRITTEN, Company, make_company
from tests.pairs.vendors import Tracker, Zoho
from tests.runs.conftest import ADVICE, product_logs, prompt_vendor
from tests.runs.road import Road, road, sandbox

__all__ = ["Move", "moving", "product_logs", "prompt_vendor"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(ADVICE))


@dataclass
class Move:
    """A company, its road, and the org as the vendor's API shows it."""

    company: Company
    road: Road
    zoho: Zoho


@asynccontextmanager
async def moving(database_url: str, source_url: str, company: Company) -> AsyncIterator[Move]:
    """A fresh org and engagement for a company that stands at the source; nothing has been started yet."""
    with sandbox("zoho_crm", SandboxConfig(edition="enterprise")) as destination_url:
        async with road(database_url, source_url, destination_url) as way:
            zoho = Zoho(destination_url)
            try:
                yield Move(company, way, zoho)
            finally:
                await zoho.close()


@pytest.fixture(scope="module")
async def source() -> AsyncIterator[tuple[str, Company]]:
    """The source's URL with the company in it."""
    with sandbox("servicetracker", SandboxConfig(clock=lambda: WRITTEN)) as url:
        tracker = Tracker(url)
        try:
            await tracker.sign_in()
            yield url, await make_company(tracker)
        finally:
            await tracker.close()


@pytest.fixture(scope="module")
async def move(database_url: str, source: tuple[str, Company]) -> AsyncIterator[Move]:
    """The company after the whole road: sample, then full run."""
    async with moving(database_url, *source) as made:
        await made.road.up_to("full")
        await made.zoho.sign_in()
        yield made
