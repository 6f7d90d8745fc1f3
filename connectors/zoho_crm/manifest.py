"""What is known of Zoho CRM as data. Section numbers are those of the Zoho fact sheet."""

from app.domain.schema import Encoding
from connectors.base import Capabilities, Limits, ObjectFacts, Platform, ProbeStyle, WriteStyle
from connectors.zoho_crm.destination import ZohoDestination
from connectors.zoho_crm.editions import EDITIONS
from connectors.zoho_crm.files import ATTACHMENT_BYTES
from connectors.zoho_crm.settings import ZohoCredentials

_ACTIVITY = ObjectFacts(
    style=WriteStyle.INSERT,
    probe=ProbeStyle.KEY,
    source="no upsert for activities (section 11): insert, own id map, COQL on the id field",
)

_RECORD = ObjectFacts(source="upsert by a unique field, 100 records a call (sections 4 and 11)")

OBJECTS = {
    "*": _RECORD,
    "Deals": _RECORD.model_copy(update={"together": (("Pipeline", "Stage"),)}),
    "Tasks": _ACTIVITY,
    "Events": _ACTIVITY,
    "Calls": _ACTIVITY,  # no external fields there, and no unique one is assumed (section 12, ruling 16)
    "Notes": ObjectFacts(
        style=WriteStyle.INSERT,
        probe=ProbeStyle.PARENT_LIST,
        key_field=None,
        parent_field="Parent_Id",
        parent_object_field="$se_module",
        marker_field="Note_Content",
        source="no custom fields, no upsert; 100 a call; only title and content change later (sections 4, 11, 16)",
    ),
    "Attachments": ObjectFacts(
        style=WriteStyle.FILE,
        probe=ProbeStyle.PARENT_LIST,
        batch=1,
        key_field=None,
        parent_field="Parent_Id",
        parent_object_field="$se_module",
        updatable=False,
        source="one file or link per call, listed and deleted through its parent (section 17)",
    ),
}

PLATFORM = Platform(
    slug="zoho_crm",
    name="Zoho CRM",
    category="crm",
    credentials=ZohoCredentials,
    limits=Limits(
        concurrency=5,  # the smallest edition's (section 4); editions name their own
        batch=100,  # section 4
        file_bytes=ATTACHMENT_BYTES,  # the smaller of two statements (section 19 item 6)
        call_timeout=30.0,
        # COQL reads the store (section 14); a request cut on our side may still be at work there for a moment.
        settle_seconds=2.0,
        quota_window=86_400.0,  # rolling 24 hours (section 4)
    ),
    capabilities=Capabilities(
        upsert_by_key=True,
        create_objects=True,  # Enterprise and higher (section 6): see `custom_modules` of the edition
        create_fields=True,
        create_picklist_values=True,
        create_stages=True,  # probability unverified (section 9): a refusal becomes an instruction
        create_users=False,  # possible, but each call sends an invitation (section 5): left to the administrator
        modified_since=True,
        deletions_since=True,
        suppress_automation=True,  # "trigger": [] (section 13)
        reassign_owner=True,
        restore_deleted=True,  # recycle bin, 60 days (section 15)
    ),
    encoding=Encoding(reference="object", user="object", datetime_offset=True, milliseconds=False, multi="list"),
    editions=EDITIONS,
    objects=OBJECTS,
    facts={
        "credits": "any call 1; writes 1 per 10 records; COQL 1 to 3; create a custom module 500 (section 4)",
        "credits_formula": "credits_base + users × credits_per_user, at most credits_cap, per rolling day (section 4)",
        "sub_concurrency": "10 calls in flight that write more than 10 records or query (section 4)",
        "unique_fields": "2 per module in every edition; external ones are counted too, to be safe (ruling 16)",
        "timestamps": "Created_Time and Modified_Time are read-only: source times go to own fields (section 13)",
        "picklists": "unlisted values are accepted and added (section 10, ruling 17)",
        "subforms": "cannot be created by API (section 7)",
        "rollback": "no API deletes a module; deleted records stay in the recycle bin 60 days (sections 6, 15)",
        "automation": "trigger [] on every write; cadences start only on conditions of their own (section 13)",
        "note_content_length": "65535 (section 16)",
        "note_title_length": "120 (section 16)",
    },
    destination=ZohoDestination,
)
