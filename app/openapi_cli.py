"""Compares the committed OpenAPI document with the one that the code gives, for people and for `make lint`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.openapi_changes import breaking_changes, major


def check_compatible(document: dict[str, Any], path: Path, revision: str, say: Callable[[str], None]) -> int:
    """0 when clients of the document at `revision` are still served or the major version moved, else 1 with reasons.

    Outside a repository, and before the first committed document, there is nothing to compare with.
    """
    before = _committed(path, revision)
    if before is None:
        say(f"no {path.name} at {revision}: nothing to compare with")
        return 0
    found = breaking_changes(before, document)
    if not found:
        return 0
    if major(before) != major(document):
        say(f"{len(found)} breaking changes, announced by version {document['info']['version']}")
        return 0
    for each in found:
        say(f"breaking: {each}")
    say(f"{len(found)} changes break clients of version {before['info']['version']}: undo them or move the version")
    return 1


def _committed(path: Path, revision: str) -> dict[str, Any] | None:
    """The document as the repository has it at the revision."""
    try:
        done = subprocess.run(
            ["git", "show", f"{revision}:./{path.name}"], cwd=path.parent, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    document: dict[str, Any] = json.loads(done.stdout)
    return document
