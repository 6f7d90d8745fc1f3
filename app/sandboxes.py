"""Runs one vendor stand-in in this process until SIGTERM or SIGINT, or writes the export of a vendor without an API.

Stand-ins and generators live with their connectors and are found by name.
"""

import asyncio
import importlib
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server

STARTED_POLL_SECONDS = 0.01


class CannotListen(Exception):
    """The address cannot be listened on; the text says which and why."""


class NoSuchStandIn(Exception):
    """The vendor is stood in for in the other way: by an API that answers, or by files."""


def write_export(name: str, folder: Path, *, scale: int, seed: int, **options: str) -> dict[str, int]:
    """Writes a generated export of `connectors.<name>.generator` into `folder`; rows by object.

    `options` are the generator's own, `form=json` for one. Raises NoSuchStandIn for a vendor that has an API, TypeError
    or ValueError for options that it does not take.
    """
    generator = _imported(f"connectors.{name}.generator")
    if generator is None:
        raise NoSuchStandIn(f"{name} has no export of files; start its API with --port")
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, int] = generator.write_export(folder, scale, seed, **options)
    return written


def _imported(name: str) -> Any:
    """The module, or None where there is none of that name; what fails inside it is raised."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{name}.".startswith(f"{missing.name}."):
            raise
        return None


def run_sandbox(
    name: str, config: SandboxConfig, *, host: str, port: int, announce: Callable[[str], None] = print
) -> None:
    """Builds the stand-in `connectors.<name>.sandbox` and serves it; `announce` is called once it answers.

    `port` 0 picks a free one, shown in the announcement. Returns after an orderly stop. Raises CannotListen for an
    unusable address, NoSuchStandIn for a vendor without an API, and whatever the stand-in raises for a wrong
    configuration (ValueError).
    """
    with _bound_socket(host, port) as listener:
        module = _imported(f"connectors.{name}.sandbox")
        if module is None:
            raise NoSuchStandIn(f"{name} has no API; write its files with --export")
        application = module.create_app(config)
        _ignore_second_delivery()
        asyncio.run(_serve(name, application, listener, host, announce))


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as refused:
        listener.close()
        raise CannotListen(f"cannot listen on {host} port {port}: {refused.strerror or refused}") from refused
    return listener


def _ignore_second_delivery() -> None:
    """The server stops on these signals and then raises them again for its caller; being stopped is no failure here."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)


async def _serve(
    name: str, application: Any, listener: socket.socket, host: str, announce: Callable[[str], None]
) -> None:
    running = server(application, host=host, port=listener.getsockname()[1])
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started and not task.done():  # noqa: ASYNC110 - the server offers a flag, no event
        await asyncio.sleep(STARTED_POLL_SECONDS)
    if running.started:
        shown = f"[{host}]" if ":" in host else host
        announce(f"{name} sandbox on http://{shown}:{listener.getsockname()[1]}")
    await task
