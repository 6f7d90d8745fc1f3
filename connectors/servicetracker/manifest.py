"""What is known of ServiceTracker as data. It is a platform to read from; every figure names its source."""

from connectors.base import Capabilities, ConnectionContext, Edition, Limits, Platform, Source
from connectors.servicetracker.exports import ServiceTrackerExports
from connectors.servicetracker.settings import ServiceTrackerCredentials
from connectors.servicetracker.source import ServiceTrackerSource

_DAY = 86_400.0

EDITIONS = {
    # Daily API requests (rolling 24 h) = base + licences × per_user: source fact sheet section 1.6. Secondary pages
    # quote other bases, so the account's own Sforce-Limit-Info is believed over these.
    "developer": Edition(name="Developer", concurrency=5, facts={"credits_base": 15_000, "credits_per_user": 0}),
    "professional": Edition(
        name="Professional with API", concurrency=25, facts={"credits_base": 100_000, "credits_per_user": 1_000}
    ),
    "enterprise": Edition(
        name="Enterprise", concurrency=25, facts={"credits_base": 100_000, "credits_per_user": 1_000}
    ),
    "unlimited": Edition(name="Unlimited", concurrency=25, facts={"credits_base": 100_000, "credits_per_user": 5_000}),
}


def open_source(context: ConnectionContext) -> Source:
    """The account's API, or its uploaded export files where the connection says `mode` upload."""
    return ServiceTrackerExports(context) if context.config.get("mode") == "upload" else ServiceTrackerSource(context)


PLATFORM = Platform(
    slug="servicetracker",
    name="ServiceTracker",
    category="crm",
    credentials=ServiceTrackerCredentials,
    limits=Limits(
        # Only calls of twenty seconds and more are counted, 25 of them (5 for Developer): section 1.6. Five at a time
        # keeps a live account responsive for its users.
        concurrency=5,
        batch=2_000,  # rows per query page: section 1.4
        file_bytes=2 * 1024**3,  # content files; classic attachments end at 25 MB: section 1.8 (unverified)
        call_timeout=120.0,  # a single call dies after ten minutes: section 1.6 (unverified)
        quota_window=_DAY,
    ),
    capabilities=Capabilities(modified_since=True, deletions_since=True),
    editions=EDITIONS,
    facts={
        "api": "Salesforce-shaped REST API, describe and Bulk API 2.0 query (source fact sheet section 1)",
        "bulk": "offered by some accounts only: tried first, REST reads the same rows (section 1)",
        "deleted_reach_days": "15 (section 1.7)",
        "files": "Attachment, content files by link and DigitalSignature are read as one object File (section 1.8)",
        "uploads": "one CSV or TSV file per object, {Object}.csv by API name or label, instead of the API (section 6)",
        "portal_users": "user names and permissions only, never passwords (ruling 26)",
        "metadata": "custom fields are not centrally documented: the tenant's describe decides (seed 0)",
    },
    source=open_source,
)
