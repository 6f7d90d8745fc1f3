"""Reads the knowledge that ships beside this package: YAML of plain strings, read once per process."""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import yaml

_ROOT = "app.domain.matching"
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar stays a string: `no` is a word, not False


def read_text(path: str) -> str:
    """The text of a file below `knowledge/`."""
    return resources.files(_ROOT).joinpath("knowledge", *path.split("/")).read_text(encoding="utf-8")


@cache
def read_yaml(path: str) -> Any:
    """One document below `knowledge/`."""
    return yaml.load(read_text(path), Loader=_LOADER)  # noqa: S506  a base loader makes nothing but strings and lists


def read_folder(folder: str) -> Iterator[tuple[str, Any]]:
    """(file stem, document) for every document of every file of a folder, in the order of the names."""
    there = resources.files(_ROOT).joinpath("knowledge", folder)
    for entry in sorted(there.iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".yaml"):
            for document in yaml.load_all(entry.read_text(encoding="utf-8"), Loader=_LOADER):
                yield entry.name.removesuffix(".yaml"), document


def phrases(text: str) -> list[str]:
    """`"a; b; c"` → `["a", "b", "c"]`."""
    return [part.strip() for part in text.split(";") if part.strip()]
