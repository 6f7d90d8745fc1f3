"""Notes, tasks, appointments, sales activities and phone calls (Freshsales fact sheet sections 7, 9 and 19)."""

import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Json, Start


def on(key: int, kind: str = "Contact", **more: object) -> Json:
    return {"targetable_type": kind, "targetable_id": key, **more}


async def test_section_7_note(fresh: Fresh) -> None:
    key = await fresh.contact()
    answer = await fresh.post("notes", {"note": on(key, description="Called")})
    assert answer.status_code == 200
    note = answer.json()["note"]
    assert note["targetables"] == [{"id": key, "type": "Contact"}]
    assert note["creater_id"] == (await fresh.selector("owners"))["Account Admin"]["id"]
    shown = await fresh.good("GET", f"contacts/{key}?include=notes")
    assert shown["notes"][0]["targetable"] == {"type": "contact", "id": key}
    assert shown["contact"]["recent_note"] == "Called"
    assert (await fresh.good("GET", f"contacts/{key}/notes"))["notes"][0]["description"] == "Called"
    changed = await fresh.good("PUT", f"notes/{note['id']}", {"note": {"description": "Met"}})
    assert changed["note"]["description"] == "Met"
    assert await fresh.good("DELETE", f"notes/{note['id']}") == {"success": "200"}
    assert (await fresh.delete(f"notes/{note['id']}")).status_code == 404
    assert (await fresh.good("GET", f"contacts/{key}"))["contact"]["recent_note"] is None


async def test_section_2_notes_have_no_get(fresh: Fresh) -> None:
    note = (await fresh.good("POST", "notes", {"note": on(await fresh.contact(), description="x")}))["note"]
    assert (await fresh.get(f"notes/{note['id']}")).status_code == 404
    assert (await fresh.get("notes")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [("notes", {}), ("tasks", {"title": "T"}), ("appointments", {"title": "A", "from_date": "2020-01-01"}),
     ("sales_activities", {"title": "S"})],
)  # fmt: skip
async def test_section_7_required_values(fresh: Fresh, path: str, body: Json) -> None:
    message = await fresh.refused("POST", path, on(await fresh.contact(), **body))
    assert message[0].endswith("can't be empty")


@pytest.mark.parametrize("target", [{}, {"targetable_type": "Contact", "targetable_id": 1},
                                    {"targetable_type": "Ticket", "targetable_id": 1},
                                    {"targetable_type": "Lead", "targetable_id": 1}])  # fmt: skip
async def test_section_7_targets_must_exist(fresh: Fresh, target: Json) -> None:
    assert await fresh.refused("POST", "notes", {"note": {"description": "x", **target}})


async def test_section_7_task_dates_owner_and_completion(fresh: Fresh) -> None:
    key = await fresh.deal()
    due = "Tue Jun 21 2099 11:00:00 GMT+0000"  # section 14: a long textual form
    body = on(key, "Deal", title="Visit", due_date=due, description="Bring a ladder", cf_x="lost")
    answer = await fresh.post("tasks", {"task": body})
    assert answer.status_code == 201
    task = answer.json()["task"]
    assert (task["due_date"], task["status"]) == ("2099-06-21T07:00:00-04:00", 0)
    assert task["owner_id"] == (await fresh.selector("owners"))["Account Admin"]["id"]
    assert "custom_field" not in task
    done = (await fresh.good("PUT", f"tasks/{task['id']}", {"task": {"status": 1}}))["task"]
    assert done["completed_date"] == "2026-03-02T07:00:00-05:00"
    shown = await fresh.good("GET", f"tasks/{task['id']}")
    assert shown["task"]["targetable"] == {"type": "deal", "id": key}
    assert (shown["deals"][0]["id"], len(shown["users"])) == (key, 1)
    assert await fresh.refused("PUT", f"tasks/{task['id']}", {"task": {"status": 2}})
    assert await fresh.refused("PUT", f"tasks/{task['id']}", {"task": {"due_date": "soon"}})


async def test_section_7_task_filters(fresh: Fresh) -> None:
    key = await fresh.contact()
    for title, due in (("late", "2026-03-01"), ("today", "2026-03-02T20:00:00Z"), ("tomorrow", "2026-03-03"),
                       ("later", "2026-05-01")):  # fmt: skip
        await fresh.good("POST", "tasks", {"task": on(key, title=title, due_date=due)})
    await fresh.good("POST", "tasks", {"task": on(key, title="done", due_date="2026-01-01", status=1)})
    expected = {
        "open": ["late", "today", "tomorrow", "later"], "overdue": ["late"], "due today": ["today"],
        "due_today": ["today"], "due tomorrow": ["tomorrow"], "completed": ["done"],
    }  # fmt: skip
    for text, titles in expected.items():
        found = await fresh.good("GET", f"tasks?filter={text}")
        assert [row["title"] for row in found["tasks"]] == titles, text
        assert found["meta"]["total"] == len(titles)
    assert await fresh.refused("GET", "tasks") == ["filter is invalid"]


@pytest.mark.parametrize(("spelling", "wrong"), [("space", "due_today"), ("underscore", "due today")])
async def test_section_19_7_spelling_of_the_task_filter(start: Start, spelling: str, wrong: str) -> None:
    fresh = await start(task_filter=spelling)
    assert await fresh.refused("GET", f"tasks?filter={wrong}") == ["filter is invalid"]


