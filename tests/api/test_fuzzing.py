"""Requests made from the OpenAPI document by schemathesis, with its checks: it finds nothing."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from tests.api.conftest import Client


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """The service on a loopback port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        running = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  the server offers a flag, no event
            await asyncio.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running


async def fuzz(address: str, key: str, folder: Path, *options: str) -> tuple[int, str]:
    """The exit code and what schemathesis says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--checks", "all"),
        # A cursor or a used key is right by its form and wrong by what it says: refusing it is no fault.
        *("--exclude-checks", "positive_data_acceptance"),
        # Readiness says 503 while no worker beats, as documented; a 5xx is a finding everywhere else.
        *("--exclude-path", "/readyz"),
        *("--header", f"Authorization: Bearer {key}", "--seed", "7", "--no-color", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode("utf-8", "replace")


async def test_documented_examples_and_their_edges(address: str, owner: Client, tmp_path: Path) -> None:
    code, said = await fuzz(
        address, owner.key, tmp_path, "--phases", "examples,coverage", "-n", "1", "--max-time", "40"
    )
    assert code == 0, said[-6000:]


@pytest.mark.soak
async def test_everything_for_long(address: str, owner: Client, tmp_path: Path) -> None:
    code, said = await fuzz(address, owner.key, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "-n", "60")
    assert code == 0, said[-6000:]
