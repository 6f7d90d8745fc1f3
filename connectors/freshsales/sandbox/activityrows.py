"""Notes, tasks, appointments and sales activities as they are kept and shown (Freshsales fact sheet section 7)."""

from typing import Any

from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.times import shown

KINDS = {
    "note": "notes", "task": "tasks", "appointment": "appointments", "sales_activity": "sales_activities",
    "phone_call": "phone_calls",
}  # fmt: skip
# CamelCase in bodies, snake case in `targetable` (section 7)
TARGET_TYPES = {"Contact": "contact", "SalesAccount": "sales_account", "Deal": "deal", "Lead": "lead"}
_CHECKIN = (
    "latitude", "longitude", "checkedin_latitude", "checkedin_longitude", "checkedin_location", "checkedin_at",
    "checkedout_latitude", "checkedout_longitude", "checkedout_location", "checkedout_at", "checkedin_duration",
)  # fmt: skip


def camel(target_type: str) -> str:
    """The CamelCase name of a target; a custom module keeps its own name."""
    return next((name for name, module in TARGET_TYPES.items() if module == target_type), target_type)


def targetable(row: Row) -> Json:
    return {"type": row.data["target_type"], "id": row.data["target_id"]}


def render_activity(crm: Crm, row: Row) -> Json:
    """The inner object of an answer for any of the four kinds and of phone calls."""
    shared: Json = {
        "id": row.id, "created_at": crm.when(row.created), "updated_at": crm.when(row.updated),
        "creater_id": row.creator,
        "targetables": [{"id": row.data["target_id"], "type": camel(row.data["target_type"])}],
    }  # fmt: skip
    return {**shared, **_OWN[row.module](crm, row)}


def _note(_: Crm, row: Row) -> Json:
    return {
        "description": row.data.get("description"), "url": None, "duration": None, "has_access": True,
        "collab_context": {"hasSlackViewAccess": False, "messageId": None}, "has_mentions": False,
        "html_content": row.data.get("description"),
    }  # fmt: skip


def _task(crm: Crm, row: Row) -> Json:
    data = row.data
    return {
        **{name: data.get(name) for name in ("title", "description", "status", "outcome_id", "task_type_id")},
        "owner_id": row.owner, "due_date": shown(data.get("due_date"), crm.zone),
        "completed_date": shown(data.get("completed_date"), crm.zone), "updater_id": row.updater,
    }  # fmt: skip


def _appointment(crm: Crm, row: Row) -> Json:
    data = row.data
    return {
        **dict.fromkeys(_CHECKIN),
        **{name: data.get(name) for name in ("time_zone", "title", "description", "location", "outcome_id")},
        "is_allday": bool(data.get("is_allday")), "from_date": shown(data.get("from_date"), crm.zone),
        "end_date": shown(data.get("end_date"), crm.zone), "provider": "freshsales", "can_checkin": True,
        "conference_id": None, "note_id": None,
        "appointment_attendee_ids": [each["id"] for each in data.get("attendees", [])],
    }  # fmt: skip


def _sales_activity(crm: Crm, row: Row) -> Json:
    data = row.data
    names = ("title", "sales_activity_type_id", "notes", "sales_activity_outcome_id", "location")
    custom: dict[str, Any] = data.get("custom_field", {})
    fields = crm.schema.modules["sales_activity"].fields.values()
    return {
        **dict.fromkeys(_CHECKIN), **{name: data.get(name) for name in names},
        "start_date": shown(data.get("start_date"), crm.zone), "end_date": shown(data.get("end_date"), crm.zone),
        "conversation_time": shown(data.get("end_date"), crm.zone), "completed_date": None, "status": False,
        "owner_id": row.owner, "updater_id": row.updater, "remote_id": None, "import_id": None,
        "latitude": data.get("latitude"), "longitude": data.get("longitude"),
        "targetable_id": data["target_id"], "targetable_type": camel(data["target_type"]),
        "custom_field": {each.name: custom.get(each.name) for each in fields if each.custom},
    }  # fmt: skip


def _phone_call(crm: Crm, row: Row) -> Json:
    return {
        "call_direction": row.data["call_direction"], "conversation_time": crm.when(row.created), "is_manual": True,
        "status": None, "user_id": row.creator, "note_id": row.data.get("note_id"),
    }  # fmt: skip


_OWN = {
    "note": _note, "task": _task, "appointment": _appointment, "sales_activity": _sales_activity,
    "phone_call": _phone_call,
}  # fmt: skip
