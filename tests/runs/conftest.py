"""What all tests of the engine share: a vendor that settles at once, and a warning caused by design."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import structlog

from app.logs import redact
from connectors.registry import PLATFORMS
from connectors.sandboxkit.config import SandboxConfig
from tests.runs.judging import Dump
from tests.runs.road import Road, road, sandbox

SCALE = 200


@pytest.fixture(scope="session", autouse=True)
def prompt_vendor() -> Iterator[None]:
    """The sandboxes show at once what they were told: nobody waits for a vendor to settle (ruling 8: a parameter)."""
    prompt = {
        slug: replace(platform, limits=platform.limits.model_copy(update={"settle_seconds": 0.05}))
        for slug, platform in PLATFORMS.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.runs.opening.PLATFORMS", prompt)
        yield


@pytest.fixture(scope="module")
def source_url() -> Iterator[str]:
    """A generated company of about 200 records that no test of the module changes."""
    with sandbox("servicetracker", SandboxConfig(scale=SCALE, seed=7)) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def product_logs() -> Iterator[None]:
    """Logs as the service writes them, one JSON object a line."""
    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ]
    )
    yield
    structlog.configure(**before)


OpenWay = Callable[..., AbstractAsyncContextManager[Road]]


@pytest.fixture(scope="module")
def open_way(database_url: str, source_url: str) -> OpenWay:
    """Opens a road of its own from the module's company to a fresh org; `options` are the org's, the rest settings."""

    @asynccontextmanager
    async def opened(
        *, source: str = "", edition: str = "enterprise", options: Mapping[str, str] | None = None, **settings: Any
    ) -> AsyncIterator[Road]:
        config = SandboxConfig(edition=edition, options={"token_limit": "1000", **(options or {})})
        with sandbox("zoho_crm", config) as url:
            async with road(database_url, source or source_url, url, **settings) as way:
                yield way

    return opened


@pytest.fixture(scope="module")
async def undisturbed(open_way: OpenWay) -> Dump:
    """What an org holds after a full run that nothing disturbed."""
    async with open_way() as way:
        await way.up_to("provision")
        await way.run("full")
        return await way.destination.dump()
