"""What is known of clinic management software as data. Section numbers are those of the source fact sheet."""

from connectors.base import Capabilities, Limits, Platform
from connectors.clinic.catalogue import PLATFORM_SLUG
from connectors.clinic.source import ClinicSource
from connectors.exportkit.config import ExportCredentials

PLATFORM = Platform(
    slug=PLATFORM_SLUG,
    name="Clinic Management Software",
    category="crm",
    credentials=ExportCredentials,
    limits=Limits(concurrency=1, batch=2_000, file_bytes=0, call_timeout=120.0),
    capabilities=Capabilities(modified_since=False, deletions_since=False),
    facts={
        "access": "hardly any product has a public interface: tables and a folder of papers are uploaded (section 4.1)",
        "uploads": "one file per table (CSV, TSV, XLSX, JSON), or a ZIP of tables with a folder of papers",
        "identity": "some products repeat the person in each row: name with birth date or card number (section 4.1)",
        "custom_fields": "by difference, numbered columns, sheets of names and values, JSON in cells (section 4.3)",
        "documents": "by path, folder of a patient's id, "
        "pattern of the file name; never by a person's name (section 4.3)",
        "health_data": "guarded field by field; custom fields are guarded whatever they hold (section 4.3)",
        "shared_email": "the address is not unique at the source: the first patient keeps it (section 4.3, ruling 21)",
    },
    source=ClinicSource,
)
