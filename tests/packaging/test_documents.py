"""What the documents name is there: links, paths, make targets, settings, commands and their options."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import app
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "DECISIONS.md", "docs/operate.md", "tests/bench/README.md", "tests/rehearsal/README.md")
_ELSEWHERE = frozenset({"BENCH_TMP/kit", "build/soak", "../shared/bench"})
"""Paths that only a command makes, or that may be missing."""


@pytest.fixture(params=DOCUMENTS)
def text(request: pytest.FixtureRequest) -> str:
    return (ROOT / request.param).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / document).read_text(encoding="utf-8"))
    assert [one for one in links if "://" not in one and not (ROOT / document).parent.joinpath(one).exists()] == []


def test_paths_are_there(text: str) -> None:
    """In backquotes, with a slash inside or the end of a source file; `<name>` and `*` stand for anything."""
    named = set(re.findall(r"`([\w.][\w.<>*-]*/[\w./<>*-]*|[\w-]+\.(?:py|yaml|toml))`", text)) - _ELSEWHERE
    sought = {one: re.sub(r"<\w+>", "*", one.rstrip("/")) for one in named}
    places = ("", "app/", "app/runs/", "tests/bench/")
    assert [one for one, path in sought.items() if not any(any(ROOT.glob(place + path)) for place in places)] == []


def test_make_targets_and_settings_are_known(text: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", text, re.MULTILINE)
    assert [one for one in map("".join, targets) if not re.search(rf"^{one}:", makefile, re.MULTILINE)] == []
    assert [one for one in re.findall(r"TRANSHIP_([A-Z_]+)", text) if one.lower() not in Settings.model_fields] == []


def test_commands_take_what_is_shown(text: str) -> None:
    root = get_command(app)
    for line in re.findall(r"(?:^|[`/ ])tranship ([a-z][^`\n|#;)]*)", text, re.MULTILINE):
        words, command = line.split(), root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not root, f"there is no command `tranship {line}`"
        options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert [one for one in re.findall(r"--[a-z-]+", line) if one not in options] == [], line
