"""What is known of OctopusPro as data: a platform to read from, by the export that its support hands over."""

from connectors.base import Capabilities, Limits, Platform
from connectors.exportkit.config import ExportCredentials
from connectors.octopuspro.papers import EXPORT_REQUEST
from connectors.octopuspro.source import OctopusProSource

PLATFORM = Platform(
    slug="octopuspro",
    name="OctopusPro",
    category="crm",
    credentials=ExportCredentials,
    limits=Limits(concurrency=1, batch=2_000, file_bytes=0, call_timeout=120.0),
    capabilities=Capabilities(),
    facts={
        "api": "no public reference; the vendor's help centre names an open REST API, so ask (fact sheet section 3)",
        "export": "the vendor's support hands over CSV or JSON on request, in 5-10 working days (seed 2)",
        "export_request": EXPORT_REQUEST,
        "uploads": "one CSV or JSON file per table, or a ZIP of them; nested lists of JSON are tables of their own",
        "timezone": "stamps carry no offset: name the account's zone in the connection's config (fact sheet section 3)",
        "phone_region": "AU",
        "persons": "up to three persons, e-mails and phones stand in one customer (import template, section 3)",
        "passwords": "a column of passwords may stand in the template: it is never read (section 3)",
        "statuses": "tenant-defined names of booking statuses; those without a stage wait for a person (section 3)",
        "payment_status": "derived from total, paid and due; Draft and Void by the invoice's status (section 3)",
        "billing_models": "booking fee or commission change what an amount means: both are listed (seed 2)",
        "custom_fields": "typed by the inventory in the export, else by the votes of their rows (seed 2)",
        "signatures": "custom fields of the type signature do not export; capture them again (seed 2)",
        "images": "come as addresses and stay text (seed 2)",
        "gps": "tracking preferences of field workers are not carried over (seed 2)",
        "deltas": "a second export is compared by hash; absence deletes only where declared complete (ruling 28)",
    },
    source=OctopusProSource,
)
