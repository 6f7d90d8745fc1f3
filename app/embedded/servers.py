"""EmbeddedServers: the life of one PostgreSQL and one Valkey in a folder, from first start to removal.

One supervisor at a time (a file lock), TCP on 127.0.0.1 with passwords, both servers end with the supervisor, and a
start first stops what a killed supervisor left. Measured facts behind this: the stack notes, section 2.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from app.embedded import state as folder_state
from app.embedded.account import Account, server_account
from app.embedded.binaries import Binaries, for_account
from app.embedded.errors import EmbeddedServersError, ServersNotStarted
from app.embedded.processes import is_memory_attached, read_pid, spawn, stop, stop_orphan, wait_until
from app.embedded.state import OWNER, ServerUrls, State

START_SECONDS = 60.0  # a crash recovery replays up to max_wal_size
PORT_TRIES = 5
ORPHAN_SECONDS = 10.0
LOG_TAIL = 1500
POSTMASTER = "postmaster.pid"
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may not exceed 107 bytes, a folder's may
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
INITDB_OPTIONS = (
    *("-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8"),
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)


class EmbeddedServers:
    """PostgreSQL and Valkey whose data live in `data_dir`.

    `start()` and `stop()` block for about a second and may be called in an event loop's thread. The thread that
    starts must be the main one: on Linux the servers' lives are tied to it. Also a context manager.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """`durable=False` trades safety against power loss for speed: for tests, whose data nobody keeps."""
        self.data_dir = data_dir.absolute()
        self._durable = durable
        self._lock: IO[str] | None = None
        self._storage = self.data_dir
        self._account = Account(name="self")
        self._postgres: subprocess.Popen[bytes] | None = None
        self._valkey: subprocess.Popen[bytes] | None = None
        self._urls: ServerUrls | None = None

    @property
    def urls(self) -> ServerUrls:
        """Both URLs; raises EmbeddedServersError before `start`."""
        if self._urls is None:
            raise EmbeddedServersError("The embedded servers are not started.")
        return self._urls

    @property
    def database_url(self) -> str:
        """`postgresql+asyncpg://…` of the database `postgres` as its owner, a superuser: row-level security does not
        bind it. Migrations use it and create the service's own role."""
        return self.urls.database_url

    @property
    def redis_url(self) -> str:
        """`redis://…/0` with password."""
        return self.urls.redis_url

    @property
    def storage(self) -> Path:
        """Where the data lie: `data_dir`, or a shelter when the servers' account cannot reach that."""
        return self._storage

    @classmethod
    def attach(cls, data_dir: Path) -> ServerUrls | None:
        """The URLs of a pair that another process runs in `data_dir`; None unless both servers answer now.

        Raises PermissionError when the pair belongs to another user.
        """
        found = folder_state.read_state(data_dir)
        return found.urls if found is not None and folder_state.answers(found.urls) else None

    def start(self) -> ServerUrls:
        """Starts both servers, creating the cluster on first use, and returns their URLs once both are ready.

        Raises AlreadyRunning when another process supervises this folder, ServersNotStarted with the end of the log
        when a server fails, EmbeddedServersError where servers cannot run at all. Afterwards nothing is left running.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedServersError("Start the embedded servers from the main thread: they end with their thread.")
        if self._urls is not None:
            return self._urls
        self._account = server_account()
        try:
            self._make_data_dir()
            self._lock = folder_state.lock(self.data_dir)
        except OSError as wrong:
            raise EmbeddedServersError(
                f"The data folder {self.data_dir} cannot be used: {wrong.strerror}. Name another with --data or "
                "TRANSHIP_DATA_DIR."
            ) from wrong
        try:
            self._storage = folder_state.storage(self.data_dir, self._account)
            self._urls = self._start_servers(for_account(self._account))
        except BaseException:
            self.stop()
            raise
        return self._urls

    def stop(self) -> None:
        """Stops both servers in order, gives the folder free. Does nothing when nothing runs."""
        try:
            if self._valkey is not None:
                stop(self._valkey, signal.SIGTERM, signal.SIGKILL)
            if self._postgres is not None:  # SIGINT: fast shutdown; SIGQUIT: immediate, recovered at the next start
                stop(self._postgres, signal.SIGINT, signal.SIGQUIT)
        finally:
            self._valkey = self._postgres = self._urls = None
            if self._lock is not None:
                folder_state.forget_state(self.data_dir)
                self._lock.close()
                self._lock = None

    def restart_postgres(self) -> None:
        """Crashes PostgreSQL (no farewell, recovery at the next start) and starts it on the same port.

        For rehearsals of a failure. Raises EmbeddedServersError before `start`, ServersNotStarted.
        """
        if self._postgres is None:
            raise EmbeddedServersError("The embedded servers are not started.")
        port = urlsplit(self.database_url).port
        stop(self._postgres, signal.SIGQUIT, signal.SIGKILL)
        self._start_postgres(for_account(self._account), self._storage / "postgres", port)
        self._publish(self.urls)

    def restart_valkey(self) -> None:
        """Kills Valkey and starts it on the same port; it comes back with what it had written.

        For rehearsals of a failure. Raises EmbeddedServersError before `start`, ServersNotStarted.
        """
        if self._valkey is None:
            raise EmbeddedServersError("The embedded servers are not started.")
        address = urlsplit(self.redis_url)
        stop(self._valkey, signal.SIGKILL, signal.SIGKILL)
        folder = self._storage / "valkey"
        self._start_valkey(for_account(self._account), folder, address.password or "", address.port)
        self._publish(self.urls)

    def destroy(self) -> None:
        """Stops both servers and deletes all their data, also what lies in a shelter."""
        self.stop()
        pointer = self.data_dir / folder_state.POINTER
        if pointer.is_symlink():
            shutil.rmtree(pointer.readlink(), ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _make_data_dir(self) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            self.data_dir.mkdir()
            self.data_dir.chmod(0o711)

    def _start_servers(self, binaries: Binaries) -> ServerUrls:
        owner_password = folder_state.password(self._storage / "postgres.password")
        valkey_password = folder_state.password(self._storage / "valkey.password")
        self._stop_orphans()
        cluster = self._cluster(binaries, owner_password)
        valkey_dir = self._storage / "valkey"
        self._account.make_own(valkey_dir)
        postgres_port = self._start_postgres(binaries, cluster)
        valkey_port = self._start_valkey(binaries, valkey_dir, valkey_password)
        urls = ServerUrls(
            database_url=f"postgresql+asyncpg://{OWNER}:{owner_password}@127.0.0.1:{postgres_port}/postgres",
            redis_url=f"redis://:{valkey_password}@127.0.0.1:{valkey_port}/0",
        )
        self._publish(urls)
        return urls

    def _publish(self, urls: ServerUrls) -> None:
        assert self._postgres is not None
        assert self._valkey is not None
        found = State(urls.database_url, urls.redis_url, os.getpid(), self._postgres.pid, self._valkey.pid)
        folder_state.write_state(self.data_dir, found)

    def _cluster(self, binaries: Binaries, owner_password: str) -> Path:
        """The PostgreSQL data folder, initialised on first use under another name, so that it is whole or absent."""
        cluster = self._storage / "postgres"
        if cluster.exists():
            return cluster
        fresh = self._storage / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._account.make_own(fresh)
        secret = self._storage / "initdb.password"
        secret.unlink(missing_ok=True)
        folder_state.write_private(secret, owner_password)
        try:
            if self._account.uid is not None and self._account.gid is not None:
                os.chown(secret, self._account.uid, self._account.gid)
            options = INITDB_OPTIONS if self._durable else (*INITDB_OPTIONS, "--no-sync")
            done = self._account.run(binaries.initdb, "-D", fresh, f"--pwfile={secret}", *options)
        finally:
            secret.unlink()
        if done.returncode:
            raise ServersNotStarted(f"initdb failed: {done.stderr.decode(errors='replace')[-LOG_TAIL:]}")
        return fresh.rename(cluster)

    def _stop_orphans(self) -> None:
        """Ends servers of a supervisor that was killed; the folder's lock is ours, so nobody else runs them."""
        valkey_dir = self._storage / "valkey"
        if (pid := read_pid(valkey_dir / "valkey.pid")) is not None:
            self._stop_orphan(pid, "valkey-server", valkey_dir, signal.SIGTERM, signal.SIGKILL)
        cluster = self._storage / "postgres"
        if (pid := read_pid(cluster / POSTMASTER)) is not None:
            self._stop_orphan(pid, "postgres", cluster, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
            _forget_postmaster(cluster)

    def _stop_orphan(self, pid: int, program: str, folder: Path, *signals: signal.Signals) -> None:
        if not stop_orphan(pid, program, folder, signals):
            raise ServersNotStarted(f"{program}, process {pid}, left from an earlier run in {folder}, does not end.")

    def _start_postgres(self, binaries: Binaries, cluster: Path, wanted: int | None = None) -> int:
        settings = POSTGRES_SETTINGS if self._durable else POSTGRES_SETTINGS | NOT_DURABLE
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        for _ in range(PORT_TRIES):
            port = wanted or _free_port()
            command = [str(binaries.postgres), "-D", str(cluster), *options, "-p", str(port)]
            with self._open_log("postgres") as log:
                start = log.tell()
                self._postgres = spawn(command, account=self._account, log=log, on_orphan=signal.SIGINT)
            ready = partial(_postgres_ready, cluster, self._postgres.pid)
            if self._became_ready("postgres", start, self._postgres, ready):
                return port
        raise ServersNotStarted(f"No free port for PostgreSQL in {PORT_TRIES} tries.")

    def _start_valkey(self, binaries: Binaries, folder: Path, secret: str, wanted: int | None = None) -> int:
        for _ in range(PORT_TRIES):
            port = wanted or _free_port()
            settings = _valkey_settings(port, folder, secret)
            command = [str(binaries.valkey), "-"]
            with self._open_log("valkey") as log:
                start = log.tell()
                self._valkey = spawn(
                    command, account=self._account, log=log, on_orphan=signal.SIGTERM, stdin=settings.encode()
                )
            ready = partial(folder_state.valkey_answers, f"redis://:{secret}@127.0.0.1:{port}/0")
            if self._became_ready("valkey", start, self._valkey, ready):
                return port
        raise ServersNotStarted(f"No free port for Valkey in {PORT_TRIES} tries.")

    def _became_ready(
        self, name: str, log_start: int, process: subprocess.Popen[bytes], ready: Callable[[], bool]
    ) -> bool:
        """True when ready, False when another program took the port first; raises ServersNotStarted otherwise."""
        if wait_until(lambda: process.poll() is not None or ready(), START_SECONDS) and process.poll() is None:
            return True
        log = self._log(name).read_bytes()[log_start:].decode(errors="replace")
        if process.poll() is not None and "Address already in use" in log:
            return False
        raise ServersNotStarted(f"{name} ended or was not ready in {START_SECONDS:.0f} s; its log:\n{log[-LOG_TAIL:]}")

    def _log(self, name: str) -> Path:
        return self._storage / f"{name}.log"

    def _open_log(self, name: str) -> IO[bytes]:
        """For us alone: an error's detail may quote the row it is about."""
        return open(os.open(self._log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_ready(cluster: Path, pid: int) -> bool:
    """The postmaster writes its state into the eighth line of its pid file; `pg_ctl` reads the same."""
    try:
        lines = (cluster / POSTMASTER).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _forget_postmaster(cluster: Path) -> None:
    """Removes the pid file of a postmaster that is gone, once nothing uses its shared memory any more.

    PostgreSQL refuses to start while the number in that file exists as a process of the same user, also as a zombie or
    as somebody else. The shared memory check is the one it makes itself (seventh line: key and id).
    """
    file = cluster / POSTMASTER
    try:
        segment = int(file.read_text(encoding="utf-8").splitlines()[6].split()[1])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if wait_until(lambda: not is_memory_attached(segment), ORPHAN_SECONDS) and is_memory_attached(segment) is False:
        file.unlink(missing_ok=True)


def _valkey_settings(port: int, folder: Path, secret: str) -> str:
    quoted = json.dumps(str(folder), ensure_ascii=False)
    return f"""bind 127.0.0.1
port {port}
requirepass {secret}
dir {quoted}
pidfile {json.dumps(str(folder / "valkey.pid"), ensure_ascii=False)}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
loglevel notice
"""
