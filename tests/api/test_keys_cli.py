"""Keys made at the terminal, as the database's owner."""

import asyncio

import pytest

from app.access import Scope, authenticate
from app.errors import Unauthenticated
from app.keys_cli import create, create_record, list_all, revoke
from app.runtime import Runtime
from app.settings import Settings


async def test_made_key_works_until_revoked(runtime: Runtime, settings: Settings, database_url: str) -> None:
    made = await asyncio.to_thread(create_record, settings, database_url, tenant="acme", label="first")
    caller = await authenticate(runtime, made["key"])
    assert caller.scopes == frozenset(Scope)
    assert await asyncio.to_thread(revoke, settings, database_url, key_id=made["id"]) is True
    assert await asyncio.to_thread(revoke, settings, database_url, key_id=made["id"]) is False
    with pytest.raises(Unauthenticated):
        await authenticate(runtime, made["key"])


async def test_one_tenant_per_name(settings: Settings, database_url: str) -> None:
    both = await asyncio.gather(
        *(asyncio.to_thread(create_record, settings, database_url, tenant="twin") for _ in range(2))
    )
    assert both[0]["tenant_id"] == both[1]["tenant_id"]
    listed = await asyncio.to_thread(list_all, settings, database_url, tenant="twin")
    assert {each["id"] for each in listed} == {each["id"] for each in both}
    assert not any(each["key"] in str(listed) for each in both)


async def test_scopes_narrow(runtime: Runtime, settings: Settings, database_url: str) -> None:
    key = await asyncio.to_thread(create, settings, database_url, tenant="acme", scopes=["runs:read"])
    assert (await authenticate(runtime, key)).scopes == {"runs:read"}
    with pytest.raises(ValueError, match="everything"):
        await asyncio.to_thread(create, settings, database_url, tenant="acme", scopes=["everything"])
    assert await asyncio.to_thread(revoke, settings, database_url, key_id="nonsense") is False
