"""Ruling 31: the sandbox imports nothing from its connector, another connector or the service."""

import ast
from pathlib import Path

import connectors.freshsales.sandbox as sandbox

ALLOWED = ("connectors.sandboxkit.", "connectors.freshsales.sandbox")
FOLDER = Path(sandbox.__file__).parent


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


def test_ruling_31_no_import_from_connector_or_service() -> None:
    own = {
        name
        for path in FOLDER.glob("*.py")
        for name in imported(path)
        if name.split(".")[0] in ("connectors", "app", "workers")
    }
    assert own, "the check sees imports"
    assert [name for name in sorted(own) if not name.startswith(ALLOWED)] == []
