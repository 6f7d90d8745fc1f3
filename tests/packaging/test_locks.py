"""The locks: hashes for everything, no address of any index, and both agreeing with each other and the project."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT = ROOT / "requirements.lock"
RUNTIME = ROOT / "requirements-runtime.lock"
PIN = re.compile(r"^([a-z0-9][a-z0-9-]*)==(\S+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text()))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", each)[0].lower() for each in requirements}


@pytest.mark.parametrize("lock", [DEVELOPMENT, RUNTIME], ids=lambda lock: lock.name)
class TestEachLock:
    def test_names_no_address(self, lock: Path) -> None:
        for number, line in enumerate(lock.read_text().splitlines(), start=1):
            assert not re.search(r"[a-z]+:/|--(extra-)?index-url|--find-links|\s@\s", line), f"line {number}"

    def test_every_pin_has_a_hash(self, lock: Path) -> None:
        text = lock.read_text().replace("\\\n", "")
        pinned = [line for line in text.splitlines() if PIN.match(line)]
        assert len(pinned) > 40
        assert all("--hash=sha256:" in line for line in pinned)


def test_the_runtime_lock_is_part_of_the_other() -> None:
    assert pins(RUNTIME).items() <= pins(DEVELOPMENT).items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    development = project["optional-dependencies"]["dev"]
    assert names(project["dependencies"]) <= pins(RUNTIME).keys()
    assert names(development) <= pins(DEVELOPMENT).keys()
    assert "uv" in names(development), "make lock needs it"
    assert "hatchling" in names(development), "the project installs itself without build isolation"
    assert not {"pytest", "mypy", "hatchling", "uv"} & pins(RUNTIME).keys()
