"""The `tranship` command: its help, its refusals, and the sandbox runner as a real process."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import app, parse_options

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("demo", "serve", "api", "worker", "sandbox", "migrate", "keys", "openapi", "pairs", "propose")

# A stand-in of a stand-in: any ASGI application does, the vendors' own have their own tests.
RUN_SANDBOX = """
import sys, types
from connectors.sandboxkit.config import SandboxConfig
from app.sandboxes import run_sandbox

def create_app(config):
    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            print("closed", flush=True)
            return await send({"type": "lifespan.shutdown.complete"})
        body = f"{config.seed} {config.options['a']}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
    return application

sys.modules["connectors.planted"] = types.ModuleType("connectors.planted")
sys.modules["connectors.planted.sandbox"] = module = types.ModuleType("connectors.planted.sandbox")
module.create_app = create_app
run_sandbox("planted", SandboxConfig(seed=7, options={"a": "b"}), host="127.0.0.1", port=0,
            announce=lambda line: print(line, flush=True))
print("returned", flush=True)
"""


def tranship(*arguments: object, **env: str | None) -> tuple[int, str]:
    """Exit code and everything printed."""
    clean = {name: None for name in os.environ if name.startswith("TRANSHIP_")}
    result = CliRunner().invoke(app, [str(part) for part in arguments], env=clean | env)
    return result.exit_code, result.output


class TestHelp:
    def test_lists_every_command(self) -> None:
        code, said = tranship("--help")
        assert code == 0
        assert all(f"  {command} " in said for command in COMMANDS)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_of_each_command(self, command: str) -> None:
        code, said = tranship(command, "--help")
        assert code == 0
        assert f"Usage: tranship {command}" in said

    def test_unknown_command(self) -> None:
        code, said = tranship("fly")
        assert code == 2
        assert "fly" in said

    def test_installed_as_a_program(self) -> None:
        done = subprocess.run([sys.executable, "-m", "app.cli", "--help"], cwd=ROOT, capture_output=True, check=True)
        assert b"Usage:" in done.stdout


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("sandbox", "elsewhere", "--port", 0), "zoho_crm"),
            (("sandbox", "zoho_crm"), "--port"),
            (("sandbox", "zoho_crm", "--port", 70000), "65535"),
            (("sandbox", "zoho_crm", "--port", 0, "--scale", -1), "scale"),
            (("sandbox", "zoho_crm", "--port", 0, "--option", "novalue"), "KEY=VALUE"),
            (("sandbox", "zoho_crm", "--port", 0, "--option", "a=1", "--option", "a=2"), "twice"),
            (("sandbox", "servicetracker", "--port", 0, "--csv-dir", "/no/such/folder"), "/no/such/folder"),
            (("sandbox", "octopuspro", "--port", 0), "--export"),
            (("sandbox", "zoho_crm", "--export", "never-written"), "--port"),
            (("demo", "--scale", 5), "100"),
            (("serve", "--workers", 0), "workers"),
        ],
    )
    def test_wrong_usage(self, arguments: tuple[object, ...], reason: str) -> None:
        code, said = tranship(*arguments)
        assert code == 2
        assert reason in said

    def test_wrong_settings_are_one_line_not_a_traceback(self) -> None:
        code, said = tranship("migrate", TRANSHIP_LEASE_SECONDS="soon")
        assert code == 2
        assert said.startswith("tranship: TRANSHIP_LEASE_SECONDS: ")
        assert said.count("\n") == 1

    def test_no_database_says_what_would_be_one(self, tmp_path: Path) -> None:
        code, said = tranship("migrate", "--data", tmp_path)
        assert code == 2
        assert "TRANSHIP_DATABASE_URL" in said
        assert f"tranship serve --data {tmp_path}" in said

    def test_production_without_secrets_does_not_start(self) -> None:
        code, said = tranship("migrate", TRANSHIP_ENVIRONMENT="production")
        assert code == 2
        assert "TRANSHIP_MASTER_KEYS" in said


class TestDatabaseRefusals:
    """One sentence on what is wrong, code 1, and never the password."""

    COMMANDS = (("migrate",), ("keys", "list"), ("keys", "rotate-master"), ("audit",))

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_nobody_answers(self, command: tuple[str, ...], tmp_path: Path) -> None:
        with socket.socket() as kept:
            kept.bind(("127.0.0.1", 0))  # taken, and not listened on
            url = f"postgresql://tranship:hush@127.0.0.1:{kept.getsockname()[1]}/tranship"
            self.check(tranship(*command, "--data", tmp_path, TRANSHIP_DATABASE_URL=url), "no database answers")

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_a_wrong_password_and_a_missing_database(
        self, command: tuple[str, ...], empty_database_url: str, tmp_path: Path
    ) -> None:
        parts = urlsplit(empty_database_url)
        wrong = empty_database_url.replace(f":{parts.password}@", ":hush@")
        self.check(
            tranship(*command, "--data", tmp_path, TRANSHIP_DATABASE_URL=wrong), "password authentication failed"
        )
        missing = empty_database_url.removesuffix(parts.path) + "/hush_hush"
        self.check(
            tranship(*command, "--data", tmp_path, TRANSHIP_DATABASE_URL=missing), "does not exist", shown="hush"
        )

    @pytest.mark.parametrize("command", COMMANDS[1:], ids=" ".join)
    def test_no_schema(self, command: tuple[str, ...], empty_database_url: str, tmp_path: Path) -> None:
        told = tranship(*command, "--data", tmp_path, TRANSHIP_DATABASE_URL=empty_database_url)
        self.check(told, "run `tranship migrate` first")

    @staticmethod
    def check(told: tuple[int, str], reason: str, shown: str = "") -> None:
        code, said = told
        assert (code, said.count("\n")) == (1, 1), said
        assert said.startswith("tranship: ")
        assert reason in said
        assert shown or "hush" not in said


@pytest.mark.parametrize("name", ["octopuspro", "clinic", "rsoft"])
def test_an_export_is_written_instead_of_served(tmp_path: Path, name: str) -> None:
    """A vendor without an API hands over files; what was written is told by table."""
    code, said = tranship("sandbox", name, "--export", tmp_path / "export", "--scale", 100, "--seed", 3)
    assert code == 0
    rows = json.loads(said)
    assert sum(rows.values()) > 50
    assert any((tmp_path / "export").iterdir())


def test_options_are_read() -> None:
    assert parse_options(["a=1", "b=x=y", " c =", "d= e"]) == {"a": "1", "b": "x=y", "c": "", "d": " e"}


class TestSandboxRunner:
    @pytest.fixture
    def process(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUN_SANDBOX], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
    def test_serves_until_a_signal_and_ends_in_order(self, process: subprocess.Popen[str], number: int) -> None:
        try:
            assert process.stdout is not None
            announced = process.stdout.readline()
            assert announced.startswith("planted sandbox on http://127.0.0.1:")
            assert httpx.get(announced.split()[-1], trust_env=False).text == "7 b"
        finally:
            process.send_signal(number)
            said, problems = process.communicate(timeout=20)
        assert process.returncode == 0, problems
        assert said == "closed\nreturned\n"

    def test_a_taken_port_is_named(self) -> None:
        import socket

        from app.sandboxes import CannotListen, run_sandbox
        from connectors.sandboxkit.config import SandboxConfig

        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(CannotListen, match=f"127.0.0.1 port {port}"):
                run_sandbox("sandboxkit", SandboxConfig(), host="127.0.0.1", port=port)
