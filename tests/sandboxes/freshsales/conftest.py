"""A fresh Freshsales sandbox for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.sandboxes.caller import noon
from tests.sandboxes.freshsales.fresh_kit import Fresh, Start, running


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts sandboxes with switches: `await start(edition="growth", bulk_status="202")`."""
    async with AsyncExitStack() as stack:

        async def begin(edition: str | None = None, scale: int = 0, seed: int = 1, **options: Any) -> Fresh:
            switches = {name: str(value) for name, value in options.items()}
            return await stack.enter_async_context(
                running(noon(), edition=edition, scale=scale, seed=seed, options=switches)
            )

        yield begin


@pytest.fixture
async def fresh(start: Start) -> Fresh:
    """An empty Enterprise account."""
    begun: Fresh = await start()
    return begun
