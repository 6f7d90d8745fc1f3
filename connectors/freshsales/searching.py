"""Finds records by value: filtered search, which compares loosely and shows little, and counting (section 10)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.base import Found
from connectors.errors import ContractBroken
from connectors.freshsales import wire
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import PRODUCTS, Module
from connectors.freshsales.reading import JSON, PER_PAGE, Reader, Row, checked_name, chunked, moment, rows_of
from connectors.http import ApiClient

_TEXT_TYPES = frozenset({"text", "textarea"})


class Searcher:
    """Searching calls of one account; what search does not show is read by `reader`."""

    def __init__(self, api: ApiClient, metadata: Metadata, reader: Reader) -> None:
        self._api = api
        self._metadata = metadata
        self._reader = reader

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
            page = rows_of(body, module)
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
        return rows_of(body, PRODUCTS)

    async def _valued(
        self, module: Module, field: str, rows: list[Row], wanted: set[str], labels: Mapping[str, str] | None
    ) -> list[tuple[Row, str]]:
        """Rows with the wanted value that each has; one row may have several addresses."""
        if not rows:
            return []
        if all(_shows(row, field) for row in rows):
            return [(row, value) for row in rows for value in values_in(row, field) if value in wanted]
        sure: list[tuple[Row, str]] = []
        if labels:
            sure, rows = _by_label(rows, wanted, labels)
        whole = await self._reader.rows(module, [str(row.get("id")) for row in rows]) if rows else {}
        return sure + [(row, value) for row in whole.values() for value in values_in(row, field) if value in wanted]

    async def changed_since(self, module: Module, since: datetime) -> AsyncIterator[list[str]]:
        """Pages of ids changed after `since` by filtered search (section 10), then of those in the recycle bin."""
        async for ids in self._after(module, "updated_at", since, f"changes {module.name}"):
            yield ids
        async for ids in self._binned(module, since):
            yield ids

    async def created_since(self, module: Module, since: datetime) -> AsyncIterator[list[str]]:
        """Pages of ids entered after `since`; the catalogue is read as a whole, since no search of it knows times."""
        if module is not PRODUCTS:
            async for ids in self._after(module, "created_at", since, f"find {module.name}"):
                yield ids
            return
        number, more = 1, True
        while more:
            params = {"page": str(number), "per_page": str(PER_PAGE)}
            answer = await self._api.request("GET", module.path, purpose="find products", params=params)
            body = answer.decode(wire.OBJECT)
            rows = rows_of(body, module)
            yield [str(row["id"]) for row in rows if (moment(row.get("created_at")) or since) >= since]
            number, more = number + 1, len(rows) == PER_PAGE

    async def _after(self, module: Module, field: str, since: datetime, purpose: str) -> AsyncIterator[list[str]]:
        rule = {"attribute": field, "operator": "is_after", "value": since.isoformat()}
        number = 1
        while True:
            answer = await self._api.request(
                "POST",
                f"/filtered_search/{module.singular}",
                purpose=purpose,
                params={"page": str(number), "per_page": str(PER_PAGE), "sort": "id", "sort_type": "asc"},
                content=msgspec.json.encode({"filter_rule": [rule]}),
                headers=JSON,
            )
            body = answer.decode(wire.OBJECT)
            rows = rows_of(body, module)
            yield [str(row["id"]) for row in rows]
            if len(rows) < PER_PAGE:
                return
            number += 1

    async def _binned(self, module: Module, since: datetime) -> AsyncIterator[list[str]]:
        """Newest first, so that a bin of years costs one call."""
        view = (await self._metadata.views(module)).get("Recycle Bin")
        number = 1
        while view is not None:
            params = {"page": str(number), "per_page": str(PER_PAGE), "sort": "updated_at", "sort_type": "desc"}
            path = f"{module.path}/view/{view}"
            answer = await self._api.request("GET", path, purpose=f"changes {module.name}", params=params)
            body = answer.decode(wire.OBJECT)
            rows = rows_of(body, module)
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
            return sum([await self._total(module, view) for view in await self._views(module)])
        checked_name(filled)
        field = next((one for one in await self._metadata.fields(module) if one.name == filled), None)
        if field is None:
            raise ContractBroken(f"{module.name} has no field {filled}", code="NO_FIELD")
        if filled == "external_id" or (field.is_custom and field.type in _TEXT_TYPES):
            return await self._containing(module, filled)
        return await self._scanned(module, filled)

    async def _views(self, module: Module) -> list[str]:
        views = await self._metadata.whole_views(module)
        if not views:
            raise ContractBroken(f"no saved view of the account holds all {module.name}", code="NO_VIEW")
        return views

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
        for view in await self._views(module):
            at, pages = 1, 1
            while at <= pages:
                _, rows, pages = await self._reader.page(module, view, at)
                number += sum(any(values_in(row, field)) for row in rows)
                at += 1
        return number


def _shows(row: Row, field: str) -> bool:
    if field.startswith("cf_"):
        return isinstance(row.get("custom_field"), dict)
    return field in row or (field == "email" and "emails" in row)


def values_in(row: Row, field: str) -> list[str]:
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
