"""Who may call: tenants, their API keys and tokens, and the answers kept for repeated requests."""

from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import (
    Instant,
    id_column,
    instant_column,
    json_column,
    sealed_column,
    tenant_column,
    text_column,
    texts_column,
)


class Tenant(SQLModel, table=True):
    """A customer, or a partner whose keys act for its customers (`parent_id`)."""

    __tablename__ = "tenants"

    id: UUID = id_column()
    name: str = text_column()
    kind: str = text_column("customer")
    parent_id: UUID | None = Field(default=None, foreign_key="tenants.id")
    created_at: Instant = instant_column()


class ApiKey(SQLModel, table=True):
    """A key; only a keyed hash of its secret is stored."""

    __tablename__ = "api_keys"

    id: UUID = id_column()
    tenant_id: UUID = tenant_column()
    name: str = text_column()
    role: str = text_column("owner")
    scopes: list[str] = texts_column()
    digest: bytes = sealed_column()
    hint: str = text_column()
    created_at: Instant = instant_column()
    expires_at: Instant | None = instant_column(default=None)
    revoked_at: Instant | None = instant_column(default=None)
    last_used_at: Instant | None = instant_column(default=None)
    replaced_by: UUID | None = Field(default=None)


class OAuthToken(SQLModel, table=True):
    """An access token of the client-credentials grant, stored as a keyed hash."""

    __tablename__ = "oauth_tokens"

    digest: bytes = sealed_column(primary_key=True)
    tenant_id: UUID = tenant_column()
    api_key_id: UUID = Field(foreign_key="api_keys.id")
    scopes: list[str] = texts_column()
    expires_at: Instant = instant_column()


class IdempotencyKey(SQLModel, table=True):
    """The first answer to an Idempotency-Key, committed together with what the request did."""

    __tablename__ = "idempotency_keys"

    tenant_id: UUID = Field(foreign_key="tenants.id", primary_key=True)
    route: str = text_column(primary_key=True)
    key: str = text_column(primary_key=True)
    request_hash: bytes = sealed_column()
    status: int | None = Field(default=None)
    headers: dict[str, Any] = json_column()
    body: bytes | None = sealed_column(default=None)
    created_at: Instant = instant_column(index=True)
