"""Requests made from the OpenAPI document by schemathesis, with its checks: it finds nothing.

They come with a key of a tenant that has one of everything (fuzzing_ground), so that right requests are carried out.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.settings import MIB, Settings
from tests.api.engagement_kit import Move, discovered, move, sandboxes
from tests.api.fuzzing_ground import prepare

__all__ = ["discovered", "move", "sandboxes"]  # fixtures
ROOT = Path(__file__).resolve().parents[2]
PIECES = (
    *("platforms", "quotes", "engagements", "mappings", "runs", "webhooks", "keys", "downloads", "audit"),
    "operations",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As delivered: what a schema allows fits into a request."""
    return settings.model_copy(update={"max_body_bytes": 10 * MIB})


@pytest.fixture(autouse=True)
def written(app: FastAPI) -> None:
    """The document is made before anybody waits for it."""
    app.openapi()


@pytest.fixture
async def ground(discovered: Move) -> dict[str, str]:
    """Ids of what requests may act on."""
    return await prepare(discovered)


async def fuzz(address: str, key: str, ground: dict[str, str], folder: Path, *options: str) -> tuple[int, str]:
    """The exit code and what schemathesis says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", "all"),
        # U+0000 is refused in every place, which no pattern can say of a whole document.
        "--generation-allow-x00=false",
        # Readiness says 503 while no worker beats, as documented; a 5xx is a finding everywhere else.
        *("--exclude-path", "/readyz"),
        *("--header", f"Authorization: Bearer {key}", "--seed", "7", "--no-color", *options),
        cwd=folder,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.api.fuzzing_hooks",
            "PYTHONPATH": str(ROOT),
            "FUZZING_GROUND": json.dumps(ground),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode("utf-8", "replace")


def findings(said: str) -> str:
    """What was found, without advice."""
    _, mark, rest = said.partition("= FAILURES =")
    return rest.partition("= WARNINGS =")[0] if mark else said[-6000:]


@pytest.mark.parametrize(
    "options",
    [("--phases", "examples"), ("--phases", "coverage", "--include-tag", "keys", "--include-tag", "platforms")],
    ids=["examples of all operations", "edges of some"],
)
async def test_documented_examples_and_edges(
    options: tuple[str, ...], address: str, discovered: Move, ground: dict[str, str], tmp_path: Path
) -> None:
    code, said = await fuzz(address, discovered.client.key, ground, tmp_path, "-n", "1", *options)
    assert code == 0, findings(said)


@pytest.mark.soak
@pytest.mark.parametrize("piece", PIECES)
async def test_everything_for_long(
    piece: str, address: str, discovered: Move, ground: dict[str, str], tmp_path: Path
) -> None:
    """A piece at a time, because each key has its own rate, and what one operation takes away is missed by others."""
    options = ("--phases", "examples,coverage,fuzzing", "-n", "60", "--include-tag", piece)
    code, said = await fuzz(address, discovered.client.key, ground, tmp_path, *options)
    assert code == 0, findings(said)


@pytest.mark.soak
async def test_operations_in_sequence(address: str, discovered: Move, ground: dict[str, str], tmp_path: Path) -> None:
    """What one operation makes is read, changed and taken away by the next."""
    options = ("--phases", "stateful", "-n", "40")
    code, said = await fuzz(address, discovered.client.key, ground, tmp_path, *options)
    assert code == 0, findings(said)


def test_the_pieces_are_the_whole(app: FastAPI) -> None:
    operations = [each for item in app.openapi()["paths"].values() for each in item.values()]
    assert {tag for each in operations for tag in each["tags"]} == set(PIECES)
