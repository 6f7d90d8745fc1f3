"""The import contracts can fail: each is broken on purpose in a copy of the packages."""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Path → imports that break at least one contract each.
PLANTED = {
    "app/domain/planted.py": "import asyncpg",
    "app/embedded/planted.py": "import app.db",
    "app/models/planted.py": "import app.runs.planted\nimport connectors.base",
    "app/runs/planted.py": "import arq",
    "app/planted_top.py": "import connectors.http\nimport connectors.planted_vendor.sandbox\nimport workers",
    "app/planted_slice/__init__.py": "",
    "app/planted_slice/router.py": "import connectors.base\nimport app.planted_other.router",
    "app/planted_slice/service.py": "import fastapi",
    "app/planted_other/__init__.py": "",
    "app/planted_other/router.py": "",
    "connectors/planted.py": "import app.settings\nimport fastapi\nimport httpx",
    "connectors/planted_vendor/__init__.py": "",
    "connectors/planted_vendor/fields.py": "",
    "connectors/planted_vendor/sandbox/__init__.py": "import fastapi\nfrom connectors.planted_vendor import fields",
    "workers/planted.py": "import fastapi",
}


def lint(folder: Path) -> str:
    program = "from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "COLUMNS": "300", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_every_contract_breaks_when_broken(tmp_path: Path) -> None:
    shutil.copy2(ROOT / ".importlinter", tmp_path)
    for package in ("app", "connectors", "workers"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, imports in PLANTED.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(imports + "\n")
    said = lint(tmp_path)
    rules = ConfigParser()
    rules.read(ROOT / ".importlinter")
    contracts = [rules[section]["name"] for section in rules.sections() if ":contract:" in section]
    assert len(contracts) >= 14
    lines = said.splitlines()
    kept = [name for name in contracts if not any(line.startswith(name) and "BROKEN" in line for line in lines)]
    assert kept == [], said
    assert "planted_vendor.sandbox -> fastapi" not in said, "a sandbox may be a web application"
