"""What a Freshsales connection is made of: the API key of one user, the account's address, and options."""

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connectors.errors import CredentialsRejected

SUITE_PATH = "/crm/sales/api"
CLASSIC_PATH = "/api"
_CLASSIC_HOST = ".freshsales.io"


class FreshsalesCredentials(BaseModel):
    """The key of a user, best of an account administrator: calls act with that user's rights (section 1)."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr


class FreshsalesConfig(BaseModel):
    """Options of the connection.

    `base_url` is the account's address as "Profile Settings → API Settings" shows it, with or without scheme, path and
    `/api`. `edition` overrides what the hourly limit tells of the plan. `forget` purges records of ours on deletion
    instead of leaving them in the recycle bin (one call each, ruling 23). Files of more bytes than `link_files_over`
    become links to our archive, where storage is scarce. Times are seconds.
    """

    model_config = ConfigDict(extra="ignore")

    base_url: str = Field(min_length=4, max_length=500)
    edition: Literal["", "growth", "pro", "enterprise"] = ""
    forget: bool = False
    link_files_over: int | None = Field(default=None, ge=0)
    call_timeout: float = Field(default=30.0, gt=0, le=600)
    upload_timeout: float = Field(default=600.0, gt=0, le=3600)
    job_poll_seconds: float = Field(default=2.0, ge=0, le=60)
    job_timeout: float = Field(default=600.0, gt=0, le=7200)

    def api_url(self) -> str:
        """The root of the API without a trailing slash: the new suite's, or the classic one's on a classic host."""
        text = self.base_url.strip().rstrip("/")
        if "://" not in text:
            text = f"https://{text}"
        parts = urlsplit(text)
        if parts.path.endswith("/api"):
            return text
        if parts.path:
            return f"{text}/api"
        return text + (CLASSIC_PATH if (parts.hostname or "").endswith(_CLASSIC_HOST) else SUITE_PATH)


def read_config(config: Any) -> FreshsalesConfig:
    """Checks a connection's options. Raises CredentialsRejected naming the wrong ones."""
    try:
        return FreshsalesConfig.model_validate(dict(config))
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))
        raise CredentialsRejected(f"the Freshsales connection has unusable options: {wrong}") from None
