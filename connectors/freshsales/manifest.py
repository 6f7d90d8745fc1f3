"""What is known of Freshsales as data. Section numbers are those of the Freshsales fact sheet."""

from app.domain.schema import Encoding
from connectors.base import Capabilities, Limits, ObjectFacts, Platform, ProbeStyle, WriteStyle
from connectors.freshsales.destination import FreshsalesDestination
from connectors.freshsales.editions import EDITIONS, QUOTA_WINDOW
from connectors.freshsales.files import FILE_BYTES
from connectors.freshsales.settings import FreshsalesCredentials

_BULK = ObjectFacts(
    probe=ProbeStyle.REPEAT,
    insert_batch=1,
    calls_per_batch=3,
    source="bulk upsert, 100 a call, by a key unique in the account: job, report, ids found by key (sections 10, 14)",
)
_SINGLE = ObjectFacts(
    style=WriteStyle.INSERT,
    batch=1,
    read_batch=1,
    source="no upsert and no bulk call: one call per record (sections 6 and 11)",
)
_ACTIVITY = ObjectFacts(
    style=WriteStyle.INSERT,
    probe=ProbeStyle.PARENT_LIST,
    batch=1,
    delete_batch=1,
    key_field=None,
    by_id=False,
    parent_field="targetable_id",
    parent_object_field="targetable_type",
    marker_field="description",
    source="one call per record, no custom fields, read beside the records they hang on (sections 3 and 7, ruling 22)",
)

OBJECTS = {
    "*": _SINGLE.model_copy(update={"read_batch": 100, "source": "custom modules: no upsert (section 11)"}),
    "contacts": _BULK.model_copy(
        # a status belongs to its lifecycle stage, as a deal's stage to its pipeline (section 3)
        update={"key_field": "external_id", "together": (("lifecycle_stage_id", "contact_status_id"),)}
    ),
    "sales_accounts": _BULK,
    # A deal has no unique field (section 14): inserted one by one and looked up by its key, changed in bulk by id.
    # Lines decide the amount, whatever was written before (section 5, ruling 22).
    "deals": _SINGLE.model_copy(
        update={
            "batch": 100,
            "insert_batch": 1,
            "read_batch": 100,
            "computed_from": {"amount": "deal_products"},
            "together": (("deal_pipeline_id", "deal_stage_id"),),
            "source": "no unique field: inserted one by one, changed 100 a job by their ids (sections 10 and 14)",
        }
    ),
    "leads": _SINGLE.model_copy(
        update={
            "style": WriteStyle.UPSERT,
            "probe": ProbeStyle.REPEAT,
            "read_batch": 100,
            "source": "classic suite only: upsert by a field proven unique, no bulk call is listed (sections 2 and 3)",
        }
    ),
    "products": _SINGLE,
    "tasks": _ACTIVITY,
    "appointments": _ACTIVITY,
    "notes": _ACTIVITY,
    "phone_calls": _ACTIVITY.model_copy(
        update={
            "deletable": False,
            "unreadable": ("call_direction",),
            "source": "a log and its note; only the note can be read or deleted (section 9)",
        }
    ),
    "sales_activities": _ACTIVITY.model_copy(
        update={"marker_field": "notes", "source": "custom types only, which Enterprise has (section 7)"}
    ),
    "documents": ObjectFacts(
        style=WriteStyle.FILE,
        probe=ProbeStyle.PARENT_LIST,
        batch=1,
        key_field=None,
        parent_field="targetable_id",
        parent_object_field="targetable_type",
        updatable=False,
        deletable=False,
        source="one file or link per call; no download, no delete call (section 8)",
    ),
    "deal_products": ObjectFacts(
        style=WriteStyle.INSERT,
        probe=ProbeStyle.PARENT_LIST,
        batch=50,
        with_parent=True,
        calls_per_batch=3,
        by_id=False,
        key_field=None,
        parent_field="deal_id",
        source="lines of a deal are written as a whole with the deal, one call per deal (section 5); no view holds all"
        " deals, three by their outcome do",
    ),
}

PLATFORM = Platform(
    slug="freshsales",
    name="Freshsales",
    category="crm",
    credentials=FreshsalesCredentials,
    limits=Limits(
        concurrency=5,  # no limit of calls in flight is stated; clients keep 6 to 8 (section 10)
        batch=100,  # section 10
        fields_per_read=10_000,  # an answer always holds every field
        file_bytes=FILE_BYTES,  # section 8
        call_timeout=30.0,
        settle_seconds=2.0,  # search follows writes with a lag that no source states (section 10)
        index_seconds=2.0,  # and counting by a field is a search
        quota_window=QUOTA_WINDOW,  # section 16
        calls_per_object=3,  # fields, forms or dropdowns, views (sections 2, 11 and 12)
        quota_turns=True,  # x-ratelimit-reset (section 15)
    ),
    capabilities=Capabilities(
        upsert_by_key=True,
        create_objects=True,  # Enterprise (section 11): see `custom_modules` of the edition
        create_fields=True,  # undocumented on standard modules: a refusal becomes an instruction (section 11)
        create_picklist_values=False,
        create_stages=False,
        create_users=False,
        modified_since=True,  # filtered search with is_after (section 10)
        deletions_since=False,
        suppress_automation=False,  # no way was found (section 13)
        reassign_owner=True,
        restore_deleted=False,  # in the product's pages only, products excepted (section 17)
    ),
    encoding=Encoding(reference="integer", user="integer", datetime_offset=True, milliseconds=False, multi=";"),
    editions=EDITIONS,
    objects=OBJECTS,
    facts={
        "calls": "per hour and account, all keys together: 1,000, 2,000 or 5,000 by plan (section 16)",
        "jobs": "10 bulk jobs under way per account, the eleventh answers 405; we keep 8 at most (section 10)",
        "unique_keys": "contacts have external_id; accounts need a field made unique by an administrator (section 14)",
        "custom_objects": "custom modules need Enterprise by the vendor's help pages (section 16)",
        "files": "150 MB each; storage per user 2, 5 or 100 GB by plan, pooled (sections 8 and 16)",
        "timestamps": "created and updated times are not honoured: source times go to own fields (section 13)",
        "automation": "nothing suppresses workflows: an administrator switches them off first (section 13)",
        "custom_field": "a PUT may replace all custom values: others are read and sent along (section 13)",
        "admin_only": "users, roles, territories, pipelines, stages, statuses, options, unique flags (section 18)",
        "rollback": "deleted records stay in the recycle bin 90 days; files, links and call logs stay (sections 8, 17)",
        "note_content_length": "10000 (section 14)",
    },
    destination=FreshsalesDestination,
)
