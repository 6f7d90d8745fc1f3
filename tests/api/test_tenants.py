"""What the database lets the application see and change: rows of the caller's tenant."""

import asyncpg
import pytest

from app.runtime import Runtime
from tests.api.conftest import Client


class TestTenants:
    async def test_app_role_sees_only_its_tenant(self, owner: Client, stranger: Client, runtime: Runtime) -> None:
        await owner.post("/v1/webhook_endpoints", json={"url": "https://example.com"})
        for tenant, sees in ((owner.tenant_id, True), (stranger.tenant_id, False), (None, False)):
            async with runtime.db.connection(tenant) as connection:
                assert await connection.fetchval("SELECT current_user") == "tranship_app"
                for table in ("api_keys", "webhook_endpoints", "idempotency_keys"):
                    statement = f"SELECT count(*) FROM {table} WHERE tenant_id = $1"
                    assert (await connection.fetchval(statement, owner.tenant_id) > 0) is sees, table

    async def test_app_role_cannot_write_for_another(self, owner: Client, stranger: Client, runtime: Runtime) -> None:
        async with runtime.db.connection(stranger.tenant_id) as connection:
            done = await connection.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1", owner.key_id)
            assert done == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with runtime.db.connection(stranger.tenant_id) as connection:
                await connection.execute(
                    "INSERT INTO api_keys (id, tenant_id, name, role, scopes, digest, hint, created_at)"
                    " VALUES (gen_random_uuid(), $1, '', 'owner', '{}', '', '', now())",
                    owner.tenant_id,
                )
