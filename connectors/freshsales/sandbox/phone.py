"""POST /phone_calls in both forms that sources report (Freshsales fact sheet section 9, section 19 item 3)."""

from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.activities import new_row, save_new, target_of
from connectors.freshsales.sandbox.activityrows import render_activity
from connectors.freshsales.sandbox.answers import Json, bad, malformed, reply, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.render import render, user_row
from connectors.freshsales.sandbox.unlucky import refuse_unlucky
from connectors.freshsales.sandbox.values import TEXTAREA_LIMIT

_WORDS = {"incoming": False, "outgoing": True}


async def create(crm: Crm, request: Request) -> Response:
    """A manual call log, wrapped with `note {description}` or bare with `call_notes`; time is that of the call."""
    body = json_object(request)
    wrapped = "phone_call" in body
    accepted = crm.options.phone_call_body
    if (accepted == "bare" and (wrapped or "note" in body)) or (accepted == "wrapped" and not wrapped):
        raise malformed()
    direction, note, target = _wrapped(body["phone_call"]) if wrapped else _bare(body)
    if note is not None and len(note) > TEXTAREA_LIMIT:
        raise bad(f"Notes is too long (maximum is {TEXTAREA_LIMIT} characters)")
    refuse_unlucky(crm, "phone_call", {"description": note})
    key, module = target_of(crm, target)
    call = new_row(crm, "phone_call")
    call.data["call_direction"] = direction
    notes = []
    with crm.store.transaction():
        if note:
            made = new_row(crm, "note")
            made.data["description"] = note
            save_new(crm, made, key, module)
            notes.append(render_activity(crm, made))
            call.data["note_id"] = made.id
        save_new(crm, call, key, module)
    shown = render_activity(crm, call)
    found = [render(crm, each) for each in crm.store.live(module, [key])]
    plural = crm.schema.modules[module].plural
    return reply(200, {
        "phone_calls": [shown], "notes": notes, "contacts": [], "users": [user_row(crm.book.admin)],
        "targetables": shown["targetables"], plural: found,
    })  # fmt: skip


def _wrapped(call: object) -> tuple[bool, str | None, Json]:
    if not isinstance(call, dict):
        raise malformed()
    target, note = call.get("targetable"), call.get("note")
    if not isinstance(call.get("call_direction"), bool):
        raise wrong_type("call_direction")
    if not isinstance(target, dict) or not isinstance(note, dict | None):
        raise malformed()
    text = note.get("description") if note else None
    named = {"targetable_type": call.get("targetable_type"), "targetable_id": target.get("id")}
    return call["call_direction"], None if text is None else str(text), named


def _bare(body: Json) -> tuple[bool, str | None, Json]:
    word, note = body.get("call_direction"), body.get("call_notes")
    if not isinstance(word, str) or word not in _WORDS:
        raise bad("Call direction is invalid")
    if not isinstance(note, str | None):
        raise wrong_type("call_notes")
    return _WORDS[word], note, body
