"""Reads records with as few calls as the API allows: a page of a view holds a hundred whole records, a GET holds one.

Ids of records made together lie together, so `fetch` scrolls from the lowest id on instead of asking for each.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.errors import ContractBroken
from connectors.freshsales import wire
from connectors.freshsales.bodies import flat_row, includes_for
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import PRODUCTS, Module
from connectors.freshsales.naming import names_of
from connectors.http import ApiClient

JSON = {"Content-Type": "application/json"}
PER_PAGE = 100
"""Rows of a page and values of a rule (section 10)."""
_FEW = 2
_CONFIRMED = 5
_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,254}", re.ASCII)
Row = dict[str, Any]


def part(identifier: str) -> str:
    """An id as a path segment. Raises ContractBroken for anything but digits."""
    if not (identifier.isascii() and identifier.isdigit() and len(identifier) <= 19):
        raise ContractBroken(f"{identifier[:40]!r} is not an id of Freshsales", code="BAD_ID")
    return identifier


def is_id(identifier: str) -> bool:
    return identifier.isascii() and identifier.isdigit() and len(identifier) <= 19


def checked_name(name: str) -> str:
    """A field name as rules take it. Raises ContractBroken for anything else."""
    if not _NAME.fullmatch(name):
        raise ContractBroken(f"{name[:60]!r} is not a field name", code="BAD_NAME")
    return name


def moment(value: Any) -> datetime | None:
    """A time of the API in UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def chunked(items: Sequence[str], size: int = PER_PAGE) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(slots=True)
class Look:
    """Records that are looked for, what is found of them, and what stands beside them in the answers."""

    module: Module
    wanted: set[int]
    includes: str
    found: dict[int, Row] = field(default_factory=dict)
    beside: list[Row] = field(default_factory=list)

    def left(self) -> list[int]:
        return sorted(self.wanted - self.found.keys())

    def take(self, rows: Iterable[Row], body: Mapping[str, Any]) -> int:
        """Keeps what is wanted of an answer; how many records that were."""
        before = len(self.found)
        self.found.update({int(row["id"]): row for row in rows if int(row["id"]) in self.wanted})
        listed = body.get(self.includes) if self.includes else None
        if isinstance(listed, list) and self.includes != self.module.name:
            self.beside += [row for row in listed if isinstance(row, dict)]
        return len(self.found) - before


