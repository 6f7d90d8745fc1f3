"""`tranship propose`: the proposal for two schema files, or one and a known destination, without a server."""

import re
import unicodedata
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
import yaml

from app.domain.matching.columns import Schema
from app.domain.matching.curated import NOTHING, Curated, curated_of
from app.domain.matching.documents import SchemaUnreadable, read_schema
from app.domain.matching.proposal import ObjectProposal, answer, propose_tables
from app.domain.matching.systems import find_system

_UNSHOWN = frozenset({"Cc", "Cf", "Zl", "Zp"})
MAX_BYTES = 64 * 1024 * 1024


class ProposeFailed(Exception):
    """What stands in the way, for the person at the command line."""


def propose_files(source: Path, destination: str) -> tuple[dict[str, Any], list[ObjectProposal]]:
    """The answer as JSON and the proposals behind it; `destination` is a known platform or a schema file.

    Raises ProposeFailed.
    """
    ours, theirs = load_schema(source), load_destination(destination)
    proposals = propose_tables(ours, theirs, curated=load_curated(ours.platform, theirs.platform))
    return answer(proposals), proposals


def load_curated(source: str, destination: str) -> Curated:
    """What the pair's blueprint says; nothing where there is none. Read as data: the platforms' code stays unloaded."""
    names = [slug(one) for one in (source, destination)]
    path = resources.files("connectors") / "blueprints" / f"{'-'.join(names)}.yaml"
    if not all(names) or not path.is_file():
        return NOTHING
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return curated_of(yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["loads"])  # noqa: S506  a safe loader


def slug(platform: str) -> str:
    """A platform's name as files are called after it: "Zoho CRM" → zoho_crm."""
    system = find_system(platform)
    return system.name if system else re.sub(r"[^a-z0-9]+", "_", platform.casefold()).strip("_")


def load_schema(path: Path) -> Schema:
    """A schema file. Raises ProposeFailed."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProposeFailed(f"{path} is larger than {MAX_BYTES // 1024 // 1024} MiB")
        return read_schema(orjson.loads(path.read_bytes()))
    except OSError as wrong:
        raise ProposeFailed(f"{path} cannot be read: {wrong.strerror}") from wrong
    except orjson.JSONDecodeError as wrong:
        raise ProposeFailed(f"{path} is not JSON: {wrong}") from wrong
    except SchemaUnreadable as wrong:
        raise ProposeFailed(f"{path}: {wrong}") from wrong


def load_destination(name: str) -> Schema:
    """A destination by its slug, or by the path of a schema file. Raises ProposeFailed."""
    if not name.endswith(".json") and (system := find_system(name)) is not None:
        return system.schema()
    if not Path(name).exists():
        raise ProposeFailed(f"{name} is neither a known platform (zoho_crm, freshsales) nor a schema file")
    return load_schema(Path(name))


def outline(proposals: list[ObjectProposal]) -> str:
    """The proposal for reading: a line per object and per field, the reasons behind."""
    if not proposals:
        return "The schema has no objects: there is nothing to propose.\n"
    lines = []
    for one in proposals:
        place = one.match.target or "no counterpart"
        lines.append(f"{one.source.name} -> {place}  ({one.match.probability:.2f}, {one.match.how}){_tally(one)}")
        for pair in one.pairs:
            assert one.target is not None
            target = one.target.columns[pair.target].name if pair.target is not None else "-"
            why = " ".join(text for _, text, _ in pair.grounds)
            lines.append(
                f"  {pair.probability:.2f} {pair.band:<11} {one.source.columns[pair.row].name} -> {target}  {why}"
            )
    return "\n".join(map(_printable, lines)) + "\n"


def _tally(one: ObjectProposal) -> str:
    """How much there is to do for a person."""
    bands = Counter(pair.band for pair in one.pairs)
    said = {"preselected": "preselected", "choose": "to choose", "none": "without a counterpart"}
    return ": " + ", ".join(f"{bands[band]} {text}" for band, text in said.items() if bands[band]) if bands else ""


def _printable(text: str) -> str:
    """Without characters that a terminal obeys instead of showing them: names are somebody else's."""
    return "".join(one if unicodedata.category(one) not in _UNSHOWN else "\N{REPLACEMENT CHARACTER}" for one in text)
