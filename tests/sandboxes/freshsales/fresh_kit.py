"""A Freshsales sandbox called over ASGI with its key, and a clock that tests can move."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import httpx

from connectors.freshsales.sandbox import create_app
from connectors.sandboxkit.config import SandboxConfig
from tests.clock import FakeClock
from tests.sandboxes.caller import Caller

Json: TypeAlias = dict[str, Any]
API = "/crm/sales/api"


class Fresh(Caller):
    """A small client: paths below the API's prefix, JSON in and out."""

    prefix = API

    async def good(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of an answer that must be a success."""
        answer = await self.call(method, path, body, **more)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> Any:
        """The message of a refusal, after a look at its envelope (section 15)."""
        answer = await self.call(method, path, body)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        errors = answer.json()["errors"]
        if "code" in errors:
            assert errors["code"] == status
        return errors["message"]

    async def make(self, plural: str, **values: Any) -> Json:
        """A new record in the wrapped form; its body."""
        singular = {"sales_activities": "sales_activity"}.get(plural, plural.removesuffix("s"))
        found: Json = (await self.good("POST", plural, {singular: values}))[singular]
        return found

    async def account(self, name: str = "Acme", **values: Any) -> int:
        return int((await self.make("sales_accounts", name=name, **values))["id"])

    async def contact(self, **values: Any) -> int:
        return int((await self.make("contacts", **(values or {"last_name": "Doe"})))["id"])

    async def deal(self, name: str = "Roof", amount: Any = 100, **values: Any) -> int:
        return int((await self.make("deals", name=name, amount=amount, **values))["id"])

    async def selector(self, name: str) -> dict[str, Json]:
        """Rows of a selector by name."""
        answer = await self.good("GET", f"selector/{name}")
        (rows,) = answer.values()
        return {row.get("name") or row["display_name"]: row for row in rows}

    async def view_id(self, path: str, name: str) -> int:
        rows = (await self.good("GET", f"{path}/filters"))["filters"]
        return next(int(row["id"]) for row in rows if row["name"] == name)

    async def view(self, path: str, name: str, query: str = "") -> Json:
        found: Json = await self.good("GET", f"{path}/view/{await self.view_id(path, name)}?{query}")
        return found

    async def admin(self, action: str, **more: Any) -> int:
        return int((await self.good("POST", "/_sandbox/admin", {"action": action, **more}))["id"])

    async def field(self, module: str, label: str, type: str = "text", **more: Any) -> str:
        """A custom field made by the administrator; its name."""
        made = await self.admin("create_field", module=module, label=label, type=type, **more)
        plural = f"{module}s" if module != "sales_activity" else "sales_activities"
        rows = (await self.good("GET", f"settings/{plural}/fields"))["fields"]
        return next(str(row["name"]) for row in rows if row["id"] == made)

    async def stats(self) -> Json:
        found: Json = await self.good("GET", "/_sandbox/stats")
        return found


Start: TypeAlias = Callable[..., Any]


@asynccontextmanager
async def running(clock: FakeClock, **config: Any) -> AsyncIterator[Fresh]:
    """A sandbox with its lifespan open and a client that sends the key."""
    app = create_app(SandboxConfig(clock=clock, **config))
    headers = {"Authorization": "Token token=sandbox-key"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://fresh.test", headers=headers) as client,
    ):
        yield Fresh(client, clock)
