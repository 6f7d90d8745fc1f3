"""What is known of RSoft CRM as data. It has no API that is documented: people upload its CSV export."""

from connectors.base import Capabilities, Edition, Limits, Platform
from connectors.exportkit.config import ExportCredentials
from connectors.rsoft.papers import FIELD_CAP, WORKFLOW_CAP
from connectors.rsoft.source import RSoftExport

_CAPPED = {"custom_fields": FIELD_CAP, "workflows": WORKFLOW_CAP}  # source fact sheet section 5

EDITIONS = {
    "standard": Edition(name="Standard", api_access=False, facts=_CAPPED),
    "advanced": Edition(name="Advanced", api_access=False, facts=_CAPPED),
    # The fact sheet names no plan above these two; what the account has is taken as it comes.
    "higher": Edition(name="a higher plan", api_access=False),
}

PLATFORM = Platform(
    slug="rsoft",
    name="RSoft CRM",
    category="crm",
    credentials=ExportCredentials,
    limits=Limits(concurrency=1, batch=2_000),
    capabilities=Capabilities(),
    editions=EDITIONS,
    facts={
        "phone_region": "IN",
        "api": "neither a bulk interface nor rate limits are publicly documented (source fact sheet section 5)",
        "uploads": "CSV: users, stages, companies, contacts, leads, deals, activities, tickets, conversations, tags",
        "order": "companies before contacts before deals before activities and tickets; users first (section 5)",
        "columns": "no list of the vendor's was found: many spellings are understood, others are custom (section 5)",
        "custom_fields": "five on Standard and Advanced; counted per module, which the sources leave open (section 5)",
        "workflows": "five on Standard and Advanced; definitions have no export (section 5)",
        "not_exported": "IVR recordings, IVR and autodialer logs, WhatsApp conversations (section 5)",
        "references": "often by name: told by id, then by exact normalised name, else held (section 5)",
        "times": "wall time of India, +05:30, unless the connection names another zone (section 5)",
        "numbers": "lakh grouping, Rs., INR, L and Cr; mobiles of ten digits with 0, 91 or +91 (section 5)",
    },
    source=RSoftExport,
)