async def test_section_7_appointments_in_the_past_with_attendees(fresh: Fresh) -> None:
    key, user = await fresh.contact(), (await fresh.selector("owners"))["Omar Sales"]["id"]
    attendees = [{"attendee_type": "Contact", "attendee_id": key},
                 {"attendee_type": "FdMultitenant::User", "attendee_id": user}]  # fmt: skip
    body = on(key, title="Visit", from_date="Mon Jun 20 2016 10:30:00 GMT+0530 (IST)",
              end_date="2016-06-20T11:30:00+05:30", appointment_attendees_attributes=attendees)  # fmt: skip
    made = await fresh.good("POST", "appointments", {"appointment": body})
    assert made["appointment"]["from_date"] == "2016-06-20T01:00:00-04:00"
    assert made["appointment"]["provider"] == "freshsales"
    assert made["appointment"]["appointment_attendee_ids"] == [row["id"] for row in made["appointment_attendees"]]
    assert (made["conferences"], made["notes"]) == ([], [])
    assert len((await fresh.good("GET", "appointments?filter=past"))["appointments"]) == 1
    assert (await fresh.good("GET", "appointments?filter=upcoming"))["appointments"] == []
    assert await fresh.refused("GET", "appointments?filter=open")
    assert len((await fresh.good("GET", f"contacts/{key}/appointments"))["appointments"]) == 1
    wrong = {**body, "appointment_attendees_attributes": [{"attendee_type": "Contact", "attendee_id": 1}]}
    assert await fresh.refused("POST", "appointments", {"appointment": wrong}) == ["Attendee is invalid"]


async def test_section_7_sales_activities_need_an_own_type(fresh: Fresh) -> None:
    key = await fresh.contact()
    types = await fresh.selector("sales_activity_types")
    body = on(key, title="Repair", start_date="2017-12-04T17:00:00+05:30", end_date="2017-12-04T17:30:00+05:30")
    for name in ("Phone", "Meeting", "Task"):
        wrong = {**body, "sales_activity_type_id": types[name]["id"]}
        assert await fresh.refused("POST", "sales_activities", {"sales_activity": wrong})
    own = await fresh.admin("create_activity_type", name="Service visit")
    extra = await fresh.field("sales_activity", "Original author", "text")
    values = {**body, "sales_activity_type_id": own, "notes": "n", "custom_field": {extra: "Tess"}}
    answer = await fresh.post("sales_activities", {"sales_activity": values})
    assert answer.status_code == 201
    made = answer.json()["sales_activity"]
    assert made["start_date"] == "2017-12-04T06:30:00-05:00"
    assert made["conversation_time"] == made["end_date"] == "2017-12-04T07:00:00-05:00"
    assert (made["custom_field"], made["targetable_id"], made["status"]) == ({extra: "Tess"}, key, False)
    listed = await fresh.good("GET", "sales_activities?per_page=10")
    assert [row["id"] for row in listed["sales_activities"]] == [made["id"]]
    offered = (await fresh.good("GET", "settings/sales_activities/fields"))["fields"]
    kind = next(row for row in offered if row["name"] == "sales_activity_type_id")
    assert [choice["value"] for choice in kind["choices"]] == ["Service visit"]


async def test_section_16_five_fields_for_sales_activities(fresh: Fresh) -> None:
    for number in range(5):
        await fresh.field("sales_activity", f"F{number}")
    action = {"action": "create_field", "module": "sales_activity", "label": "F5", "type": "text"}
    assert await fresh.refused("POST", "/_sandbox/admin", action)


async def test_section_7_feeds(fresh: Fresh) -> None:
    key, deal = await fresh.contact(), await fresh.deal()
    await fresh.good("POST", "notes", {"note": on(key, description="x")})
    await fresh.good("POST", "notes", {"note": on(deal, "Deal", description="x")})
    for path in (f"contacts/{key}/activities", f"contacts/{key}/activities.json"):
        feed = await fresh.good("GET", path)
        assert feed["activities"][0]["action_type"] == "note_create"
        assert feed["meta"] == {"has_next": False, "has_previous": False}
    assert len((await fresh.good("GET", f"deals/{deal}/timeline_feeds?page=1"))["timeline_feeds"]) == 1
    assert (await fresh.get(f"deals/{deal}/tasks")).status_code == 404  # section 1: a route of the pages only


async def test_section_9_both_forms_of_a_phone_call(fresh: Fresh) -> None:
    key = await fresh.contact()
    wrapped = {"phone_call": {"call_direction": True, "targetable_type": "contact", "targetable": {"id": key},
                              "note": {"description": "Long talk"}}}  # fmt: skip
    made = await fresh.good("POST", "phone_calls", wrapped)
    assert (made["phone_calls"][0]["is_manual"], made["notes"][0]["description"]) == (True, "Long talk")
    assert (made["contacts"][0]["id"], made["targetables"][0]["id"]) == (key, key)
    bare = {"call_direction": "incoming", **on(key), "call_notes": "Short"}
    made = await fresh.good("POST", "phone_calls", bare)
    assert made["phone_calls"][0]["call_direction"] is False
    texts = [row["description"] for row in (await fresh.good("GET", f"contacts/{key}/notes"))["notes"]]
    assert texts == ["Long talk", "Short"]
    assert await fresh.refused("POST", "phone_calls", {**bare, "call_direction": "sideways"})


@pytest.mark.parametrize("accepted", ["wrapped", "bare"])
async def test_section_19_3_one_form_of_a_phone_call(start: Start, accepted: str) -> None:
    fresh = await start(phone_call_body=accepted)
    key = await fresh.contact()
    wrapped = {"phone_call": {"call_direction": True, "targetable_type": "contact", "targetable": {"id": key}}}
    bare = {"call_direction": "incoming", **on(key)}
    good, wrong = (wrapped, bare) if accepted == "wrapped" else (bare, wrapped)
    await fresh.good("POST", "phone_calls", good)
    message = await fresh.refused("POST", "phone_calls", wrong, status=500)
    assert "Symbol into String" in message[0]
