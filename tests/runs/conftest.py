"""What all tests of the engine share: a vendor that settles at once, and a warning caused by design."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.registry import PLATFORMS

# The database layer runs plain SQL through Session.execute, which sqlmodel advises against for selects of models.
ADVICE = r"ignore:\s*.*You probably want to use `session.exec:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(ADVICE))


@pytest.fixture(scope="session", autouse=True)
def prompt_vendor() -> Iterator[None]:
    """The sandboxes show at once what they were told: nobody waits for a vendor to settle (ruling 8: a parameter)."""
    prompt = {
        slug: replace(platform, limits=replace(platform.limits, settle_seconds=0.05))
        for slug, platform in PLATFORMS.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.runs.opening.PLATFORMS", prompt)
        yield
