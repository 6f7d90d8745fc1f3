"""The demo's stage: servers, stand-ins, API, workers, a key and a webhook receiver, started side by side.

The service's own modules are imported while the children start: on two cores that is seconds.
"""

import asyncio
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.demo.exports import write_export
from app.demo.processes import Children
from app.demo.receiver import Receiver, receiving
from app.demo.standins import STAND_INS, has_server
from app.embedded import EmbeddedServers
from app.settings import PREFIX, Settings, load_settings

WORKERS = 2
START_SECONDS = 60.0
RECORDS_PER_SECOND = 2_000  # what a stand-in generates at the least while it starts


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `source` is a folder of CSV files that fills the source instead of `scale` records."""

    pair: tuple[str, str]
    scale: int
    rollback: bool
    keep: bool
    json_path: Path | None
    source: Path | None

    @property
    def served(self) -> bool:
        """Whether a stand-in serves the source's API; else files are uploaded."""
        return has_server(self.pair[0])


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    database_url: str
    data_dir: Path
    children: Children
    api: str
    source: str
    destination: str
    key: dict[str, Any]
    receiver: Receiver
    export: Path | None = None
    """The export's folder, where the source has no API; `source` is empty then."""
    redis_url: str = ""
    servers: EmbeddedServers | None = None
    """The embedded servers, where these run."""


def demo_settings() -> Settings:
    """The settings of a demo: a folder of its own, short leases, loopback allowed. Raises SettingsError, OSError."""
    base = load_settings().data_dir.absolute()
    chosen = load_settings(
        data_dir=base / "demo", allow_private_targets=True, call_timeout_seconds=3.0, lease_seconds=6.0
    )
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    return chosen


@contextmanager
def stage_for(settings: Settings, wish: Wish, logs: Path) -> Iterator[Stage]:
    """Everything started and answering; gone afterwards. Workers may still be on their way: runs wait for them.

    Raises DemoFailed, EmbeddedServersError, OSError, asyncpg.PostgresError.
    """
    with _servers(settings) as (database_url, redis_url, servers), receiving() as receiver:
        shutil.rmtree(logs, ignore_errors=True)  # ours now: a demo that runs in this folder would have kept its servers
        port = _free_port()
        environment = _environment(settings, database_url, redis_url, port)
        children = Children(logs, environment)
        try:
            source = children.start(wish.pair[0], *_sandbox(wish.pair[0]), *_filled(wish)) if wish.served else None
            destination = children.start(wish.pair[1], *_sandbox(wish.pair[1]))
            export = None if wish.served else _export(settings, wish)
            key = _prepare(settings, database_url, own=settings.database_url is None)
            api = children.start("api", "api", "--port", str(port))
            for number in range(1, WORKERS + 1):
                children.start(f"worker-{number}", "worker")
            yield Stage(
                database_url=database_url,
                data_dir=settings.data_dir,
                children=children,
                source=children.address(source, START_SECONDS + wish.scale / RECORDS_PER_SECOND) if source else "",
                export=export,
                destination=children.address(destination, START_SECONDS),
                api=children.address(api, START_SECONDS),
                key=key,
                receiver=receiver,
                redis_url=redis_url,
                servers=servers,
            )
        finally:
            children.stop()


@contextmanager
def _servers(settings: Settings) -> Iterator[tuple[str, str, EmbeddedServers | None]]:
    """The URLs of PostgreSQL and Valkey: as configured, or of embedded servers that run meanwhile, and these."""
    given = [one.get_secret_value() if one else "" for one in (settings.database_url, settings.redis_url)]
    if all(given):
        yield given[0], given[1], None
        return
    with EmbeddedServers(settings.data_dir) as servers:
        yield given[0] or servers.database_url, given[1] or servers.redis_url, servers


def _environment(settings: Settings, database_url: str, redis_url: str, port: int) -> dict[str, str]:
    """What the children must have in common besides what they inherit."""
    chosen = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(settings.data_dir),
        "CALL_TIMEOUT_SECONDS": str(settings.call_timeout_seconds),
        "LEASE_SECONDS": str(settings.lease_seconds),
        "ALLOW_PRIVATE_TARGETS": "true",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
    }
    return {PREFIX + name: value for name, value in chosen.items()}


def _prepare(settings: Settings, database_url: str, *, own: bool) -> dict[str, Any]:
    """The schema, and a key of a tenant of its own. Only a database of ours is emptied first: unfinished runs of an
    earlier demo lead to stand-ins that are gone."""
    from app.keys_cli import create_record
    from app.migrations import upgrade

    if own:
        asyncio.run(_empty(database_url))
    upgrade(database_url)
    configured = settings.model_copy(update={"database_url": SecretStr(database_url)})
    return create_record(configured, database_url, tenant=f"demo {time.time_ns()}", label="demo")


async def _empty(database_url: str) -> None:
    import asyncpg

    from app.db import plain_url

    connection = await asyncpg.connect(plain_url(database_url))
    try:
        await connection.execute("DROP SCHEMA IF EXISTS public CASCADE")
        await connection.execute("CREATE SCHEMA public")
    finally:
        await connection.close()


def _sandbox(slug: str) -> list[str]:
    """The command that starts a platform's stand-in as the demo wants it."""
    known = STAND_INS[slug]
    options = [part for key, value in known.options.items() for part in ("--option", f"{key}={value}")]
    edition = ["--edition", known.edition] if known.edition else []
    return ["sandbox", slug, "--port", "0", *edition, *options]


def _export(settings: Settings, wish: Wish) -> Path:
    """The folder that was given, or one with a generated export."""
    if wish.source is not None:
        return wish.source
    folder = settings.data_dir / "export"
    shutil.rmtree(folder, ignore_errors=True)
    write_export(wish.pair[0], folder, wish.scale)
    return folder


def _filled(wish: Wish) -> list[str]:
    if wish.source is not None:
        return ["--csv-dir", str(wish.source)]
    return ["--scale", str(wish.scale)]


def _free_port() -> int:
    """A port for the API, known before it starts because the workers write links to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
