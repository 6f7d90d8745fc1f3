"""The switches of the sandbox: credentials, sizes for tests, and the points on which the sources disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sandboxkit.options import parse_options


@dataclass(frozen=True, slots=True)
class Options:
    """Every option of the sandbox with its default; the fact sheet's sections 19 and 21 list the contradictions.

    Choices: `unlisted_picklist` and `tasks_custom_fields` are accept|reject; `readonly_fields` and `unknown_fields` are
    ignore|error; `stage_error` is the code for a stage outside its pipeline; `all_failed_status` the HTTP status of
    a batch without a single success. Empty numbers of `daily_credits`, `concurrency` ... mean "by edition".
    """

    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - the published credential of a local stand-in
    refresh_token: str = "sandbox-refresh"  # noqa: S105
    code: str = "sandbox-code"
    token_ttl: int = 3600
    token_limit: int = 10
    api_access: bool = True
    deny_scope: str = ""
    empty: bool = False
    time_zone: str = "America/New_York"
    currency: str = "USD"
    external_counts_as_unique: bool = True
    stage_create: bool = True
    fields_per_call: int = 5
    custom_fields_cap: int = 0
    custom_modules_cap: int = 0
    unlisted_picklist: str = "accept"
    readonly_fields: str = "ignore"
    unknown_fields: str = "ignore"
    tasks_custom_fields: str = "accept"
    pipelines_enabled: bool = True
    stage_error: str = "MAPPING_MISMATCH"
    all_failed_status: int = 400
    attachment_limit_mb: int = 20
    search_lag_seconds: float = 0.0
    daily_credits: int = 0
    concurrency: int = 0
    sub_concurrency: int = 0
    licences: int = 20
    coql_row_limit: int = 2000
    bulk_delay_ms: int = 0


_CHOICES = {
    "unlisted_picklist": ("accept", "reject"),
    "tasks_custom_fields": ("accept", "reject"),
    "readonly_fields": ("ignore", "error"),
    "unknown_fields": ("ignore", "error"),
}


def read_options(given: Mapping[str, str]) -> Options:
    """Reads `SandboxConfig.options`; ValueError for an unknown name or a value of the wrong kind."""
    return parse_options(Options, given, choices=_CHOICES, of="Zoho CRM")
