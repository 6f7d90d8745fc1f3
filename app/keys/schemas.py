"""What callers send and see of keys and tokens."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.access import Role, Scope
from app.domain.exact import ExactJson
from app.domain.instants import Moment
from app.identifiers import ApiKeyId

Name = Annotated[str, Field(max_length=100, examples=["portal backend"])]


class CreateKey(ExactJson, BaseModel):
    """A key may hold no more rights than the one that makes it."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    role: Role = Role.OWNER
    scopes: Annotated[list[Scope], Field(max_length=len(Scope), description="Narrows the role; empty: all of it.")] = []
    expires_at: Moment | None = None


class RotateKey(ExactJson, BaseModel):
    """The old key works on for `overlap_hours`, so that it can be exchanged without a gap."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class Key(BaseModel):
    """A key without its secret; `hint` is the end of it."""

    object: Literal["api_key"] = "api_key"
    id: ApiKeyId
    name: str
    role: Role
    scopes: list[str]
    hint: str = Field(examples=["…k7q2"])
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    replaced_by: ApiKeyId | None


class NewKey(Key):
    """A key as it is shown once, when it is made."""

    key: str = Field(description="Keep it; it cannot be shown again.", examples=["tsk_01j6gv5gy6fsfrma3wfhpsy6sb_…"])


class SigningKey(BaseModel):
    """The public half of this installation's signing key."""

    object: Literal["signing_key"] = "signing_key"
    algorithm: Literal["Ed25519"] = "Ed25519"
    public_key: str = Field(description="32 bytes in base64.")
    fingerprint: str = Field(examples=["1f0c-93ab-77d2-0e4b"])


class Token(BaseModel):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the protocol's word
    expires_in: int = Field(description="Seconds.", examples=[3600])
    scope: str = Field(examples=["engagements:read runs:read"])
