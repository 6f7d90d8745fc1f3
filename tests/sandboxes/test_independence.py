"""A sandbox imports nothing from its connector, another connector or the service, so that each checks the other."""

import ast
from pathlib import Path

import pytest

import connectors

FOLDERS = sorted(Path(connectors.__file__).parent.glob("*/sandbox"))


def imported(path: Path) -> set[str]:
    """Names of the modules that a file imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_a_sandbox_knows_the_kit_and_itself(folder: Path) -> None:
    own = {
        name
        for path in folder.rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] in ("connectors", "app", "workers")
    }
    assert own, "the check sees imports"
    allowed = ("connectors.sandboxkit.", f"connectors.{folder.parent.name}.sandbox")
    assert [name for name in sorted(own) if not name.startswith(allowed)] == []
