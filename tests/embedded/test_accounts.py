"""Root hands the servers to an existing account, whatever that account can reach; others run them as themselves."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.embedded import EmbeddedServers, EmbeddedServersError
from app.embedded import account as account_module
from app.embedded import binaries as binaries_module
from app.embedded.account import Account, server_account, shelter
from app.embedded.binaries import Binaries
from app.embedded.state import read_state

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands servers over to another account")


@pytest.fixture
def shelters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of the test's own instead of the system's."""
    place = Path(tempfile.mkdtemp(prefix="tranship-shelter-"))
    place.chmod(0o755)
    monkeypatch.setattr(account_module, "SHELTERS", (place / "absent" / "deeper", place))
    yield place
    shutil.rmtree(place)


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that only we can enter, as root's home is."""
    place = Path(tempfile.mkdtemp(prefix="tranship-closed-"))
    place.chmod(0o700)
    yield place
    shutil.rmtree(place)


def owner_of(pid: int) -> int:
    shown = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, check=True)
    return int(shown.stdout)


@as_root
class TestRoot:
    def test_servers_run_under_an_account_that_exists(self, folder: Path) -> None:
        with EmbeddedServers(folder, durable=False):
            state = read_state(folder)
            assert state is not None
            wanted = server_account().uid
            assert wanted
            assert owner_of(state.postgres_pid) == wanted
            assert owner_of(state.valkey_pid) == wanted

    def test_data_below_a_closed_folder_lie_in_a_shelter_and_stay_findable(self, closed: Path, shelters: Path) -> None:
        data = closed / "data"
        pair = EmbeddedServers(data, durable=False)
        pair.start()
        place = pair.storage
        assert place.is_relative_to(shelters / "tranship")
        assert EmbeddedServers.attach(data) == pair.urls
        pair.stop()
        closed.chmod(0o755)  # reachable now, yet the data stay where they are
        with EmbeddedServers(data, durable=False) as again:
            assert again.storage == place
        assert stat.S_IMODE(closed.stat().st_mode) == 0o755, "permissions are not ours to change"
        EmbeddedServers(data).destroy()
        assert not place.exists()
        assert not data.exists()

    def test_a_shelter_that_vanished_is_reported(self, closed: Path, shelters: Path) -> None:
        data = closed / "data"
        data.mkdir()
        (data / "storage").symlink_to(shelters / "gone")
        with pytest.raises(EmbeddedServersError, match="gone or not ours"):
            EmbeddedServers(data).start()

    def test_programs_below_a_closed_folder_are_copied_once(
        self, folder: Path, closed: Path, shelters: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = binaries_module.installed()
        package = real.postgres.parents[2]
        shutil.copytree(package, closed / package.name, symlinks=True)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, closed / libraries.name)
        shutil.copy2(real.valkey, closed / "valkey-server")
        programs = closed / package.name / "pginstall" / "bin"
        hidden = Binaries(programs / "initdb", programs / "postgres", closed / "valkey-server")
        monkeypatch.setattr(binaries_module, "installed", lambda: hidden)
        with EmbeddedServers(folder, durable=False) as pair:
            assert EmbeddedServers.attach(folder) == pair.urls
        assert [path.name.split("-")[0] for path in (shelters / "tranship").iterdir()] == ["bin"]
        first = binaries_module.for_account(server_account())
        made = first.postgres.stat().st_mtime_ns, first.postgres.stat().st_ino
        again = binaries_module.for_account(server_account())
        assert (again.postgres.stat().st_mtime_ns, again.postgres.stat().st_ino) == made

    def test_a_shelter_made_by_somebody_else_is_not_trusted(self, shelters: Path) -> None:
        place = shelters / "tranship"
        place.mkdir()
        os.chown(place, pwd.getpwnam("nobody").pw_uid, -1)
        with pytest.raises(EmbeddedServersError, match="belongs to somebody else"):
            shelter()

    def test_a_shelter_open_to_others_is_not_trusted(self, shelters: Path) -> None:
        (shelters / "tranship").mkdir()
        (shelters / "tranship").chmod(0o777)
        with pytest.raises(EmbeddedServersError, match="writable by others"):
            shelter()

    def test_without_any_account_the_way_out_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(account_module, "CANDIDATES", ("no-such-account",))
        with pytest.raises(EmbeddedServersError, match="TRANSHIP_DATABASE_URL"):
            server_account()

    def test_an_ordinary_user_runs_them_as_itself(self, folder: Path, supervise: Callable[..., Any]) -> None:
        nobody = pwd.getpwnam("nobody")
        drop: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        python = python_for(drop)
        if python is None:
            pytest.skip("no Python >= 3.11 here that another account can run")
        if not Account("nobody", nobody.pw_uid, nobody.pw_gid).can_enter(binaries_module.installed().postgres):
            pytest.skip("the environment lies below a folder that another account cannot enter")
        os.chown(folder.parent, nobody.pw_uid, nobody.pw_gid)
        supervisor = supervise(folder, python=python, **drop)
        assert owner_of(supervisor.state["postgres_pid"]) == nobody.pw_uid
        assert owner_of(supervisor.state["valkey_pid"]) == nobody.pw_uid
        assert EmbeddedServers.attach(folder) is not None
        supervisor.close()
        assert EmbeddedServers.attach(folder) is None


def python_for(drop: dict[str, Any]) -> str | None:
    """An interpreter that the other account can run: ours may lie in a home of its own."""
    for candidate in (sys.executable, shutil.which("python3", path=os.defpath)):
        if candidate is None:
            continue
        code = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            done = subprocess.run([candidate, "-c", code], cwd="/", check=False, capture_output=True, **drop)
        except PermissionError:
            continue
        if done.returncode == 0:
            return candidate
    return None


@pytest.mark.skipif(os.geteuid() == 0, reason="root never runs them as itself")
def test_an_ordinary_user_hands_over_to_nobody() -> None:
    assert not server_account().is_dropped
