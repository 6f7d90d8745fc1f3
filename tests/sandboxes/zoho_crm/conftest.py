"""A fresh Zoho CRM sandbox for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.sandboxes.caller import noon
from tests.sandboxes.zoho_crm.zoho_kit import Start, Zoho, running


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes with options: `await start(edition="Standard", options={...})`."""
    async with AsyncExitStack() as stack:

        async def begin(**config: Any) -> Zoho:
            return await stack.enter_async_context(running(noon(), **config))

        yield begin


@pytest.fixture
async def zoho(start: Start) -> Zoho:
    """An Enterprise org without customer data."""
    begun: Zoho = await start(options={"empty": "1"})
    return begun
