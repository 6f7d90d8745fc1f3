"""Reads the switches that a sandbox is started with into its own dataclass of options."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

_TRUE = ("1", "on", "true", "yes")
_FALSE = ("0", "off", "false", "no")
Options = TypeVar("Options")


def parse_options(
    kind: type[Options], given: Mapping[str, str], *, choices: Mapping[str, tuple[str, ...]], of: str
) -> Options:
    """`SandboxConfig.options` as a `kind`, a dataclass of flags, numbers and texts; `choices` are the texts allowed.

    ValueError for an unknown name or a value of the wrong kind; `of` names the vendor in it.
    """
    known = sorted(item.name for item in fields(kind))  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for name, text in given.items():
        if name not in known:
            raise ValueError(f"unknown option {name!r} of the {of} sandbox; known: {', '.join(known)}")
        values[name] = _convert(name, str(text), hints[name], choices.get(name, ()))
    return kind(**values)


def _convert(name: str, text: str, kind: type[Any], choices: tuple[str, ...]) -> object:
    if kind is bool:
        lowered = text.lower()
        if lowered not in _TRUE + _FALSE:
            raise ValueError(f"option {name!r} is on or off, not {text!r}")
        return lowered in _TRUE
    if choices and text not in choices:
        raise ValueError(f"option {name!r} is one of {', '.join(choices)}, not {text!r}")
    return kind(text)
