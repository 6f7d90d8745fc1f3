"""Quotes: with a key and without, by rules and by an operator, until they expire."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.domain.ids import encode_id
from app.models.columns import new_id
from app.rates import Policy
from app.runtime import Runtime
from tests.api.conftest import Client, MakeClient
from tests.api.problem_kit import problem
from tests.clock import FakeClock

ASKED: dict[str, Any] = {
    "category": "crm",
    "source": "servicetracker",
    "destination": "zoho_crm",
    "destination_edition": "enterprise",
    "counts": {"Client": 1200, "Work Order": 9800},
    "options": {"rehearsal": 1},
}
LARGE = ASKED | {"counts": {"Work Order": 2_000_001}}


async def ask(http: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": uuid4().hex}
    return await http.post("/v1/quotes", json=ASKED | changes, headers=headers)


class TestCreate:
    async def test_with_a_key(self, owner: Client) -> None:
        response = await owner.post("/v1/quotes", json=ASKED)
        quote = response.json()
        assert response.status_code == 201, response.text
        assert response.headers["location"] == f"/v1/quotes/{quote['id']}"
        assert quote["state"] == "priced"
        assert quote["amount_minor"] == sum(line["amount_minor"] for line in quote["lines"])
        assert len(quote["complexity"]["factors"]) == 5
        assert quote["records"] == 11_000
        assert quote["timeline"]["min_hours"] < quote["timeline"]["max_hours"]
        assert quote["valid_until"] > quote["created_at"]
        events = (await owner.get("/v1/events")).json()["data"]
        assert [(each["type"], each["data"]) for each in events] == [
            ("quote.created", {"quote_id": quote["id"], "state": "priced"})
        ]

    async def test_equal_requests_have_equal_fingerprints(self, owner: Client) -> None:
        first, second = [(await owner.post("/v1/quotes", json=ASKED)).json() for _ in range(2)]
        assert first["id"] != second["id"]
        assert first["fingerprint"] == second["fingerprint"]
        other = (await owner.post("/v1/quotes", json=ASKED | {"options": {}})).json()
        assert other["fingerprint"] != first["fingerprint"]

    async def test_records_do_not_change_the_price(self, owner: Client) -> None:
        few = (await owner.post("/v1/quotes", json=ASKED | {"counts": {"Client": 10}})).json()
        more = (await owner.post("/v1/quotes", json=ASKED | {"counts": {"Client": 90_000}})).json()
        assert few["amount_minor"] == more["amount_minor"] is not None

    async def test_over_two_million_records_wait_for_an_operator(self, owner: Client) -> None:
        quote = (await owner.post("/v1/quotes", json=LARGE)).json()
        assert (quote["state"], quote["amount_minor"], quote["lines"]) == ("needs_review", None, [])
        assert "2,000,000" in quote["review_reason"]

    async def test_without_a_key(self, http: httpx.AsyncClient) -> None:
        response = await ask(http)
        assert response.status_code == 201
        assert (await http.get(response.headers["location"])).json() == response.json()

    async def test_without_a_key_under_a_limit(
        self, http: httpx.AsyncClient, owner: Client, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
    ) -> None:
        clock.advance(days=1)
        monkeypatch.setattr("app.quotes.router.ADDRESS_POLICY", Policy("address", 2, 60))
        assert [(await ask(http)).status_code for _ in range(3)] == [201, 201, 429]
        assert (await owner.post("/v1/quotes", json=ASKED)).status_code == 201

    async def test_limit_per_origin(
        self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
    ) -> None:
        clock.advance(days=2)
        monkeypatch.setattr("app.quotes.router.ORIGIN_POLICY", Policy("origin", 1, 60))
        for origin, status in (("https://a.test", 201), ("https://a.test", 429), ("https://b.test", 201)):
            headers = {"Idempotency-Key": uuid4().hex, "Origin": origin}
            assert (await http.post("/v1/quotes", json=ASKED, headers=headers)).status_code == status

    async def test_a_wrong_key_is_not_taken_for_none(self, http: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": uuid4().hex, "Authorization": "Bearer nonsense"}
        problem(await http.post("/v1/quotes", json=ASKED, headers=headers), 401, "unauthenticated")

    async def test_403(self, make_client: MakeClient) -> None:
        viewer, widget = await make_client(role="viewer"), await make_client(role="widget")
        problem(await viewer.post("/v1/quotes", json=ASKED), 403, "forbidden")
        assert (await widget.post("/v1/quotes", json=ASKED)).status_code == 201

    async def test_repeated(self, http: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": uuid4().hex}
        first, again = [await http.post("/v1/quotes", json=ASKED, headers=headers) for _ in range(2)]
        assert first.json() == again.json()
        assert again.headers["idempotency-replayed"] == "true"
        problem(await http.post("/v1/quotes", json=ASKED), 400, "idempotency-key-missing")

    @pytest.mark.parametrize(
        ("change", "status", "code", "pointer"),
        [
            ({"source": "abacus"}, 422, "unknown-platform", "/source"),
            ({"destination": "abacus"}, 422, "unknown-platform", "/destination"),
            ({"destination_edition": "gold"}, 422, "invalid", "/destination_edition"),
            ({"category": "garden"}, 422, "invalid", "/category"),
            ({"options": {"gold": 1}}, 422, "invalid", "/options"),
            ({"options": {"rehearsal": 2}}, 422, "invalid", "/options"),
            ({"counts": {"Client": -1}}, 422, "invalid", "/counts/Client"),
            ({"counts": {"Client": 1.5}}, 422, "invalid", "/counts/Client"),
            ({"counts": {"x" * 101: 1}}, 422, "invalid", None),
            ({"price": 1}, 422, "invalid", "/price"),
        ],
    )
    async def test_422(
        self, owner: Client, change: dict[str, Any], status: int, code: str, pointer: str | None
    ) -> None:
        body = problem(await owner.post("/v1/quotes", json=ASKED | change), status, code)
        if pointer is not None:
            assert body["errors"][0]["pointer"] == pointer

    async def test_pair_that_is_not_offered(self, owner: Client) -> None:
        turned = ASKED | {"source": "zoho_crm", "destination": "servicetracker", "destination_edition": ""}
        problem(await owner.post("/v1/quotes", json=turned), 404, "unknown-pair")


class TestGet:
    async def test_foreign_quote_is_unknown(self, owner: Client, stranger: Client, http: httpx.AsyncClient) -> None:
        path = (await owner.post("/v1/quotes", json=ASKED)).headers["location"]
        assert (await owner.get(path)).status_code == 200
        problem(await stranger.get(path), 404, "not-found")
        problem(await http.get(path), 404, "not-found")

    async def test_404(self, owner: Client) -> None:
        problem(await owner.get(f"/v1/quotes/{encode_id('quote', new_id())}"), 404, "not-found")

    async def test_expires(self, owner: Client, clock: FakeClock) -> None:
        path = (await owner.post("/v1/quotes", json=ASKED)).headers["location"]
        clock.advance(days=29, hours=23)
        assert (await owner.get(path)).json()["state"] == "priced"
        clock.advance(hours=1)
        assert (await owner.get(path)).json()["state"] == "expired"


class TestReview:
    PRICE = {"amount_minor": 1_250_000, "note": "Two weekends."}

    async def test_happy(self, owner: Client, clock: FakeClock) -> None:
        path = (await owner.post("/v1/quotes", json=LARGE)).headers["location"]
        clock.advance(days=2)
        response = await owner.post(f"{path}/review", json=self.PRICE)
        quote = response.json()
        assert response.status_code == 200, response.text
        assert (quote["state"], quote["amount_minor"], quote["note"]) == ("priced", 1_250_000, "Two weekends.")
        clock.advance(days=29)
        assert (await owner.get(path)).json()["state"] == "priced"

    async def test_401(self, http: httpx.AsyncClient) -> None:
        path = f"/v1/quotes/{encode_id('quote', UUID(int=1))}/review"
        problem(await http.post(path, json=self.PRICE), 401, "unauthenticated")

    async def test_403(self, make_client: MakeClient) -> None:
        path = f"/v1/quotes/{encode_id('quote', UUID(int=1))}/review"
        for role in ("viewer", "widget"):
            client = await make_client(role=role)
            problem(await client.post(path, json=self.PRICE), 403, "forbidden")

    async def test_404(self, owner: Client, stranger: Client) -> None:
        path = (await owner.post("/v1/quotes", json=LARGE)).headers["location"]
        problem(await stranger.post(f"{path}/review", json=self.PRICE), 404, "not-found")

    async def test_409(self, owner: Client) -> None:
        path = (await owner.post("/v1/quotes", json=ASKED)).headers["location"]
        problem(await owner.post(f"{path}/review", json=self.PRICE), 409, "quote-not-under-review")

    async def test_422(self, owner: Client) -> None:
        path = (await owner.post("/v1/quotes", json=LARGE)).headers["location"]
        for wrong in ({}, {"amount_minor": -1}, {"amount_minor": "12.50"}, {"amount_minor": 10**13}):
            problem(await owner.post(f"{path}/review", json=wrong), 422, "invalid")


async def test_raw_sql_of_another_tenant_finds_no_quote(owner: Client, stranger: Client, runtime: Runtime) -> None:
    await owner.post("/v1/quotes", json=ASKED)
    for tenant, sees in ((owner.tenant_id, 1), (stranger.tenant_id, 0)):
        async with runtime.db.connection(tenant) as connection:
            count = await connection.fetchval("SELECT count(*) FROM quotes WHERE tenant_id = $1", owner.tenant_id)
        assert count == sees
