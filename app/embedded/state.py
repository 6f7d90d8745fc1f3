"""The folder of an embedded pair: who supervises it, its passwords, and how another process finds and checks it."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from app.embedded.account import Account, new_shelter
from app.embedded.errors import AlreadyRunning, EmbeddedServersError

STATE = "state.json"
LOCK = "lock"
POINTER = "storage"
OWNER = "owner"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL's protocol: length, request code; answered by one letter


@dataclass(frozen=True, slots=True)
class ServerUrls:
    """Where a running pair answers. Both URLs carry passwords."""

    database_url: str
    redis_url: str

    def __repr__(self) -> str:
        return "ServerUrls(database_url=***, redis_url=***)"


@dataclass(frozen=True, slots=True)
class State:
    """What `state.json` holds, as long as the servers run."""

    database_url: str
    redis_url: str
    supervisor_pid: int
    postgres_pid: int
    valkey_pid: int

    @property
    def urls(self) -> ServerUrls:
        return ServerUrls(self.database_url, self.redis_url)


def write_private(path: Path, text: str) -> None:
    """Writes `text` for our eyes only, whole or not at all."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)


def password(path: Path) -> str:
    """The password kept in `path`; drawn on first use (256 bits)."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8")


def write_state(data_dir: Path, state: State) -> None:
    write_private(data_dir / STATE, json.dumps(asdict(state)))


def read_state(data_dir: Path) -> State | None:
    """What the supervisor of `data_dir` wrote; None without a readable state file."""
    try:
        return State(**json.loads((data_dir / STATE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def forget_state(data_dir: Path) -> None:
    (data_dir / STATE).unlink(missing_ok=True)


def lock(data_dir: Path) -> IO[str]:
    """Makes us the only supervisor of `data_dir` until the returned file is closed or we end, however we end.

    Raises AlreadyRunning while another process holds it.
    """
    handle = open(data_dir / LOCK, "a", encoding="utf-8")  # noqa: SIM115 - held for the life of the servers
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        found = read_state(data_dir)
        by = f" by process {found.supervisor_pid}" if found else ""
        raise AlreadyRunning(
            f"The servers of {data_dir} are already run{by}; stop it, or name another folder with --data or "
            "TRANSHIP_DATA_DIR."
        ) from None
    return handle


def storage(data_dir: Path, account: Account) -> Path:
    """Where the servers keep their files: `data_dir`, or a shelter when the account cannot reach that.

    The choice is kept as a link in `data_dir`, so that a later start finds the same data whatever permissions are then.
    Raises EmbeddedServersError when the link leads nowhere.
    """
    pointer = data_dir / POINTER
    if pointer.is_symlink():
        kept = pointer.readlink()
        if not kept.is_dir() or kept.stat().st_uid != os.geteuid():
            raise EmbeddedServersError(f"{pointer} leads to {kept}, which is gone or not ours. Use another folder.")
        return kept
    if account.can_enter(data_dir):
        return data_dir
    made = new_shelter("data")
    pointer.symlink_to(made)
    return made


def answers(urls: ServerUrls) -> bool:
    """Whether both servers answer now: PostgreSQL speaks its protocol, Valkey takes the password and a PING."""
    return _postgres_answers(urls.database_url) and valkey_answers(urls.redis_url)


def _exchange(url: str, request: bytes, enough: int) -> bytes:
    parts = urlsplit(url)
    reply = b""
    with contextlib.suppress(OSError), socket.create_connection((parts.hostname, parts.port), timeout=2) as connection:
        connection.sendall(request)
        while len(reply) < enough and (chunk := connection.recv(enough)):
            reply += chunk
    return reply


def _postgres_answers(url: str) -> bool:
    return _exchange(url, SSL_REQUEST, 1) in (b"N", b"S")


def valkey_answers(url: str) -> bool:
    """Whether the server at `url` takes the password and has loaded its data (while it loads, PING is refused)."""
    secret = urlsplit(url).password or ""
    return _exchange(url, f"AUTH {secret}\r\nPING\r\n".encode(), 12) == b"+OK\r\n+PONG\r\n"