class Reader:
    """Reading calls of one account."""

    def __init__(self, api: ApiClient, metadata: Metadata) -> None:
        self._api = api
        self._metadata = metadata
        self._scrolls = True
        self._page_hints: dict[str, int] = {}

    # ── by id ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def fetch(self, module: Module, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        """Flat records by id; those that are gone are absent."""
        names = await names_of(self._metadata, module)
        rows = await self.rows(module, ids, includes_for(module, fields))
        return {key: flat_row(module, row, names) for key, row in rows.items()}

    async def rows(self, module: Module, ids: Sequence[str], includes: Sequence[str] = ()) -> dict[str, Row]:
        """The vendor's rows by id."""
        look = Look(module, {int(one) for one in ids if is_id(one)}, ",".join(includes))
        await self._look(look)
        return {str(key): row for key, row in look.found.items()}

    async def sideloaded(self, module: Module, ids: Sequence[str], kind: str) -> dict[str, list[Row]]:
        """Activities of a kind by the record they hang on: they come beside the records that include them."""
        look = Look(module, {int(one) for one in ids if is_id(one)}, kind)
        await self._look(look)
        found: dict[str, dict[str, Row]] = {str(key): {} for key in look.wanted}
        for row in look.beside:
            for target in targets(row):
                if target in found:
                    found[target][str(row.get("id"))] = row
        return {key: list(rows.values()) for key, rows in found.items()}

    async def _look(self, look: Look) -> None:
        conclusive = False
        if len(look.wanted) > _FEW and look.module is not PRODUCTS:
            conclusive = await self._from_views(look)
        left = look.left()
        if not conclusive or len(left) <= _CONFIRMED:
            for key in left:
                await self._one(look, key)

    async def _one(self, look: Look, key: int) -> None:
        module = look.module
        answer = await self._api.request(
            "GET",
            f"{module.path}/{key}",
            purpose=f"fetch {module.name}",
            params={"include": look.includes} if look.includes else None,
            accept=frozenset({404}),
        )
        if answer.status == 404:
            return
        body = answer.decode(wire.OBJECT)
        row = body.get(module.singular)
        if isinstance(row, dict) and not row.get("is_deleted"):
            look.take([{**row, "id": key}], body)

    async def _from_views(self, look: Look) -> bool:
        """Takes what is wanted from the views that hold all records; True when they were searched for every id."""
        views = await self._metadata.whole_views(look.module)
        conclusive = bool(views)
        for view in views:
            if not look.left():
                break
            if look.module.custom or not self._scrolls:
                await self._paged(look, view)
            else:
                conclusive = await self._scrolled(look, view) and conclusive
        return conclusive

    async def _scrolled(self, look: Look, view: str) -> bool:
        """Scrolls a view in the order of ids; False when it gave up, because the ids lie too far apart."""
        poor = 0
        left = look.left()
        after = left[0] - 1
        while True:
            rows = await self._scroll(look, view, after)
            if rows is None:
                return False
            keys, gained = rows
            if keys != sorted(keys):
                self._scrolls = False
                return False
            ahead = [key for key in left if keys and key > keys[-1]]
            if len(keys) < PER_PAGE or not ahead:
                return True
            poor = poor + 1 if gained < _FEW else 0
            if poor > 1:
                return False
            after = max(keys[-1], ahead[0] - 1)

    async def _scroll(self, look: Look, view: str, after: int) -> tuple[list[int], int] | None:
        """The ids of one page and how many of them were wanted; None where the account does not offer scrolling (it
        is in no official list, section 2)."""
        params = {"limit": str(PER_PAGE), "last_fetched_id": str(after)}
        answer = await self._api.request(
            "GET",
            f"{look.module.path}/scroll/{view}",
            purpose=f"fetch {look.module.name}",
            params=params | ({"include": look.includes} if look.includes else {}),
            accept=frozenset({404}),
        )
        if answer.status == 404:
            self._scrolls = False
            return None
        body = answer.decode(wire.OBJECT)
        rows = rows_of(body, look.module)
        return [int(row["id"]) for row in rows], look.take(rows, body)

    async def page(self, module: Module, view: str, number: int, includes: str = "") -> tuple[Row, list[Row], int]:
        """A page of a view in the order of creation: the answer, its rows, and how many pages there are."""
        params = {"page": str(number), "per_page": str(PER_PAGE), "sort": "created_at", "sort_type": "asc"}
        answer = await self._api.request(
            "GET",
            f"{module.path}/view/{view}",
            purpose=f"fetch {module.name}",
            params=params | ({"include": includes} if includes else {}),
        )
        body = answer.decode(wire.OBJECT)
        return body, rows_of(body, module), answer.decode(wire.COUNTED).meta.total_pages or 0

    async def _paged(self, look: Look, view: str) -> None:
        """The same by pages: starts where the last look ended, halves its way to the first id, then reads on."""
        left = look.left()
        hint = f"{look.module.name}:{view}"
        low, high, at = 1, 0, max(1, self._page_hints.get(hint, 1))
        while True:
            keys, pages = await self._page_keys(look, view, at)
            high = high or max(pages, 1)
            if (not keys or keys[0] > left[0]) and at > low:  # no rows: there are fewer pages than last time
                high, at = at - 1, (low + at - 1) // 2
            elif keys and keys[-1] < left[0] and at < high:
                low, at = at + 1, (at + 1 + high) // 2
            else:
                break
        while keys and keys[-1] < left[-1] and at < pages:
            at += 1
            keys, pages = await self._page_keys(look, view, at)
        self._page_hints[hint] = at

    async def _page_keys(self, look: Look, view: str, at: int) -> tuple[list[int], int]:
        body, rows, pages = await self.page(look.module, view, at, look.includes)
        look.take(rows, body)
        return [int(row["id"]) for row in rows], pages


def rows_of(body: Mapping[str, Any], module: Module) -> list[Row]:
    """The rows of a list, under the plural or the entity's own name."""
    for name in (module.name, module.singular, f"{module.singular}s"):
        rows = body.get(name)
        if isinstance(rows, list):
            kept = [row for row in rows if isinstance(row, dict) and str(row.get("id", "")).isdigit()]
            if len(kept) == len(rows):
                return kept
    raise ContractBroken(f"the list of {module.name} has another shape than documented", code="UNREADABLE")


def targets(row: Mapping[str, Any]) -> list[str]:
    """Ids of what an activity hangs on; spellings differ by call (section 7)."""
    listed = row.get("targetables")
    found = [*(listed if isinstance(listed, list) else ()), row.get("targetable")]
    return [str(one["id"]) for one in found if isinstance(one, dict) and "id" in one]
