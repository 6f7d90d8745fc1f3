"""The Zoho CRM connector: one object per connection, delegating to records, files, metadata and provisioning."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from app.domain.schema import Inventory, ObjectSpec
from connectors.answers import Answer
from connectors.base import ChangeResult, ConnectionContext, FileStream, Found, SchemaChange, WriteResult, WriteTarget
from connectors.errors import CredentialsRejected
from connectors.http import ApiClient, Sleep
from connectors.throttle import AccountThrottle, Unlimited
from connectors.zoho_crm.auth import ERRORS, TOKEN_ERRORS, ZohoAuth
from connectors.zoho_crm.changes import CLOSED, Changes
from connectors.zoho_crm.files import Attachments
from connectors.zoho_crm.metadata import Metadata, org_facts, user_specs
from connectors.zoho_crm.provisioning import Provisioner
from connectors.zoho_crm.records import Records
from connectors.zoho_crm.settings import ZohoCredentials, read_config, secret_texts

_CHECKED_MODULES = ("Accounts", "Contacts", "Deals", "Products")


class ZohoDestination:
    """Implements `base.Destination`. `transport` and `sleep` are replaced in tests."""

    def __init__(
        self, context: ConnectionContext, *, transport: Any = None, sleep: Sleep = asyncio.sleep, retries: int = 4
    ) -> None:
        if not isinstance(context.credentials, ZohoCredentials):
            raise CredentialsRejected("these are not credentials of a Zoho CRM org")
        config = read_config(context.config)
        api_url, accounts_url, _ = config.urls()
        shared: dict[str, Any] = {
            "meter": context.meter,
            "timeout": config.call_timeout,
            "guard": context.config.get("guard"),
            "transport": transport,
            "sleep": sleep,
            "retries": retries,
            "secrets": secret_texts(context.credentials),
        }
        self._context = context
        self._remaining: int | None = None
        self._endpoint = ApiClient(accounts_url, throttle=Unlimited(), errors=TOKEN_ERRORS, **shared)
        self._api = ApiClient(
            api_url,
            throttle=context.throttle,
            errors=ERRORS,
            auth=ZohoAuth(context.credentials, self._endpoint, context.tokens, context.clock),
            on_answer=self._note_credits,
            **shared,
        )
        self._records = Records(self._api)
        self._changes = Changes(self._api, self._records)
        self._files = Attachments(self._api, config.upload_timeout)
        self._metadata = Metadata(self._api)
        self._provisioner = Provisioner(self._api, self._metadata)

    async def check(self) -> dict[str, JsonValue]:
        """Facts of the org: edition, users, credits, features and free unique fields of the main modules."""
        found = await self._metadata.org()
        users = await self._metadata.users()
        slots = await self._metadata.slots(_CHECKED_MODULES)
        facts = org_facts(found)
        facts["users_active"] = sum(user.status == "active" for user in users)
        facts["features"] = _features(await self._metadata.features())
        facts["unique_slots_left"] = {module: left["unique"] for module, left in slots.items()}
        facts["credits_remaining"] = self._remaining
        return facts

    async def describe(self) -> Inventory:
        """Modules with fields, stages, users; facts also hold free unique and custom fields per module."""
        found = await self._metadata.org()
        modules = await self._metadata.described()
        objects = await self._metadata.objects(modules)
        slots = await self._metadata.slots([module.api_name for module in modules])
        facts = org_facts(found)
        facts["features"] = _features(await self._metadata.features())
        facts["unique_slots_left"] = {module: left["unique"] for module, left in slots.items()}
        facts["custom_fields_left"] = {module: left["custom"] for module, left in slots.items() if "custom" in left}
        facts["credits_remaining"] = self._remaining
        return Inventory(
            platform="zoho_crm",
            taken_at=self._context.clock(),
            account=found.org.zgid or found.org.id,
            edition=found.edition,
            objects=tuple(objects),
            users=user_specs(await self._metadata.users()),
            stages=await self._metadata.stages(),
            facts=facts,
        )

    async def describe_object(self, object_name: str) -> ObjectSpec | None:
        """Three calls."""
        self._metadata.forget()
        self._metadata.forget(object_name)
        modules = [one for one in await self._metadata.described() if one.api_name == object_name]
        return (await self._metadata.objects(modules))[0] if modules else None

    async def count(self, object_name: str, filled: str | None = None) -> int:
        return await self._records.count(object_name, filled)

    async def write(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        return await self._records.write(target, records)

    async def update(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        return await self._records.update(target, records)

    async def find(self, object_name: str, field_name: str, values: Sequence[str]) -> dict[str, list[Found]]:
        return await self._records.find(object_name, field_name, values)

    async def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        return await self._records.fetch(object_name, ids, fields)

    async def children(self, object_name: str, parent_object: str, parent_id: str) -> list[dict[str, Any]]:
        return await self._records.children(object_name, parent_object, parent_id)

    async def children_of(
        self, object_name: str, parent_object: str, parent_ids: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        return {one: await self.children(object_name, parent_object, one) for one in dict.fromkeys(parent_ids)}

    async def file_digest(self, parent_object: str, parent_id: str, file_id: str) -> str | None:
        return await self._files.digest(parent_object, parent_id, file_id)

    async def attach(self, parent_object: str, parent_id: str, stream: FileStream) -> WriteResult:
        return await self._files.attach(parent_object, parent_id, stream)

    async def attach_link(self, parent_object: str, parent_id: str, name: str, url: str) -> WriteResult:
        return await self._files.attach_link(parent_object, parent_id, name, url)

    async def delete(
        self, object_name: str, ids: Sequence[str], *, parent_object: str = "", parent_id: str = ""
    ) -> list[WriteResult]:
        return await self._records.delete(object_name, ids, parent_object, parent_id)

    async def provision(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        return (await self._provisioner.apply([change], names))[0]

    async def provision_many(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        """Several changes in order, with fields of one module sharing calls; each result as `provision` gives it."""
        return await self._provisioner.apply(changes, names)

    async def reassign(self, object_name: str, ids: Sequence[str], user_id: str) -> list[WriteResult]:
        return await self._records.reassign(object_name, ids, user_id)

    async def changed_since(self, object_name: str, since: datetime) -> AsyncIterator[Sequence[str]] | None:
        """None for notes and attachments, which no query reads."""
        return None if object_name in CLOSED else self._changes.since(object_name, since)

    async def created_since(
        self, object_name: str, since: datetime, *, blank: str
    ) -> AsyncIterator[Sequence[str]] | None:
        """None as for `changed_since`."""
        return None if object_name in CLOSED else self._changes.created(object_name, since, blank)

    async def close(self) -> None:
        await self._api.close()
        await self._endpoint.close()

    def _note_credits(self, answer: Answer) -> None:
        """Zoho names the credits left once half of the day's are used (section 4)."""
        text = answer.headers.get("x-api-credits-remaining", "")
        if not text.isdigit() or len(text) > 12:
            return
        self._remaining = int(text)
        if isinstance(self._context.throttle, AccountThrottle):
            self._context.throttle.observe_remaining(self._remaining)


def _features(found: Mapping[str, tuple[int, int]]) -> dict[str, JsonValue]:
    return {name: {"limit": limit, "used": used} for name, (limit, used) in found.items()}
