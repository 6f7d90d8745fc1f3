"""Pages of a list: stable while rows come, and cursors of that list alone."""

import pytest

from tests.api.conftest import Client
from tests.api.problem_kit import problem
from tests.clock import FakeClock


class TestLists:
    async def test_pages_are_stable_while_rows_come(self, owner: Client, clock: FakeClock) -> None:
        for number in range(7):
            if number % 3 == 0:
                clock.advance(seconds=1)
            await owner.post("/v1/keys", json={"name": str(number)})
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = "?limit=3" + (f"&cursor={cursor}" if cursor else "")
            page = (await owner.get(f"/v1/keys{query}")).json()
            assert page["object"] == "list"
            assert page["has_more"] == (page["next_cursor"] is not None)
            seen += [each["name"] for each in page["data"]]
            if not page["has_more"]:
                break
            cursor = page["next_cursor"]
            clock.advance(seconds=1)
            await owner.post("/v1/keys", json={"name": "late"})
        assert seen == ["6", "5", "4", "3", "2", "1", "0", "test"]

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "a" * 999, ""])
    async def test_foreign_cursor(self, owner: Client, cursor: str) -> None:
        response = await owner.get("/v1/keys", params={"cursor": cursor})
        problem(response, 422, "invalid")

    async def test_cursor_of_another_list(self, owner: Client) -> None:
        for name in ("a", "b"):
            await owner.post("/v1/keys", json={"name": name})
        cursor = (await owner.get("/v1/keys?limit=1")).json()["next_cursor"]
        assert (await owner.get("/v1/keys", params={"cursor": cursor})).status_code == 200
        problem(await owner.get("/v1/webhook_endpoints", params={"cursor": cursor}), 422, "invalid")
