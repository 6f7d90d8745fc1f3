"""Reads records with as few calls as the API allows: a page of a view holds a hundred whole records, a GET holds one.

Ids of records made together lie together, so `fetch` scrolls from the lowest id on instead of asking for each.
"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.base import ContractBroken, Found
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
_TEXT_TYPES = frozenset({"text", "textarea"})
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
        rows = _rows(body, look.module)
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
        return body, _rows(body, module), answer.decode(wire.COUNTED).meta.total_pages or 0

    async def _paged(self, look: Look, view: str) -> None:
        """The same by pages: starts where the last look ended, halves its way to the first id, then reads on."""
        left = look.left()
        hint = f"{look.module.name}:{view}"
        low, high, at = 1, 0, max(1, self._page_hints.get(hint, 1))
        while True:
            keys, pages = await self._page_keys(look, view, at)
            high = high or max(pages, 1)
            if keys and keys[0] > left[0] and at > low:
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

    # ── by value ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def find(
        self, module: Module, field: str, values: Iterable[str], *, labels: Mapping[str, str] | None = None
    ) -> dict[str, list[Found]]:
        """Records by the exact value of a field. Search compares without regard to case and does not show custom
        fields: what its rows do not tell is read from the records. `labels` (value → record name) spare that."""
        checked_name(field)
        found: dict[str, list[Found]] = {}
        for chunk in chunked(list(dict.fromkeys(value for value in values if value))):
            rows = await self._search(module, field, chunk)
            for row, value in await self._valued(module, field, rows, set(chunk), labels):
                found.setdefault(value, []).append(
                    Found(str(row.get("id")), moment(row.get("created_at")), moment(row.get("updated_at")))
                )
        return found

    async def _search(self, module: Module, field: str, values: Sequence[str]) -> list[Row]:
        if module is PRODUCTS:
            return await self._filterize(field, values)
        attribute = "contact_email.email" if field == "email" else field
        rule = {"filter_rule": [{"attribute": attribute, "operator": "is_in", "value": list(values)}]}
        rows: list[Row] = []
        number = 1
        while True:
            answer = await self._api.request(
                "POST",
                f"/filtered_search/{module.singular}",
                purpose=f"find {module.name}",
                params={"page": str(number), "per_page": str(PER_PAGE), "sort": "id", "sort_type": "asc"},
                content=msgspec.json.encode(rule),
                headers=JSON,
            )
            body = answer.decode(wire.OBJECT)
            page = _rows(body, module)
            rows += page
            total = answer.decode(wire.COUNTED).meta.total
            if len(page) < PER_PAGE or (total is not None and len(rows) >= total):
                return rows
            number += 1

    async def _filterize(self, field: str, values: Sequence[str]) -> list[Row]:
        """Products have a search of their own with whole rows (section 2)."""
        rule = {"filter_rule": [{"attribute": field, "operator": "is_in", "value": list(values)}]}
        answer = await self._api.request(
            "POST",
            "/cpq/products/filterize",
            purpose="find products",
            content=msgspec.json.encode(rule),
            headers=JSON,
        )
        body = answer.decode(wire.OBJECT)
        return _rows(body, PRODUCTS)

    async def _valued(
        self, module: Module, field: str, rows: list[Row], wanted: set[str], labels: Mapping[str, str] | None
    ) -> list[tuple[Row, str]]:
        """Rows with the wanted value that each has; one row may have several addresses."""
        if not rows:
            return []
        if all(_shows(row, field) for row in rows):
            return [(row, value) for row in rows for value in _values(row, field) if value in wanted]
        sure: list[tuple[Row, str]] = []
        if labels:
            sure, rows = _by_label(rows, wanted, labels)
        whole = await self.rows(module, [str(row.get("id")) for row in rows]) if rows else {}
        return sure + [(row, value) for row in whole.values() for value in _values(row, field) if value in wanted]

    async def changed_since(self, module: Module, since: datetime) -> AsyncIterator[list[str]]:
        """Pages of ids changed after `since` by filtered search (section 10), then of those in the recycle bin."""
        rule = {"attribute": "updated_at", "operator": "is_after", "value": since.isoformat()}
        number = 1
        while True:
            answer = await self._api.request(
                "POST",
                f"/filtered_search/{module.singular}",
                purpose=f"changes {module.name}",
                params={"page": str(number), "per_page": str(PER_PAGE), "sort": "id", "sort_type": "asc"},
                content=msgspec.json.encode({"filter_rule": [rule]}),
                headers=JSON,
            )
            body = answer.decode(wire.OBJECT)
            rows = _rows(body, module)
            yield [str(row["id"]) for row in rows]
            if len(rows) < PER_PAGE:
                break
            number += 1
        async for ids in self._binned(module, since):
            yield ids

    async def _binned(self, module: Module, since: datetime) -> AsyncIterator[list[str]]:
        """Newest first, so that a bin of years costs one call."""
        view = (await self._metadata.views(module)).get("Recycle Bin")
        number = 1
        while view is not None:
            params = {"page": str(number), "per_page": str(PER_PAGE), "sort": "updated_at", "sort_type": "desc"}
            path = f"{module.path}/view/{view}"
            answer = await self._api.request("GET", path, purpose=f"changes {module.name}", params=params)
            body = answer.decode(wire.OBJECT)
            rows = _rows(body, module)
            fresh = [row for row in rows if (moment(row.get("updated_at")) or since) >= since]
            yield [str(row["id"]) for row in fresh]
            if len(fresh) < PER_PAGE:
                return
            number += 1

    async def count(self, module: Module, filled: str | None) -> int:
        """Live records, or those in which `filled` is not blank.

        No operator for "not blank" is attested (section 10). A text field is counted by the values that hold a colon,
        as every external id of ours does; any other field is counted by reading all records.
        """
        if filled is None:
            return sum([await self._total(module, view) for view in await self._metadata.whole_views(module)])
        checked_name(filled)
        field = next((one for one in await self._metadata.fields(module) if one.name == filled), None)
        if field is None:
            raise ContractBroken(f"{module.name} has no field {filled}", code="NO_FIELD")
        if filled == "external_id" or (field.is_custom and field.type in _TEXT_TYPES):
            return await self._containing(module, filled)
        return await self._scanned(module, filled)

    async def _total(self, module: Module, view: str) -> int:
        answer = await self._api.request(
            "GET", f"{module.path}/view/{view}", purpose=f"count {module.name}", params={"page": "1", "per_page": "1"}
        )
        return answer.decode(wire.COUNTED).meta.total or 0

    async def _containing(self, module: Module, field: str) -> int:
        rule = {"filter_rule": [{"attribute": field, "operator": "contains", "value": ":"}]}
        answer = await self._api.request(
            "POST",
            f"/filtered_search/{module.singular}",
            purpose=f"count {module.name}",
            params={"page": "1", "per_page": "1"},
            content=msgspec.json.encode(rule),
            headers=JSON,
        )
        return answer.decode(wire.COUNTED).meta.total or 0

    async def _scanned(self, module: Module, field: str) -> int:
        number = 0
        for view in await self._metadata.whole_views(module):
            at, pages = 1, 1
            while at <= pages:
                _, rows, pages = await self.page(module, view, at)
                number += sum(any(_values(row, field)) for row in rows)
                at += 1
        return number


def _rows(body: Mapping[str, Any], module: Module) -> list[Row]:
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


def _shows(row: Row, field: str) -> bool:
    if field.startswith("cf_"):
        return isinstance(row.get("custom_field"), dict)
    return field in row or (field == "email" and "emails" in row)


def _values(row: Row, field: str) -> list[str]:
    """The filled values of a field as texts: an address list has several."""
    if field == "email":
        listed = [one.get("value") for one in row.get("emails") or () if isinstance(one, dict)]
        return [str(value) for value in dict.fromkeys([*listed, row.get("email")]) if value]
    custom = row.get("custom_field")
    value = custom.get(field) if field.startswith("cf_") and isinstance(custom, dict) else row.get(field)
    return [] if value in (None, "") else [str(value)]


def _by_label(rows: list[Row], wanted: set[str], labels: Mapping[str, str]) -> tuple[list[tuple[Row, str]], list[Row]]:
    """Rows whose name belongs to one wanted value only, and the rest."""
    owners: dict[str, list[str]] = {}
    for value in wanted:
        if label := labels.get(value):
            owners.setdefault(label.strip().casefold(), []).append(value)
    counts: dict[str, int] = {}
    for row in rows:
        name = str(row.get("name") or "").strip().casefold()
        counts[name] = counts.get(name, 0) + 1
    sure, rest = [], []
    for row in rows:
        name = str(row.get("name") or "").strip().casefold()
        values = owners.get(name, [])
        if len(values) == 1 and counts[name] == 1:
            sure.append((row, values[0]))
        else:
            rest.append(row)
    return sure, rest
