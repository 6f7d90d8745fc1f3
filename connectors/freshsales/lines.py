"""Products with their prices, and product lines of deals (Freshsales fact sheet sections 5 and 6)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors.answers import Answer
from connectors.base import WriteResult, WriteStatus
from connectors.errors import Ambiguous, BatchRefused, QuotaExhausted, Transient
from connectors.freshsales import wire
from connectors.freshsales.bodies import flat_body, flat_row, merged_custom, payloads_of
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import DEALS, PRODUCTS
from connectors.freshsales.naming import UnknownName, as_id
from connectors.freshsales.reading import JSON, PER_PAGE, Reader, is_id, part
from connectors.freshsales.verdicts import REFUSED, accepted, gone, missing, refused, unknown_name
from connectors.freshsales.writing import Shape, shape_of
from connectors.http import ApiClient

_PRICE = ("unit_price", "currency_code")
_LINE = ("unit_price", "setup_fee", "billing_type", "billing_cycle", "quantity", "discount", "discount_type")
_PERCENT = 1
Row = dict[str, Any]


class Products:
    """Catalogue calls of one account; a plan without a catalogue refuses them."""

    def __init__(self, api: ApiClient, metadata: Metadata, reader: Reader) -> None:
        self._api = api
        self._metadata = metadata
        self._reader = reader
        self._prices_on_create = True

    async def write(self, records: Sequence[bytes]) -> list[WriteResult]:
        """Creates each; the price goes along where the account takes it so, else it costs a second call."""
        shape = await shape_of(self._metadata, PRODUCTS)
        results: list[WriteResult] = []
        for payload in payloads_of(records):
            try:
                results.append(await self._create(payload, shape))
            except (Transient, QuotaExhausted, BatchRefused) as error:
                if any(one.status is not WriteStatus.REFUSED for one in results):
                    raise Ambiguous(f"stopped within a batch: {error.detail}", code="BATCH_STOPPED") from error
                raise
        return results

    async def update(self, records: Sequence[bytes]) -> list[WriteResult]:
        shape = await shape_of(self._metadata, PRODUCTS)
        results = []
        for payload in payloads_of(records):
            identifier = str(payload.get("id"))
            results.append(await self._change(identifier, payload, shape) if is_id(identifier) else missing(identifier))
        return results

    async def _create(self, payload: Mapping[str, Any], shape: Shape) -> WriteResult:
        try:
            body = flat_body(PRODUCTS, _without_price(payload), shape.names, shape.lookups)
        except UnknownName as error:
            return unknown_name(error.field)
        prices = await self._prices(payload)
        if prices and self._prices_on_create:
            body |= prices
        answer = await self._send("POST", PRODUCTS.path, body, "write products")
        if answer.status in REFUSED:
            return refused(answer, shape.labels)
        result = accepted(answer, PRODUCTS.singular, WriteStatus.CREATED)
        if prices and not _priced(answer):
            self._prices_on_create = False
            priced = await self._send("PUT", f"{PRODUCTS.path}/{result.id}", prices, "price products")
            if priced.status in REFUSED:
                return refused(priced, shape.labels)._replace(duplicate_id=result.id)
        return result

    async def _change(self, identifier: str, payload: Mapping[str, Any], shape: Shape) -> WriteResult:
        try:
            body = flat_body(PRODUCTS, _without_price(payload), shape.names, shape.lookups)
        except UnknownName as error:
            return unknown_name(error.field)._replace(id=identifier)
        custom = body.get("custom_field")
        if isinstance(custom, dict) and not shape.custom <= custom.keys():
            row = (await self._reader.rows(PRODUCTS, [identifier])).get(identifier)
            if row is None:
                return missing(identifier)
            body["custom_field"] = merged_custom(row.get("custom_field") or {}, custom)
        body |= await self._prices(payload)
        answer = await self._send("PUT", f"{PRODUCTS.path}/{part(identifier)}", body, "update products")
        if answer.status in REFUSED:
            return refused(answer, shape.labels)._replace(id=identifier)
        return accepted(answer, PRODUCTS.singular, WriteStatus.UPDATED)

    async def _prices(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A price is a row per currency; without a currency it is the account's base one."""
        if payload.get("unit_price") is None:
            return {}
        code = payload.get("currency_code")
        if code is None:
            rows = await self._metadata.selector("currencies")
            code = next((row.currency_code or row.name for row in rows), "USD")
        return {
            "pricing_type": 1,
            "product_pricings": [{"currency_code": code, "unit_price": payload["unit_price"]}],
        }

    async def _send(self, method: str, path: str, body: Any, purpose: str) -> Answer:
        return await self._api.request(
            method,
            path,
            purpose=purpose,
            writing=True,
            idempotent=method == "PUT",
            params={"include": "product_pricings"},
            content=msgspec.json.encode({PRODUCTS.singular: body}),
            headers=JSON,
            accept=REFUSED,
        )

    async def fetch(self, ids: Sequence[str]) -> dict[str, Row]:
        """Products by id with their first price, one call each."""
        shape = await shape_of(self._metadata, PRODUCTS)
        rows = await self._reader.rows(PRODUCTS, ids, ["product_pricings"])
        found = {}
        for key, row in rows.items():
            flat = flat_row(PRODUCTS, row, shape.names)
            prices = row.get("product_pricings")
            if isinstance(prices, list) and prices and isinstance(prices[0], dict):
                flat |= {name: prices[0].get(name) for name in _PRICE}
            found[key] = flat
        return found

    async def count(self, filled: str | None = None) -> int:
        """Products, or those in which the custom field `filled` is not blank: no search tells that, so all are read."""
        if filled is not None:
            return await self._filled(filled)
        params = {"page": "1", "per_page": "1"}
        answer = await self._api.request("GET", PRODUCTS.path, purpose="count products", params=params)
        return answer.decode(wire.COUNTED).meta.total or 0

    async def _filled(self, field: str) -> int:
        found, number, more = 0, 1, True
        while more:
            params = {"page": str(number), "per_page": str(PER_PAGE)}
            answer = await self._api.request("GET", PRODUCTS.path, purpose="count products", params=params)
            listed = answer.decode(wire.OBJECT).get("products")
            rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
            found += sum(1 for row in rows if (row.get("custom_field") or {}).get(field) not in (None, ""))
            number, more = number + 1, len(rows) == PER_PAGE
        return found


