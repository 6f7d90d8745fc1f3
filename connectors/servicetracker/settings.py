"""What a ServiceTracker connection is made of: credentials a person gives, and options with their defaults."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from connectors.errors import CredentialsRejected


class ServiceTrackerCredentials(BaseModel):
    """A connected app's client id with its secret (client credentials grant) or a refresh token (or both).

    Source fact sheet section 1.1.
    """

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None

    @model_validator(mode="after")
    def _one_grant(self) -> Self:
        if not self.client_secret and not self.refresh_token:
            raise ValueError("give a client_secret, a refresh_token, or both")
        return self


class ServiceTrackerConfig(BaseModel):
    """Options of the connection. `base_url` is the account's own domain; other keys are left to the application.

    `bulk`: auto asks for the Bulk API 2.0 where an object has more than `bulk_from` records and falls back to REST.
    """

    model_config = ConfigDict(extra="ignore")

    base_url: str = Field(min_length=1, max_length=500)
    api_version: str = Field(default="59.0", pattern=r"^\d{2,3}\.0$")
    call_timeout: float = Field(default=120.0, gt=0, le=600)
    bulk: Literal["auto", "on", "off"] = "auto"
    bulk_from: int = Field(default=2_000, ge=0)
    bulk_poll_seconds: float = Field(default=2.0, ge=0)
    bulk_wait_seconds: float = Field(default=3_600.0, gt=0)
    page_size: int = Field(default=2_000, ge=1, le=2_000)
    overlap_seconds: int = Field(default=600, ge=0)


def read_config(config: Any) -> ServiceTrackerConfig:
    """Checks a connection's options. Raises CredentialsRejected naming the wrong ones."""
    try:
        return ServiceTrackerConfig.model_validate(dict(config))
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))
        raise CredentialsRejected(f"the ServiceTracker connection has unusable options: {wrong}") from None


def secret_texts(credentials: ServiceTrackerCredentials) -> tuple[str, ...]:
    """The secrets in clear, so that they can be taken out of messages."""
    given = (credentials.client_secret, credentials.refresh_token)
    return tuple(secret.get_secret_value() for secret in given if secret)
