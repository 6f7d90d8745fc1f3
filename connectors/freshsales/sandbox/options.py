"""The switches of the sandbox: the key, sizes for tests, and the points on which the sources disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sandboxkit.options import parse_options


@dataclass(frozen=True, slots=True)
class Options:
    """Every option with its default; the comments name the section of the Freshsales fact sheet.

    An empty number (0) of `hourly_calls` or `storage_bytes` means "by plan".
    """

    api_key: str = "sandbox-key"
    time_zone: str = "America/New_York"  # section 1: timestamps carry one account's offset
    currency: str = "USD"
    owners_denied: bool = False  # section 1: the key's user may lack the right to list owners
    classic: bool = False  # section 2: the classic suite has Leads
    quota_window: float = 3600.0  # section 16: the budget is per hour
    hourly_calls: int = 0
    per_minute: int = 0  # section 16: 400 on paid classic plans, unknown for the new suite; 0 = none
    retry_after: bool = False  # section 19 item 8
    reset_header: str = "seconds"  # section 15: the form of x-ratelimit-reset is not known
    custom_field_put: str = "replace"  # section 13 and 19 item 1
    upsert_email_key: str = "emails"  # section 19 item 2
    phone_call_body: str = "both"  # section 19 item 3
    delete_status: int = 200  # section 19 item 4
    product_delete: str = "success"  # section 19 item 4
    contact_needs_email: bool = False  # section 19 item 5
    deal_needs_account: bool = False  # section 19 item 6
    task_filter: str = "both"  # section 19 item 7
    text_limit: int = 256  # section 19 item 9
    field_create: str = "both"  # section 19 item 10
    standard_field_create: bool = True  # section 11: undocumented on standard modules
    bulk_status: int = 200  # section 19 item 11
    deal_create_lines: bool = True  # section 19 item 12
    created_at: str = "ignore"  # section 13
    lifecycle_on_get: str = "value"  # section 3: null in one account although set
    status_in_stage: bool = True  # section 3: unverified
    unknown_choice: str = "reject"  # section 3: unverified
    deleted_view: str = "404"  # section 17: GET of a row in the bin is not described
    email_unique: bool = True  # section 14: an administrator may relax it
    account_name_unique: bool = True  # section 14
    mobile_unique: bool = False  # section 14: only in older accounts
    lead_unique_fields: int = 0  # section 14 lists unique fields of contacts, accounts and custom modules only
    bin_blocks_unique: bool = False  # section 14: unverified
    duplicate_words: str = "record"  # section 15: two wordings of a duplicate contact
    required_fields: str = ""  # section 15: `contact.lead_source_id,deal.cf_x`
    search_lag_seconds: float = 0.0  # section 10: assume some
    job_seconds: float = 1.0  # section 10: how long a bulk job takes
    jobs_in_flight: int = 10  # section 10
    file_limit_mb: int = 150  # section 8
    storage_bytes: int = 0


_CHOICES = {
    "reset_header": ("seconds", "epoch"),
    "custom_field_put": ("merge", "replace"),
    "upsert_email_key": ("emails", "both"),
    "phone_call_body": ("both", "wrapped", "bare"),
    "delete_status": ("200", "204"),
    "product_delete": ("success", "msg"),
    "task_filter": ("both", "space", "underscore"),
    "field_create": ("both", "code", "word"),
    "bulk_status": ("200", "202"),
    "created_at": ("ignore", "honour"),
    "lifecycle_on_get": ("value", "null"),
    "unknown_choice": ("reject", "accept"),
    "deleted_view": ("404", "row"),
    "duplicate_words": ("record", "field"),
}


def read_options(given: Mapping[str, str]) -> Options:
    """Reads `SandboxConfig.options`; ValueError for an unknown name or a value of the wrong kind."""
    options = parse_options(Options, given, choices=_CHOICES, of="Freshsales")
    if options.quota_window <= 0:
        raise ValueError("option 'quota_window' is a number of seconds above 0")
    return options
