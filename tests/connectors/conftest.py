"""Running sandboxes, one per test module, emptied or refilled by the tests themselves."""

from collections.abc import AsyncIterator

import pytest

from connectors.sandboxkit.config import SandboxConfig
from connectors.servicetracker.sandbox import create_app as servicetracker_app
from connectors.zoho_crm.sandbox import create_app as zoho_app
from tests.connectors.connector_kit import Sandbox, serve


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
