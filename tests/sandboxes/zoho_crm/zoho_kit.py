"""A sandbox called over ASGI with a token, and a clock that tests can move."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import httpx

from connectors.sandboxkit.config import SandboxConfig
from connectors.zoho_crm.sandbox import create_app
from tests.clock import FakeClock
from tests.sandboxes.caller import Caller

Json: TypeAlias = dict[str, Any]
REFRESH = {
    "grant_type": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh",
}


class Zoho(Caller):
    """A small client: paths below `/crm/v8/`, JSON in and out."""

    prefix = "/crm/v8"

    async def create(self, module: str, *items: Json, **more: Any) -> list[str]:
        """Inserts records that must all succeed; answers their ids."""
        answer = await self.post(module, {"data": list(items), "trigger": []}, **more)
        assert answer.status_code == 201, answer.text
        return [result["details"]["id"] for result in answer.json()["data"]]

    async def refused(self, module: str, item: Json) -> Json:
        """The one refusal of a single insert."""
        answer = await self.post(module, {"data": [item]})
        assert answer.status_code == 400, answer.text
        result: Json = answer.json()["data"][0]
        assert result["status"] == "error"
        return result

    async def record(self, module: str, record_id: str) -> Json:
        answer = await self.get(f"{module}/{record_id}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()["data"][0]
        return found

    async def add_field(self, module: str, label: str, data_type: str = "text", **more: Any) -> Json:
        """Creates a custom field and reads its metadata back."""
        body = {"fields": [{"field_label": label, "data_type": data_type, **more}]}
        answer = await self.post(f"settings/fields?module={module}", body)
        assert answer.status_code == 201, answer.text
        found = await self.get(f"settings/fields/{answer.json()['fields'][0]['details']['id']}?module={module}")
        shown: Json = found.json()["fields"][0]
        return shown

    async def add_module(self, plural: str, singular: str) -> str:
        profiles = (await self.get("settings/profiles")).json()["profiles"]
        item = {"plural_label": plural, "singular_label": singular, "profiles": [{"id": profiles[0]["id"]}]}
        answer = await self.post("settings/modules", {"modules": [item]})
        assert answer.status_code == 201, answer.text
        module_id: str = answer.json()["modules"][0]["details"]["id"]
        return module_id

    async def user(self, email: str) -> str:
        users = (await self.get("users?type=AllUsers")).json()["users"]
        return next(str(user["id"]) for user in users if user["email"] == email)

    async def renew(self) -> None:
        """Takes a new access token, as a client does after an hour."""
        answer = await self.client.post("/oauth/v2/token", data=REFRESH)
        self.client.headers["Authorization"] = f"Zoho-oauthtoken {answer.json()['access_token']}"

    async def coql(self, query: str) -> httpx.Response:
        return await self.post("coql", {"select_query": query})


Start: TypeAlias = Callable[..., Any]


@asynccontextmanager
async def running(clock: FakeClock, **config: Any) -> AsyncIterator[Zoho]:
    """A sandbox with its lifespan open and a client that holds a token."""
    app = create_app(SandboxConfig(clock=clock, **config))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://zoho.test") as client,
    ):
        answer = await client.post("/oauth/v2/token", data=REFRESH)
        client.headers["Authorization"] = f"Zoho-oauthtoken {answer.json().get('access_token')}"
        yield Zoho(client, clock)