class DealLines:
    """Product lines: a deal's lines are written as a whole, so each batch merges its own with those that stand there.

    A repeated PUT ends in the same state; a lost answer is therefore cleared up by sending it again.
    """

    def __init__(self, api: ApiClient, reader: Reader) -> None:
        self._api = api
        self._reader = reader
        self._locks: dict[str, asyncio.Lock] = {}

    async def write(self, records: Sequence[bytes]) -> list[WriteResult]:
        """One PUT per deal of the batch; results in batch order. Line ids are `<deal>.<line>`."""
        payloads = payloads_of(records)
        results: list[WriteResult | None] = [None] * len(payloads)
        by_deal: dict[str, list[int]] = {}
        for place, payload in enumerate(payloads):
            deal, product = _ref(payload.get("deal_id")), _ref(payload.get("product_id"))
            if not is_id(deal) or not is_id(product):
                field = "product_id" if is_id(deal) else "deal_id"
                results[place] = WriteResult(WriteStatus.REFUSED, code="MANDATORY_NOT_FOUND", field=field)
            else:
                by_deal.setdefault(deal, []).append(place)
        stored = False
        async with _Locks(self._locks, sorted(by_deal)):
            standing = await self._standing(list(by_deal))
            for deal, places in by_deal.items():
                try:
                    made = await self._add(deal, standing.get(deal), [payloads[place] for place in places])
                except (Transient, QuotaExhausted) as error:
                    if stored:
                        raise Ambiguous(f"stopped within a batch: {error.detail}", code="BATCH_STOPPED") from error
                    raise
                stored = stored or made[0].status is not WriteStatus.REFUSED
                for place, result in zip(places, made, strict=True):
                    results[place] = result
        return [result for result in results if result is not None]

    async def _standing(self, deals: list[str]) -> dict[str, list[Row]]:
        rows = await self._reader.rows(DEALS, deals, ["products"])
        return {key: _lines_in(row) for key, row in rows.items()}

    async def _add(self, deal: str, standing: list[Row] | None, payloads: list[Row]) -> list[WriteResult]:
        if standing is None:
            return [WriteResult(WriteStatus.REFUSED, code="NOT_FOUND", field="deal_id")] * len(payloads)
        lines = [_kept(row) for row in standing] + [_line(payload) for payload in payloads]
        answer = await self._put(deal, lines)
        if answer.status in REFUSED:
            return [refused(answer, {})] * len(payloads)
        known = {str(row.get("association_id")) for row in standing}
        fresh = [row for row in _lines_of(answer) if str(row.get("association_id")) not in known]
        if len(fresh) != len(payloads):
            raise answer.unreadable(f"{len(fresh)} new lines for {len(payloads)}")
        return [WriteResult(WriteStatus.CREATED, f"{deal}.{row.get('association_id')}") for row in fresh]

    async def _put(self, deal: str, lines: list[Row]) -> Answer:
        return await self._api.request(
            "PUT",
            f"{DEALS.path}/{deal}",
            purpose="write deal_products",
            writing=True,
            idempotent=True,
            params={"include": "products"},
            content=msgspec.json.encode({DEALS.singular: {"products": lines}}),
            headers=JSON,
            accept=REFUSED,
        )

    async def children(self, deals: Sequence[str]) -> dict[str, list[Row]]:
        """The lines of deals, flat; a write under way is waited for, so that its lines are seen with their answer."""
        wanted = [one for one in dict.fromkeys(deals) if is_id(one)]
        async with _Locks(self._locks, sorted(wanted)):
            standing = await self._standing(wanted)
        return {deal: [flat_line(deal, row) for row in standing.get(deal, [])] for deal in deals}

    async def fetch(self, ids: Sequence[str]) -> dict[str, Row]:
        found = await self.children(list(dict.fromkeys(one.partition(".")[0] for one in ids)))
        rows = {row["id"]: row for lines in found.values() for row in lines}
        return {one: rows[one] for one in ids if one in rows}

    async def update(self, records: Sequence[bytes]) -> list[WriteResult]:
        """Changes lines that carry their `id`."""
        changes = {str(one["id"]): one for one in payloads_of(records)}

        def changed(key: str, row: Row) -> Row:
            line = _line(changes[key], row)
            return _kept({**row, **line, "product_id": line["id"]})

        ended = await self._rewrite(list(changes), changed)
        return [ended.get(key) or missing(key) for key in changes]

    async def delete(self, ids: Sequence[str]) -> list[WriteResult]:
        """Takes lines out of their deals: the others are written again."""
        ended = await self._rewrite(ids, lambda _key, _row: None)
        return [ended.get(one) or gone(one) for one in ids]

    async def _rewrite(self, ids: Sequence[str], change: Any) -> dict[str, WriteResult]:
        """What became of each line that stands there; a refused deal refuses all its lines."""
        ended: dict[str, WriteResult] = {}
        deals = sorted({deal for one in ids if is_id(deal := one.partition(".")[0])})
        wanted = set(ids)
        async with _Locks(self._locks, deals):
            for deal, rows in (await self._standing(deals)).items():
                keys = [f"{deal}.{row.get('association_id')}" for row in rows]
                ours = [key for key in keys if key in wanted]
                if not ours:
                    continue
                pairs = zip(keys, rows, strict=True)
                kept = [change(key, row) if key in wanted else _kept(row) for key, row in pairs]
                answer = await self._put(deal, [row for row in kept if row is not None])
                no = refused(answer, {}) if answer.status in REFUSED else None
                ended |= {key: no._replace(id=key) if no else gone(key) for key in ours}
        return ended


