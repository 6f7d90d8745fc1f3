"""How a fresh machine is prepared: the choice of the place, the stamp, and what is said when nothing can be done."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, loaded as if it lay in a checkout below `tmp_path`."""
    spec = importlib.util.spec_from_file_location("bootstrap_under_test", ROOT / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "requirements.lock").write_text("one==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    for name, path in (("ROOT", "."), ("LOCK", "requirements.lock"), ("PROJECT", "pyproject.toml")):
        monkeypatch.setattr(module, name, tmp_path / path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "DEPS", tmp_path / ".deps")
    return module


def without(monkeypatch: pytest.MonkeyPatch, bootstrap: ModuleType, *missing: str) -> None:
    monkeypatch.setattr(bootstrap, "have", lambda module: module not in missing)


class TestPlace:
    def test_a_virtual_environment_where_python_can_make_one(self, bootstrap: ModuleType) -> None:
        assert bootstrap.choose_place() == bootstrap.VENV

    @pytest.mark.parametrize("missing", ["venv", "ensurepip"])
    def test_a_target_folder_where_only_pip_is_there(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, missing: str
    ) -> None:
        without(monkeypatch, bootstrap, missing)
        assert bootstrap.choose_place() == bootstrap.DEPS

    def test_without_both_the_package_to_install_is_named(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        without(monkeypatch, bootstrap, "ensurepip", "pip")
        assert bootstrap.main(["install"]) == 1
        said = capsys.readouterr().err
        assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in said
        assert not bootstrap.VENV.exists()

    def test_a_module_that_cannot_be_looked_up_is_absent(self, bootstrap: ModuleType) -> None:
        assert bootstrap.have("json")
        assert not bootstrap.have("no_such_module_here")


class TestStamp:
    @pytest.fixture
    def calls(self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        """The installation steps instead of carrying them out; the folder is made."""
        made: list[tuple[str, ...]] = []

        def call(*command: object) -> None:
            made.append(tuple(str(part) for part in command))
            bootstrap.VENV.mkdir(exist_ok=True)

        monkeypatch.setattr(bootstrap, "call", call)
        return made

    def test_a_second_run_installs_nothing(self, bootstrap: ModuleType, calls: list[tuple[str, ...]]) -> None:
        assert bootstrap.main(["install"]) == 0
        assert [step[1:3] for step in calls] == [("-m", "venv"), ("-m", "pip"), ("-m", "pip")]
        assert "--require-hashes" in calls[1]
        assert "--no-build-isolation" in calls[2]
        assert bootstrap.main(["install"]) == 0
        assert len(calls) == 3

    @pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml"])
    def test_a_changed_project_is_installed_into_the_same_environment(
        self, bootstrap: ModuleType, calls: list[tuple[str, ...]], tmp_path: Path, name: str
    ) -> None:
        bootstrap.main(["install"])
        calls.clear()
        (tmp_path / name).write_text("changed\n")
        bootstrap.main(["install"])
        assert [step[1:3] for step in calls] == [("-m", "pip"), ("-m", "pip")]

    @pytest.mark.parametrize("stamp", [None, "", "[]", json.dumps({"base": "another Python", "content": "x"})])
    def test_an_unfinished_or_foreign_environment_is_made_anew(
        self, bootstrap: ModuleType, calls: list[tuple[str, ...]], stamp: str | None
    ) -> None:
        bootstrap.VENV.mkdir()
        (bootstrap.VENV / "left_over").touch()
        if stamp is not None:
            (bootstrap.VENV / bootstrap.STAMP).write_text(stamp)
        bootstrap.main(["install"])
        assert not (bootstrap.VENV / "left_over").exists()
        assert calls[0][1:3] == ("-m", "venv")

    def test_a_failed_step_leaves_no_stamp(self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "BASE_PYTHON", "/bin/false")
        assert bootstrap.main(["install"]) == 1
        assert not (bootstrap.VENV / bootstrap.STAMP).exists()


class TestRun:
    def test_an_unknown_command_is_refused(
        self, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(bootstrap, "install", lambda: bootstrap.VENV)
        assert bootstrap.main(["run", "no-such-command"]) == 1
        assert "no command 'no-such-command'" in capsys.readouterr().err

    @pytest.mark.parametrize("arguments", [[], ["run"], ["install", "more"], ["nonsense"]])
    def test_wrong_usage(self, bootstrap: ModuleType, arguments: list[str]) -> None:
        assert bootstrap.main(arguments) == 2

    def test_clean_removes_what_was_built_and_keeps_data(self, bootstrap: ModuleType, tmp_path: Path) -> None:
        for name in (".venv", ".deps", ".data", ".mypy_cache", "app/__pycache__"):
            (tmp_path / name).mkdir(parents=True)
        assert bootstrap.main(["clean"]) == 0
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [".data", "app"]
        assert not (tmp_path / "app" / "__pycache__").exists()


def test_ci_calls_make_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "make test"]
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("target", ["install", "demo", "test", "lint", "soak", "bench", "lock", "openapi", "clean"])
def test_every_promised_target_exists(target: str) -> None:
    shown = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "bootstrap.py" in shown.stdout
