"""Runs one vendor stand-in in this process until SIGTERM or SIGINT; the stand-ins live with their connectors."""

import asyncio
import importlib
import signal
import socket
from collections.abc import Callable
from typing import Any

from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server

STARTED_POLL_SECONDS = 0.01


class CannotListen(Exception):
    """The address cannot be listened on; the text says which and why."""


def run_sandbox(
    name: str, config: SandboxConfig, *, host: str, port: int, announce: Callable[[str], None] = print
) -> None:
    """Builds the stand-in `connectors.<name>.sandbox` and serves it; `announce` is called once it answers.

    `port` 0 picks a free one, shown in the announcement. Returns after an orderly stop. Raises CannotListen for an
    unusable address and whatever the stand-in raises for a wrong configuration (ValueError).
    """
    with _bound_socket(host, port) as listener:
        module = importlib.import_module(f"connectors.{name}.sandbox")
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
