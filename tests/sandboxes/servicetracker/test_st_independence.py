"""The sandbox knows nothing of the connector or the service (rulings 31 and 32)."""

import ast
from pathlib import Path

import pytest

from connectors.servicetracker import sandbox

ROOT = Path(sandbox.__file__).parent
ALLOWED = ("connectors.sandboxkit", "connectors.servicetracker.sandbox")


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.stem)
def test_imports(path: Path) -> None:
    for name in imported(path.read_text()):
        top = name.partition(".")[0]
        assert top not in {"app", "workers"}
        assert top != "connectors" or name.startswith(ALLOWED)
