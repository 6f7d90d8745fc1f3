"""Dockerfile and compose file: they parse, they name what exists, they hold no secret."""

import os
import re
import subprocess
import sys
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

    def test_the_database_is_healthy_only_when_others_can_reach_it(self, compose: dict[str, Any]) -> None:
        """On the socket alone a server answers that the image runs only while it makes the database."""
        assert "--host=127.0.0.1" in compose["services"]["postgres"]["healthcheck"]["test"]

    def test_the_database_has_a_connection_for_every_process(self, compose: dict[str, Any]) -> None:
        given = dict(each.split("=") for each in compose["services"]["postgres"]["command"] if "=" in each)
        workers = compose["services"]["worker"]["deploy"]["replicas"]
        assert int(given["max_connections"]) >= 60 + 48 * workers + 20

    def test_the_queue_is_the_first_process_and_has_its_password_from_standard_input(
        self, compose: dict[str, Any], tmp_path: Path
    ) -> None:
        """A shell in front of it would keep the signal to stop for itself."""
        stub = tmp_path / "valkey-server"
        stub.write_text("#!/bin/sh\necho $$ $*\ncat\n")
        stub.chmod(0o755)
        service = compose["services"]["valkey"]
        command = [part.replace("$$", "$") for part in service["command"]]
        given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "VALKEY_PASSWORD": "letters-and-7"}
        with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) as started:
            said, _ = started.communicate(timeout=30)
        assert said.splitlines() == [
            f"{started.pid} -",
            "requirepass letters-and-7",
            "appendonly yes",
            "maxmemory-policy noeviction",
        ]

    def test_only_the_api_is_asked_for_its_health(self, compose: dict[str, Any]) -> None:
        assert "/livez" in " ".join(compose["services"]["api"]["healthcheck"]["test"])
        assert all("healthcheck" not in compose["services"][name] for name in ("migrate", "worker"))

    def test_files_with_secrets_are_never_committed(self, compose: dict[str, Any]) -> None:
        ignored = (ROOT / ".gitignore").read_text().splitlines()
        assert {".env", *(file["path"] for file in compose["services"]["api"]["env_file"])} <= set(ignored)

    def test_servers_are_not_published(self, compose: dict[str, Any]) -> None:
        assert "ports" not in compose["services"]["postgres"]
        assert "ports" not in compose["services"]["valkey"]


class TestDockerfile:
    def test_runs_as_an_ordinary_user_from_the_lock(self, dockerfile: list[str]) -> None:
        assert [line for line in dockerfile if line.startswith("USER ")] == ["USER tranship"]
        assert any("--require-hashes --only-binary :all: -r requirements-runtime.lock" in line for line in dockerfile)
        assert all("python:3.13-slim-trixie" in line for line in dockerfile if line.startswith("FROM "))

    def test_copies_what_exists_and_what_the_build_context_holds(self, dockerfile: list[str]) -> None:
        allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = {line.split()[1] for line in dockerfile if line.startswith("COPY ") and "--from" not in line}
        assert copied == allowed
        assert all((ROOT / name).exists() for name in copied)

    def test_starts_a_command_that_exists(self, dockerfile: list[str]) -> None:
        entry = next(line for line in dockerfile if line.startswith("ENTRYPOINT"))
        assert entry == 'ENTRYPOINT ["tranship"]'
        command = next(line for line in dockerfile if line.startswith("CMD"))
        assert re.findall(r'"([^"]+)"', command)[0] in commands()

    def test_the_command_has_its_name_in_the_image(self, dockerfile: list[str], tmp_path: Path) -> None:
        """`docker compose exec api tranship …`: the build writes it, because the project itself is not installed."""
        line = next(line for line in dockerfile if "/opt/tranship/bin/tranship" in line)
        written = re.search(r"printf '([^']+)' > /opt/tranship/bin/tranship\b", line)
        assert written is not None
        interpreter, _, text = written[1].replace("\\n", "\n").partition("\n")
        assert interpreter == "#!/opt/tranship/bin/python"
        program = tmp_path / "tranship"
        program.write_text(text)
        done = subprocess.run(
            [sys.executable, program, "--help"],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "Usage: tranship " in done.stdout
