"""The ServiceTracker connector: proves an account, describes it, and reads records and files from it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from pydantic import JsonValue

from app.domain.schema import Inventory, UserSpec
from connectors.answers import Answer
from connectors.base import ConnectionContext, FileRef, FileStream, Page
from connectors.errors import ContractBroken, CredentialsRejected, QuotaExhausted
from connectors.fanout import for_each
from connectors.http import ApiClient, Sleep
from connectors.servicetracker.auth import ERRORS, TOKEN_ERRORS, ServiceTrackerAuth
from connectors.servicetracker.bulk import BulkReader, BulkUnavailable
from connectors.servicetracker.files import FileReader
from connectors.servicetracker.reading import Cursor, Plan, Query, RestReader, make_plan, read_cursor
from connectors.servicetracker.schema import (
    FILE_OBJECT,
    FILE_OBJECTS,
    FILE_SPEC,
    GLOBAL_DECODER,
    OBJECT_DECODER,
    STANDARD_OBJECTS,
    ObjectDescribe,
    Shape,
    read_shape,
)
from connectors.servicetracker.settings import ServiceTrackerCredentials, read_config, secret_texts
from connectors.throttle import AccountThrottle, Unlimited


class _Limit(msgspec.Struct):
    maximum: int = msgspec.field(name="Max", default=0)
    remaining: int = msgspec.field(name="Remaining", default=0)


class _Limits(msgspec.Struct):
    daily: _Limit = msgspec.field(name="DailyApiRequests", default_factory=_Limit)
    bulk: _Limit = msgspec.field(name="DailyBulkV2QueryJobs", default_factory=_Limit)


_LIMITS = msgspec.json.Decoder(_Limits)


class ServiceTrackerSource:
    """Implements `base.Source`. `transport` and `sleep` are replaced in tests."""

    def __init__(
        self, context: ConnectionContext, *, transport: Any = None, sleep: Sleep = asyncio.sleep, retries: int = 4
    ) -> None:
        if not isinstance(context.credentials, ServiceTrackerCredentials):
            raise CredentialsRejected("these are not credentials of a ServiceTracker account")
        self._context = context
        self._config = config = read_config(context.config)
        secrets = secret_texts(context.credentials)
        shared: dict[str, Any] = {
            "meter": context.meter,
            "timeout": config.call_timeout,
            "guard": context.config.get("guard"),
            "transport": transport,
            "sleep": sleep,
            "retries": retries,
            "secrets": secrets,
        }
        self._endpoint = ApiClient(config.base_url, throttle=Unlimited(), errors=TOKEN_ERRORS, **shared)
        self._auth = ServiceTrackerAuth(context.credentials, self._endpoint, context.tokens, context.clock)
        self._api = ApiClient(
            config.base_url,
            throttle=context.throttle,
            errors=ERRORS,
            auth=self._auth,
            on_answer=self._note_usage,
            **shared,
        )
        self._query = Query(self._api, config.api_version)
        self._rest = RestReader(
            self._api,
            self._query,
            page_size=config.page_size,
            overlap=timedelta(seconds=config.overlap_seconds),
            clock=context.clock,
        )
        self._bulk = BulkReader(
            self._api,
            self._query.root,
            page_size=config.page_size,
            poll=config.bulk_poll_seconds,
            patience=config.bulk_wait_seconds,
            sleep=sleep,
        )
        self._bulk_offered = config.bulk != "off"
        self._shapes: dict[str, Shape] = {}
        self._names: list[str] | None = None

    async def check(self) -> dict[str, JsonValue]:
        """Proves the credentials; facts: account, api_version, api_requests_max, api_requests_remaining."""
        facts: dict[str, JsonValue] = {"api_version": self._config.api_version}
        await self._api.request("GET", f"{self._query.root}/sobjects", purpose="check")
        facts["account"] = await self._auth.account()
        facts |= await self._limits()
        return facts

    async def describe(self) -> Inventory:
        """The tenant's objects as its own describe tells them, plus `File`; users are staff, inactive ones too."""
        names = await self._object_names()
        await self._load_shapes([*names, *FILE_OBJECTS])
        facts: dict[str, JsonValue] = {"api_version": self._config.api_version, **await self._limits()}
        objects = [self._shapes[name].spec for name in names if name in self._shapes]
        if any(name in self._shapes for name in FILE_OBJECTS):
            objects.append(FILE_SPEC)
        return Inventory(
            platform="servicetracker",
            taken_at=self._context.clock(),
            account=await self._auth.account(),
            objects=tuple(objects),
            users=await self._users(),
            facts=facts,
        )

    async def count(self, object_name: str) -> int:
        """Living records, archived ones too: what `read` will yield."""
        if object_name == FILE_OBJECT:
            return await (await self._files()).count()
        shape = await self._shape(object_name)
        return await self._query.count(object_name, "IsDeleted = false" if "IsDeleted" in shape.types else "")

    async def read(
        self, object_name: str, fields: Sequence[str], *, cursor: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """Pages of at most 2,000 records. Beside `fields` each record has `Id` and the object's change stamp.

        Raises ContractBroken for a field the tenant does not have.
        """
        place = read_cursor(cursor)
        if object_name == FILE_OBJECT:
            files = await self._files()
            margin = timedelta(seconds=self._config.overlap_seconds)
            async for page in files.pages(place, None if since is None else since - margin):
                yield page
            return
        plan = make_plan(await self._shape(object_name), fields)
        if since is not None and plan.shape.stamp:
            walk = self._rest.changes(plan, since, place)
        else:
            walk = self._full(plan, place)
        async for page in walk:
            yield page

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]:
        """The bytes of a `File` record's BlobObject, BlobId and BlobField; the stream's name is only the id."""
        return FileReader(self._api, self._query, self._shapes, self._config.page_size).open(ref)

    async def close(self) -> None:
        await self._api.close()
        await self._endpoint.close()

    async def _full(self, plan: Plan, cursor: Cursor) -> AsyncIterator[Page]:
        """By bulk where offered and worth it, else by REST; the change happens before the first page or never."""
        if cursor.job or (not cursor.after and await self._worth_bulk(plan)):
            try:
                async for page in self._bulk.everything(plan, cursor):
                    yield page
                return
            except BulkUnavailable:
                self._bulk_offered = False
        async for page in self._rest.everything(plan, Cursor(after=cursor.after)):
            yield page

    async def _worth_bulk(self, plan: Plan) -> bool:
        if not self._bulk_offered:
            return False
        return self._config.bulk == "on" or await self._query.count(plan.object_name) > self._config.bulk_from

    async def _object_names(self) -> list[str]:
        """Known standard objects that the tenant has, then all its custom ones."""
        if self._names is None:
            answer = await self._api.request("GET", f"{self._query.root}/sobjects", purpose="describe")
            found = {one.name: one for one in answer.decode(GLOBAL_DECODER).sobjects}
            custom = sorted(name for name, one in found.items() if name.endswith("__c") and _usable(one))
            standard = [name for name in STANDARD_OBJECTS if name in found and _usable(found[name])]
            self._names = [*standard, *custom]
        return self._names

    async def _load_shapes(self, names: Sequence[str]) -> None:
        await for_each(names, lambda name: self._shape(name, optional=True))

    async def _shape(self, name: str, *, optional: bool = False) -> Shape:
        known = self._shapes.get(name)
        if known is not None:
            return known
        path = f"{self._query.root}/sobjects/{quote(name, safe='')}/describe"
        answer = await self._api.request("GET", path, purpose="describe", accept=frozenset({404}))
        if answer.status == 404:
            if optional:
                return Shape(FILE_SPEC, {}, replicateable=False)
            raise ContractBroken(f"the account has no object {name} that this user can read", code="NO_OBJECT")
        shape = read_shape(answer.decode(OBJECT_DECODER))
        self._shapes[name] = shape
        return shape

    async def _files(self) -> FileReader:
        await self._load_shapes([name for name in FILE_OBJECTS if name not in self._shapes])
        return FileReader(self._api, self._query, self._shapes, self._config.page_size)

    async def _users(self) -> tuple[UserSpec, ...]:
        soql = "SELECT Id, Name, Email, IsActive FROM User WHERE UserType = 'Standard' ORDER BY Id"
        rows = await self._query.all_rows(soql, purpose="users")
        return tuple(
            UserSpec(
                id=str(row.get("Id")),
                name=str(row.get("Name") or ""),
                email=str(row.get("Email") or "").strip().lower(),
                active=row.get("IsActive") is True,
            )
            for row in rows
        )

    async def _limits(self) -> dict[str, JsonValue]:
        """Daily requests; a user without the right to see them is no fault of the account (source fact sheet 1.2)."""
        answer = await self._api.request(
            "GET", f"{self._query.root}/limits", purpose="check", accept=frozenset({403, 404})
        )
        if answer.status != 200:
            error = self._api.refusal(answer)
            if isinstance(error, QuotaExhausted):
                raise error
            return {}
        limits = answer.decode(_LIMITS)
        return {
            "api_requests_max": limits.daily.maximum,
            "api_requests_remaining": limits.daily.remaining,
            "bulk_query_jobs_remaining": limits.bulk.remaining,
        }

    def _note_usage(self, answer: Answer) -> None:
        """`Sforce-Limit-Info: api-usage=17/5000` on every answer (source fact sheet section 1.6)."""
        throttle = self._context.throttle
        text = answer.headers.get("sforce-limit-info", "")
        if not isinstance(throttle, AccountThrottle) or not text.startswith("api-usage="):
            return
        used, _, allowed = text.removeprefix("api-usage=").split(";")[0].partition("/")
        if used.isdigit() and allowed.isdigit() and len(used) < 12 and len(allowed) < 12:
            throttle.observe_remaining(max(0, int(allowed) - int(used)))


def _usable(described: ObjectDescribe) -> bool:
    return described.queryable and not described.deprecated_and_hidden and not described.custom_setting
