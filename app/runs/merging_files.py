"""The merge of files: their bytes cannot be merged, so a file that people replaced or removed there is a conflict.

Nothing is attached or taken away before a person has said which side wins.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.mapping import Load
from app.domain.masking import masked
from app.runs import findings
from app.runs.filing import announced_size
from app.runs.findings import Finding
from app.runs.held import Place
from app.runs.hiding import hidden_fields
from app.runs.items import Item
from app.runs.ledger import Entry
from app.runs.merge_base import Base, former_base
from app.runs.merging import unchanged
from app.runs.placing import Placing
from app.runs.repeating import repeated
from app.runs.work import Work
from app.runs.writers import parent_of

FIELD = "file"
"""The name under which findings speak of a file as a whole."""


class FileMerger:
    """Merges the files of one load; made by `file_merger`."""

    def __init__(
        self, work: Work, load: Load, base: Base, standing: Mapping[str, Mapping[str, str]], *, hidden: bool
    ) -> None:
        """`standing` as in `findings.standing`; with `hidden` names of files are kept masked."""
        self._work = work
        self._load = load
        self._base = base
        self._standing = standing
        self._hidden = hidden
        self._facts = work.destination_platform.object_facts(load.target_object)
        self._limit = work.destination_platform.limits.file_bytes

    async def merge(self, items: Sequence[Item], *, resumed: bool = False) -> tuple[list[Item], list[Entry]]:
        """What is left to send, and the ends of what waits for a person.

        `resumed`: an earlier worker may have replaced these. Raises what the destination's reading raises.
        """
        updates = [item for item in items if item.known_hash is not None and item.record_id is not None]
        if not updates:
            return list(items), []
        wrote = await self._base.wrote(updates)
        places = await Placing(self._work, self._load).known([item.source_id for item in updates])
        lists: dict[Place, dict[str, dict[str, Any]]] = {}
        conflicts: list[Entry] = []
        found: list[Finding] = []
        for item in updates:
            place = places.get(item.source_id) or self._parent(item)
            if place not in lists:
                lists[place] = await self._listed(place)
            there = lists[place].get(str(item.record_id))
            before = wrote.get(item.source_id, ({}, b""))[0]
            if self._is_free(item, before, there, resumed=resumed):
                continue
            found.append(self._finding(item, before, there))
            conflicts.append(unchanged(item, "conflict"))
        await findings.book(self._work, self._load.key, found, [item.source_id for item in updates])
        waiting = {entry.source_id for entry in conflicts}
        return [item for item in items if item.source_id not in waiting], conflicts

    def _is_free(
        self, item: Item, before: Mapping[str, Any], there: Mapping[str, Any] | None, *, resumed: bool
    ) -> bool:
        """Whether the file may be replaced: nobody touched it, or a person said so."""
        standing = self._standing.get(item.source_id, {}).get(FIELD)
        if standing is not None:
            return standing == findings.SOURCE
        if there is None:  # a worker that was lost may have taken it away, once the new one stood there
            return resumed
        return _looks_like(before, there, self._limit)

    async def _listed(self, place: Place) -> dict[str, dict[str, Any]]:
        destination = await self._work.destination()
        name = self._work.object_name(self._load.target_object)
        children = await repeated(self._work, lambda: destination.children(name, *place))
        return {str(one["id"]): one for one in children}

    def _parent(self, item: Item) -> Place:
        return parent_of(item.payload, self._facts.parent_field, self._facts.parent_object_field)

    def _finding(self, item: Item, before: Mapping[str, Any], there: Mapping[str, Any] | None) -> Finding:
        sides = {
            "written": self._shown(before.get("name"), before.get("size")),
            "source": self._shown(item.payload["name"], announced_size(item.record)),
            "destination": None if there is None else self._shown(there.get("File_Name"), there.get("Size")),
        }
        sealed = findings.seal_sides(self._work.key, self._load.key, item.source_id, FIELD, sides)
        return Finding(item.source_id, FIELD, str(item.record_id), findings.OPEN, sealed)

    def _shown(self, name: Any, size: Any) -> dict[str, Any]:
        return {"name": masked(name) if self._hidden else name, "size": None if size is None else str(size)}


def _looks_like(before: Mapping[str, Any], there: Mapping[str, Any], limit: int) -> bool:
    """Whether a listed file is what was attached: its name and, unless a link stands in for it, its size."""
    if there.get("File_Name") != before.get("name"):
        return False
    size, listed = announced_size({"Size": before.get("size")}), there.get("Size")
    return size is None or size > limit or listed is None or str(listed) == str(size)


async def file_merger(work: Work, load: Load) -> FileMerger:
    """What merges the files of a load in a delta."""
    standing = await findings.standing(work, load.key)
    return FileMerger(work, load, await former_base(work, load), standing, hidden=hidden_fields(work, load).whole)
