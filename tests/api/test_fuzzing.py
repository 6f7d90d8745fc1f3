"""Requests made from the OpenAPI document by schemathesis, with its checks: it finds nothing."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.settings import MIB, Settings
from tests.api.conftest import Client

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As delivered: what a schema allows fits into a request."""
    return settings.model_copy(update={"max_body_bytes": 10 * MIB})


@pytest.fixture(autouse=True)
def written(app: FastAPI) -> None:
    """The document is made before anybody waits for it."""
    app.openapi()


async def fuzz(address: str, key: str, folder: Path, *options: str) -> tuple[int, str]:
    """The exit code and what schemathesis says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", "all"),
        # U+0000 is refused in every place, which no pattern can say of a whole document.
        "--generation-allow-x00=false",
        # Readiness says 503 while no worker beats, as documented; a 5xx is a finding everywhere else.
        *("--exclude-path", "/readyz"),
        *("--header", f"Authorization: Bearer {key}", "--seed", "7", "--no-color", *options),
        cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.fuzzing_hooks", "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode("utf-8", "replace")


def findings(said: str) -> str:
    """What was found, without advice."""
    _, mark, rest = said.partition("= FAILURES =")
    return rest.partition("= WARNINGS =")[0] if mark else said[-6000:]


async def test_documented_examples_and_their_edges(address: str, owner: Client, tmp_path: Path) -> None:
    code, said = await fuzz(
        address, owner.key, tmp_path, "--phases", "examples,coverage", "-n", "1", "--max-time", "40"
    )
    assert code == 0, findings(said)


@pytest.mark.soak
async def test_everything_for_long(address: str, owner: Client, tmp_path: Path) -> None:
    code, said = await fuzz(address, owner.key, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "-n", "60")
    assert code == 0, findings(said)
