"""Dockerfile and compose file: they parse, they name what exists, they hold no secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """One logical line per instruction."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def commands() -> set[str]:
    from app.cli import app

    return {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}


class TestCompose:
    def test_services(self, compose: dict[str, Any]) -> None:
        services = compose["services"]
        assert services.keys() == {"postgres", "valkey", "migrate", "api", "worker"}
        assert services["postgres"]["image"] == "postgres:18"
        assert services["valkey"]["image"] == "valkey/valkey:9"
        assert services["worker"]["deploy"]["replicas"] == 2
        for name in ("migrate", "api", "worker"):
            assert services[name]["command"][0] in commands()
            assert services[name]["init"] is True

    def test_nothing_starts_before_the_schema_is_there(self, compose: dict[str, Any]) -> None:
        for name in ("api", "worker"):
            needs = compose["services"][name]["depends_on"]
            assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert compose["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"

    def test_every_secret_must_be_given(self, compose: dict[str, Any]) -> None:
        text = (ROOT / "compose.yaml").read_text()
        for secret in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "TRANSHIP_MASTER_KEYS"):
            assert f"${{{secret}:?" in text
            assert f"${{{secret}:-" not in text

    def test_every_variable_is_a_setting(self, compose: dict[str, Any]) -> None:
        from app.settings import PREFIX, Settings

        given = {name for name in compose["services"]["api"]["environment"] if name.startswith(PREFIX)}
        assert given >= {"TRANSHIP_DATABASE_URL", "TRANSHIP_REDIS_URL", "TRANSHIP_MASTER_KEYS", "TRANSHIP_ENVIRONMENT"}
        assert {name.removeprefix(PREFIX).lower() for name in given} <= Settings.model_fields.keys()

    def test_servers_are_not_published(self, compose: dict[str, Any]) -> None:
        assert "ports" not in compose["services"]["postgres"]
        assert "ports" not in compose["services"]["valkey"]


class TestDockerfile:
    def test_runs_as_an_ordinary_user_from_the_lock(self, dockerfile: list[str]) -> None:
        assert [line for line in dockerfile if line.startswith("USER ")] == ["USER tranship"]
        assert any("--require-hashes -r requirements-runtime.lock" in line for line in dockerfile)
        assert all("python:3.13-slim-bookworm" in line for line in dockerfile if line.startswith("FROM "))
        assert any(line.startswith("HEALTHCHECK") and "/livez" in line for line in dockerfile)

    def test_copies_what_exists_and_what_the_build_context_holds(self, dockerfile: list[str]) -> None:
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = {line.split()[1] for line in dockerfile if line.startswith("COPY ") and "--from" not in line}
        assert copied == allowed
        assert all((ROOT / name).exists() for name in copied)

    def test_starts_a_command_that_exists(self, dockerfile: list[str]) -> None:
        entry = next(line for line in dockerfile if line.startswith("ENTRYPOINT"))
        assert entry == 'ENTRYPOINT ["python", "-m", "app.cli"]'
        command = next(line for line in dockerfile if line.startswith("CMD"))
        assert re.findall(r'"([^"]+)"', command)[0] in commands()
