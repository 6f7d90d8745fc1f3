"""What a Zoho CRM connection is made of: credentials a person gives, options, and the hosts of each data centre."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from connectors.errors import CredentialsRejected

# Zoho fact sheet section 1: accounts, API and upload host by data centre.
_HOSTS = {
    "us": ("accounts.zoho.com", "www.zohoapis.com", "content.zohoapis.com"),
    "eu": ("accounts.zoho.eu", "www.zohoapis.eu", "content.zohoapis.eu"),
    "in": ("accounts.zoho.in", "www.zohoapis.in", "content.zohoapis.in"),
    "au": ("accounts.zoho.com.au", "www.zohoapis.com.au", "content.zohoapis.com.au"),
    "jp": ("accounts.zoho.jp", "www.zohoapis.jp", "content.zohoapis.jp"),
    "cn": ("accounts.zoho.com.cn", "www.zohoapis.com.cn", "content.zohoapis.com.cn"),
    "ca": ("accounts.zohocloud.ca", "www.zohoapis.ca", "upload.zohocloud.ca"),
    "sa": ("accounts.zoho.sa", "www.zohoapis.sa", "files.zoho.sa"),
}
_PREFIX = {"production": "www.", "sandbox": "sandbox.", "developer": "developer."}


class ZohoCredentials(BaseModel):
    """A client registered at Zoho Accounts with a refresh token of the org (Zoho fact sheet section 2)."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr
    refresh_token: SecretStr


class ZohoConfig(BaseModel):
    """Options of the connection; URLs left empty follow from data centre and environment.

    Files of more bytes than `link_files_over` become links to our archive, where storage is scarce. Times are seconds.
    """

    model_config = ConfigDict(extra="ignore")

    dc: Literal["us", "eu", "in", "au", "jp", "cn", "ca", "sa"] = "us"
    environment: Literal["production", "sandbox", "developer"] = "production"
    base_url: str = Field(default="", max_length=500)
    accounts_url: str = Field(default="", max_length=500)
    upload_url: str = Field(default="", max_length=500)
    link_files_over: int | None = Field(default=None, ge=0)
    call_timeout: float = Field(default=30.0, gt=0, le=600)
    upload_timeout: float = Field(default=300.0, gt=0, le=1800)

    def urls(self) -> tuple[str, str, str]:
        """API root, accounts root and upload root, without a trailing slash."""
        accounts, api, upload = _HOSTS[self.dc]
        api = api.replace("www.", _PREFIX[self.environment], 1)
        return (
            self.base_url.rstrip("/") or f"https://{api}",
            self.accounts_url.rstrip("/") or f"https://{accounts}",
            self.upload_url.rstrip("/") or f"https://{upload}",
        )


def read_config(config: Any) -> ZohoConfig:
    """Checks a connection's options. Raises CredentialsRejected naming the wrong ones."""
    try:
        return ZohoConfig.model_validate(dict(config))
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, item["loc"])) for item in error.errors()}))
        raise CredentialsRejected(f"the Zoho CRM connection has unusable options: {wrong}") from None


def secret_texts(credentials: ZohoCredentials) -> tuple[str, ...]:
    """The secrets in clear, so that they can be taken out of messages."""
    return credentials.client_secret.get_secret_value(), credentials.refresh_token.get_secret_value()
