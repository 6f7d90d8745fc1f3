"""A typed TypeScript client of `openapi/tranship.json`: generated without a warning, compiled strictly, and at work.

Needs Node with npm, and npm's registry or cache for the packages pinned in `typescript/`; skipped where they are not.
"""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.api.conftest import Client

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).parent / "typescript"
NODE_MAJOR = 20
_NO_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENOTCACHED|network")


async def run(folder: Path, *command: str) -> tuple[int, str]:
    """The exit code and everything said; npm is told nothing by this machine's settings but where packages are."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ}
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode("utf-8", "replace")


@pytest.fixture(scope="module")
async def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned packages installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("no Node with npm here: the TypeScript client is not checked")
    folder = tmp_path_factory.mktemp("typescript")
    _, version = await run(folder, node, "--version")
    if int(version.removeprefix("v").partition(".")[0]) < NODE_MAJOR:
        pytest.skip(f"Node {version.strip()} is older than {NODE_MAJOR}: the TypeScript client is not checked")
    for file in SOURCES.iterdir():
        if file.is_file():
            shutil.copy(file, folder)
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
    code, said = await run(folder, npm, "ci", *options)
    if code and _NO_NETWORK.search(said):
        pytest.skip("the pinned packages cannot be had here: the TypeScript client is not checked")
    assert code == 0, said[-3000:]
    return folder


async def test_a_typed_client_is_generated_compiled_and_at_work(workshop: Path, address: str, owner: Client) -> None:
    packages = workshop / "node_modules"
    generator = ("node", str(packages / "openapi-typescript" / "bin" / "cli.js"))
    document = str(ROOT / "openapi" / "tranship.json")
    # a member with a default may be left out of a request
    code, said = await run(workshop, *generator, document, "-o", "schema.d.ts", "--default-non-nullable", "false")
    assert code == 0, said
    told = [line for line in said.splitlines() if line and not line.startswith(("✨", "🚀"))]
    assert told == [], "the generator has something to say"

    code, said = await run(workshop, "node", str(packages / "typescript" / "bin" / "tsc"), "--project", ".")
    assert (code, said) == (0, "")

    code, said = await run(workshop, "node", "--throw-deprecation", "built/usage.js", address, owner.key)
    assert code == 0, said
    assert json.loads(said) == {
        "pairs": 8,
        "engagements": 2,
        "refused": "step-missing",
        "status": 409,
        "started": None,
        "kind": "everything",
    }


def test_the_packages_are_pinned_without_an_address() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text())
    wanted = json.loads((SOURCES / "package.json").read_text())
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    for name, one in lock["packages"].items():
        assert "resolved" not in one, name
        assert not name or one["integrity"].startswith("sha512-"), name
    assert not (SOURCES / "node_modules").exists()
