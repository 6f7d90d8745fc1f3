"""The options of an upload connection, the same for every platform that is read from files."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.moments import zone_of
from connectors.errors import CredentialsRejected


class ExportCredentials(BaseModel):
    """Nothing to sign in with: files stand in for the account."""

    model_config = ConfigDict(extra="forbid")


class ExportConfig(BaseModel):
    """Options of an upload connection; other keys are left to the application.

    `complete`: the files hold everything, so a record that is absent was deleted. `timezone`: the IANA zone of stamps
    that carry no offset. `absent`: objects without records, for which no file will come, separated by commas.
    """

    model_config = ConfigDict(extra="ignore")

    complete: bool = False
    timezone: str = Field(default="", max_length=64)
    absent: str = Field(default="", max_length=500)
    page_size: int = Field(default=2_000, ge=1, le=2_000)

    def declared_absent(self) -> list[str]:
        return [name.strip() for name in self.absent.split(",") if name.strip()]

    def zone(self) -> tzinfo | None:
        return zone_of(self.timezone) if self.timezone else None


def read_export_config(config: Mapping[str, Any]) -> ExportConfig:
    """Checks a connection's options. Raises CredentialsRejected naming the wrong ones."""
    try:
        found = ExportConfig.model_validate(dict(config))
        found.zone()
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))
        raise CredentialsRejected(f"the upload connection has unusable options: {wrong}") from None
    except ValueError as error:
        raise CredentialsRejected(f"the upload connection's timezone cannot be used: {error}") from None
    return found