class _Locks:
    """Holds a lock per deal, taken in one order so that two batches never wait for each other."""

    def __init__(self, locks: dict[str, asyncio.Lock], names: Sequence[str]) -> None:
        self._locks = [locks.setdefault(name, asyncio.Lock()) for name in names]

    async def __aenter__(self) -> None:
        for place, lock in enumerate(self._locks):
            try:
                await lock.acquire()
            except BaseException:
                for held in self._locks[:place]:
                    held.release()
                raise

    async def __aexit__(self, *_: object) -> None:
        for lock in self._locks:
            lock.release()


def _ref(value: Any) -> str:
    return str(as_id(value)) if value is not None else ""


def _without_price(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in _PRICE}


def _priced(answer: Answer) -> bool:
    row = answer.decode(wire.OBJECT).get(PRODUCTS.singular)
    return isinstance(row, dict) and bool(row.get("product_pricings"))


def _line(payload: Mapping[str, Any], standing: Mapping[str, Any] | None = None) -> Row:
    """A line as the body takes it; `id` is the product's."""
    line = {name: payload[name] for name in _LINE if payload.get(name) is not None}
    product = payload.get("product_id", (standing or {}).get("product_id"))
    line["id"] = as_id(product)
    if "discount" in line:
        line.setdefault("discount_type", _PERCENT)
    return line


def _kept(row: Mapping[str, Any]) -> Row:
    """A standing line, sent again as it is."""
    line = {name: row[name] for name in _LINE if row.get(name) is not None}
    return line | {"id": row.get("product_id", row.get("id")), "association_id": row.get("association_id")}


def _lines_in(row: Mapping[str, Any]) -> list[Row]:
    listed = row.get("products")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _lines_of(answer: Answer) -> list[Row]:
    body = answer.decode(wire.OBJECT)
    deal = body.get(DEALS.singular)
    lines = _lines_in(deal) if isinstance(deal, dict) else []
    return lines or _lines_in(body)


def flat_line(deal: str, row: Mapping[str, Any]) -> Row:
    """A line as the flat record that was written."""
    product = row.get("product_id", row.get("id"))
    return {**row, "id": f"{deal}.{row.get('association_id')}", "deal_id": deal, "product_id": str(product)}
