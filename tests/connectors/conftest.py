"""Running sandboxes, one per test module, emptied or refilled by the tests themselves."""

from collections.abc import AsyncIterator

import pytest

from connectors.freshsales.sandbox import create_app as freshsales_app
from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app as servicetracker_app
from connectors.zoho_crm.sandbox import create_app as zoho_app
from tests.connectors.connector_kit import Sandbox, serve
from tests.connectors.destination_cases import CASES, Bench, Case, bench_of


@pytest.fixture(scope="module")
async def tracker_server() -> AsyncIterator[Sandbox]:
    async with serve(servicetracker_app(SandboxConfig(seed=7, scale=200))) as url:
        yield Sandbox(url)


@pytest.fixture
async def tracker(tracker_server: Sandbox) -> AsyncIterator[Sandbox]:
    """A ServiceTracker sandbox of about 200 records without faults; tests that change it work on top of each other."""
    yield tracker_server
    await tracker_server.clear()


@pytest.fixture(scope="module")
async def zoho_server() -> AsyncIterator[Sandbox]:
    async with serve(zoho_app(SandboxConfig(seed=7))) as url:
        yield Sandbox(url)


@pytest.fixture
async def zoho(zoho_server: Sandbox) -> AsyncIterator[Sandbox]:
    """A Zoho CRM sandbox without faults; tests use keys of their own."""
    yield zoho_server
    await zoho_server.clear()


@pytest.fixture(scope="module")
async def fresh_server() -> AsyncIterator[Sandbox]:
    options = {"job_seconds": "0", "account_name_unique": "off", "hourly_calls": "1000000"}
    async with serve(freshsales_app(SandboxConfig(seed=7, options=options))) as url:
        yield Sandbox(url)


@pytest.fixture
async def fresh(fresh_server: Sandbox) -> AsyncIterator[Sandbox]:
    """A Freshsales sandbox without faults, whose jobs end at once; tests use keys of their own."""
    yield fresh_server
    await fresh_server.clear()


@pytest.fixture(params=CASES, ids=lambda case: case.slug)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def sandbox(case: Case, request: pytest.FixtureRequest) -> Sandbox:
    found: Sandbox = request.getfixturevalue(case.sandbox)
    return found


@pytest.fixture
async def bench(case: Case, sandbox: Sandbox) -> AsyncIterator[Bench]:
    """A destination of the contract, ready to be written to."""
    made = await bench_of(case, sandbox)
    yield made
    await made.destination.close()
