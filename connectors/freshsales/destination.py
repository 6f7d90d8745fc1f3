"""The Freshsales connector: one object per connection, delegating to records, activities, products, files, metadata."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from app.domain.schema import Inventory, ObjectSpec
from connectors.base import ChangeResult, ConnectionContext, FileStream, Found, SchemaChange, WriteResult, WriteTarget
from connectors.errors import ContractBroken, CredentialsRejected
from connectors.freshsales import modules
from connectors.freshsales.activities import Activities
from connectors.freshsales.budget import Budget
from connectors.freshsales.editions import EDITIONS, UNIQUE_FIELDS, edition_of
from connectors.freshsales.files import Documents
from connectors.freshsales.jobs import BulkJobs
from connectors.freshsales.lines import DealLines, Products
from connectors.freshsales.metadata import Metadata, user_specs
from connectors.freshsales.modules import DOCUMENTS, LINES, PARENTS, PRODUCTS, Module
from connectors.freshsales.provisioning import Provisioner
from connectors.freshsales.reading import Reader
from connectors.freshsales.refusals import KeyAuth, error_table
from connectors.freshsales.searching import Searcher
from connectors.freshsales.settings import FreshsalesCredentials, read_config
from connectors.freshsales.writing import Writer
from connectors.http import ApiClient, Sleep


class FreshsalesDestination:
    """Implements `base.Destination`. `transport` and `sleep` are replaced in tests."""

    def __init__(
        self, context: ConnectionContext, *, transport: Any = None, sleep: Sleep = asyncio.sleep, retries: int = 4
    ) -> None:
        if not isinstance(context.credentials, FreshsalesCredentials):
            raise CredentialsRejected("these are not credentials of a Freshsales account")
        config = read_config(context.config)
        key = context.credentials.api_key.get_secret_value()
        self._context = context
        self._config = config
        self._budget = Budget(context.throttle, context.clock)
        self._api = ApiClient(
            config.api_url(),
            throttle=context.throttle,
            meter=context.meter,
            errors=error_table(context.clock),
            auth=KeyAuth(key, context.tokens, context.clock),
            timeout=config.call_timeout,
            guard=context.config.get("guard"),
            transport=transport,
            sleep=sleep,
            retries=retries,
            secrets=(key,),
            on_answer=self._budget.note,
        )
        self._metadata = Metadata(self._api)
        self._reader = Reader(self._api, self._metadata)
        self._searcher = Searcher(self._api, self._metadata, self._reader)
        jobs = BulkJobs(self._api, sleep, config.job_poll_seconds, config.job_timeout)
        self._writer = Writer(self._api, self._metadata, self._reader, self._searcher, jobs, sleep)
        self._activities = Activities(self._api, self._metadata, self._reader)
        self._products = Products(self._api, self._metadata, self._reader)
        self._lines = DealLines(self._api, self._reader)
        self._files = Documents(self._api, config.upload_timeout)
        self._provisioner = Provisioner(self._api, self._metadata, sleep)

    # ── the account ───────────────────────────────────────────────────────────────────────────────────────────────

    async def check(self) -> dict[str, JsonValue]:
        """Facts of the account: plan, users, budget left. One call, two where users may not be listed."""
        users = await self._metadata.users_or_none()
        if users is None:
            await self._metadata.views(modules.CONTACTS)
        active = None if users is None else sum(user.is_active is not False for user in users)
        return self._facts(active)

    def _facts(self, users: int | None) -> dict[str, JsonValue]:
        slug = edition_of(self._budget.limit, self._config.edition)
        edition = EDITIONS.get(slug or "")
        facts: dict[str, JsonValue] = dict(edition.facts) if edition else {}
        facts |= {"edition": slug, "users_active": users, "calls_remaining": self._budget.remaining}
        if self._budget.limit is not None:
            facts["calls_per_window"] = self._budget.limit
        if users is not None and edition is not None:
            per_user = edition.facts["storage_per_user"]
            assert isinstance(per_user, int)
            facts["storage_bytes"] = per_user * users
        if users is None:
            facts["users_unreadable"] = "the API key's user may not list owners: use an administrator's key"
        return facts

    async def describe(self) -> Inventory:
        """Objects with fields and options by name, stages, users; facts hold what is left of the plan's limits.

        Always asks anew: an administrator may have done something since.
        """
        self._metadata.forget_all()
        users = await self._metadata.users_or_none()
        if users is None:
            await self._metadata.views(modules.CONTACTS)  # so that a wrong key is told from a missing right
        facts = self._facts(None if users is None else sum(user.is_active is not False for user in users))
        objects = await self._metadata.objects(catalogue=facts.get("catalogue") is not False)
        facts["slots"] = _slots(objects, facts.get("custom_fields"))
        facts["classic"] = any(one.name == modules.LEADS.name for one in objects)
        edition = facts.get("edition")
        return Inventory(
            platform="freshsales",
            taken_at=self._context.clock(),
            account=self._config.api_url().partition("://")[2].partition("/")[0],
            edition=edition if isinstance(edition, str) else None,
            objects=tuple(objects),
            users=user_specs(users or []),
            stages=await self._metadata.stages(),
            facts=facts,
        )

    async def describe_object(self, object_name: str) -> ObjectSpec | None:
        """A few calls; objects that every account has in the same form are not asked for."""
        return await self._metadata.object(object_name)

    # ── records ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def count(self, object_name: str, filled: str | None = None) -> int:
        if object_name in modules.ACTIVITIES and filled is None:
            return await self._activities.count(object_name)
        if object_name == PRODUCTS.name:
            return await self._products.count(filled)
        return await self._searcher.count(_module(object_name), filled)

    async def write(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        if not records:
            return []
        name = target.object
        if name in modules.ACTIVITIES:
            return await self._activities.write(name, records)
        if name == PRODUCTS.name:
            return await self._products.write(records)
        if name == LINES:
            return await self._lines.write(records)
        return await self._writer.write(_module(name), target, records)

    async def update(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        if not records:
            return []
        name = target.object
        if name in modules.ACTIVITIES:
            return await self._activities.update(name, records)
        if name == PRODUCTS.name:
            return await self._products.update(records)
        if name == LINES:
            return await self._lines.update(records)
        return await self._writer.update(_module(name), records)

    async def find(self, object_name: str, field_name: str, values: Sequence[str]) -> dict[str, list[Found]]:
        module = PRODUCTS if object_name == PRODUCTS.name else _module(object_name)
        return await self._searcher.find(module, field_name, values)

    async def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        if object_name in modules.ACTIVITIES:
            return await self._activities.fetch(object_name, ids)
        if object_name == PRODUCTS.name:
            return await self._products.fetch(ids)
        if object_name == LINES:
            return await self._lines.fetch(ids)
        return await self._reader.fetch(_module(object_name), ids, fields)

    async def children(self, object_name: str, parent_object: str, parent_id: str) -> list[dict[str, Any]]:
        if object_name == DOCUMENTS:
            return await self._files.children(parent_object, parent_id)
        found = await self.children_of(object_name, parent_object, [parent_id])
        return found.get(parent_id, [])

    async def children_of(
        self, object_name: str, parent_object: str, parent_ids: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """`children` of several parents, a hundred of them a call where the API allows it."""
        if object_name == LINES:
            return await self._lines.children(parent_ids)
        if object_name == DOCUMENTS:
            return {one: await self._files.children(parent_object, one) for one in dict.fromkeys(parent_ids)}
        parent = PARENTS.get(parent_object) or _module(parent_object)
        return await self._activities.children(object_name, parent, parent_ids)

    async def file_digest(self, parent_object: str, parent_id: str, file_id: str) -> str | None:
        """None: no call shows the bytes of a file (section 8)."""
        del parent_object, parent_id, file_id
        return None

    async def attach(self, parent_object: str, parent_id: str, stream: FileStream) -> WriteResult:
        return await self._files.attach(parent_object, parent_id, stream)

    async def attach_link(self, parent_object: str, parent_id: str, name: str, url: str) -> WriteResult:
        return await self._files.attach_link(parent_object, parent_id, name, url)

    async def delete(
        self, object_name: str, ids: Sequence[str], *, parent_object: str = "", parent_id: str = ""
    ) -> list[WriteResult]:
        """`parent_object` and `parent_id` are not needed here."""
        del parent_object, parent_id
        if object_name == DOCUMENTS:
            return self._files.undeletable(ids)
        if object_name in modules.ACTIVITIES:
            return await self._activities.delete(object_name, ids)
        if object_name == LINES:
            return await self._lines.delete(ids)
        module = PRODUCTS if object_name == PRODUCTS.name else _module(object_name)
        return await self._writer.delete(module, ids, forget=self._config.forget)

    async def provision(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        return (await self._provisioner.apply([change], names))[0]

    async def provision_many(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        return await self._provisioner.apply(changes, names)

    async def reassign(self, object_name: str, ids: Sequence[str], user_id: str) -> list[WriteResult]:
        if object_name in modules.ACTIVITIES:
            return await self._activities.reassign(object_name, ids, user_id)
        if object_name == PRODUCTS.name:
            body = [b'{"id":"%s","owner_id":"%s"}' % (one.encode(), user_id.encode()) for one in ids]
            return await self._products.update(body)
        return await self._writer.reassign(_module(object_name), ids, user_id)

    async def changed_since(self, object_name: str, since: datetime) -> AsyncIterator[Sequence[str]] | None:
        """Contacts, accounts, deals and custom modules by search and recycle bin; None for all others."""
        module = modules.module_of(object_name)
        return None if module is None else self._searcher.changed_since(module, since)

    async def created_since(
        self, object_name: str, since: datetime, *, blank: str
    ) -> AsyncIterator[Sequence[str]] | None:
        """All that were entered since, `blank` or not: no operator for a blank is attested (section 10)."""
        del blank
        module = PRODUCTS if object_name == PRODUCTS.name else modules.module_of(object_name)
        return None if module is None else self._searcher.created_since(module, since)

    async def close(self) -> None:
        await self._api.close()


def _module(name: str) -> Module:
    """The module of records. Raises ContractBroken for a name that is none."""
    found = modules.module_of(name)
    if found is None:
        raise ContractBroken(f"Freshsales has no object {name[:60]!r}", code="NO_OBJECT")
    return found


def _slots(objects: Sequence[Any], cap: JsonValue) -> dict[str, JsonValue]:
    """Custom fields that can still be made, and unique flags an administrator can still set, by object."""
    slots: dict[str, JsonValue] = {}
    for spec in objects:
        if spec.name not in (*modules.RECORD_MODULES, PRODUCTS.name) and not spec.custom:
            continue
        used = sum(one.custom for one in spec.fields)
        unique = sum(one.unique and one.name != "email" for one in spec.fields)
        most = UNIQUE_FIELDS.get(spec.name, UNIQUE_FIELDS["*"] if spec.custom else 0)
        slots[spec.name] = {"unique": max(0, most - unique)}
        if isinstance(cap, int):
            slots[spec.name] = {"unique": max(0, most - unique), "custom": max(0, cap - used)}
    return slots
