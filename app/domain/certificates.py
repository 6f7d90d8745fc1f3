"""What a purge certifies: whose data were made unreadable, when, why, and where the audit log says so."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CERTIFICATE = "purge_certificate"
"""The `kind` by which such a document is known."""


class PurgeCertificate(BaseModel):
    """Ids, counts and times only. `unreadable` counts what stays behind as bytes that nobody can open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["purge_certificate"] = "purge_certificate"
    engagement: str
    tenant: str
    source: str
    destination: str
    why: Literal["requested", "retention_over"]
    requested_by: str | None
    purged_at: datetime
    unreadable: dict[str, Annotated[int, Field(ge=0)]]
    audit_sequence: Annotated[int, Field(ge=0)]
    audit_head: Annotated[str, Field(pattern=r"^[0-9a-f]*$", max_length=128)]
