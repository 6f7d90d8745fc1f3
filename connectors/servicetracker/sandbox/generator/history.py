"""Service history, scheduled visits, dispatches and notes."""

from collections.abc import Iterator
from random import Random
from typing import Any

from connectors.servicetracker.sandbox.generator import words
from connectors.servicetracker.sandbox.generator.plan import DAYS, Plan

Row = dict[str, Any]
# The platform archives activities by age; the oldest tenth of our five years is archived.
_ARCHIVED_DAYS = DAYS // 10
_SERIES = 10
_VISITS_IN_SERIES = 4


def tasks(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Task")
    draw = rng.random
    marks = plan.marks("Task", {"long": 0.0003, "emoji": 0.003, "sentinel": 0.002, "clock": 0.003, "lines": 0.003})
    for place in range(plan.counts["Task"]):
        row = plan.head("Task", place, rng)
        day = int(draw() * DAYS)
        action = words.ACTIONS[int(draw() * 8)]
        _about(row, plan, rng)
        row["Subject"] = f"{action} {words.DEVICES[int(draw() * 9)].lower()}"
        row["Status"] = status = ("Completed", "Completed", "Completed", "Not Started", "In Progress", "Deferred")[
            int(draw() * 6)
        ]
        row["Priority"] = ("Normal", "Normal", "High", "Low")[int(draw() * 4)]
        row["ActivityDate"] = plan.days[day]
        row["Description"] = words.FINDINGS[int(draw() * 8)] + "." if draw() < 0.8 else None
        row["Action_Taken__c"] = action
        row["Technician__c"] = plan.id("ServiceResource", int(draw() * plan.technicians)) if draw() < 0.9 else None
        row["CompletedDateTime"] = plan.days[day] + plan.times[int(draw() * 900)] if status == "Completed" else None
        row["IsArchived"] = int(day < _ARCHIVED_DAYS)
        dirt = marks.get(place)
        if dirt == "long":
            row["Description"] = (words.LONG_SENTENCE * 400)[:32_000]
        elif dirt == "emoji":
            row["Description"] = words.EMOJI_TEXT
        elif dirt == "sentinel":
            row |= {"ActivityDate": words.EPOCH_DAY, "CompletedDateTime": words.EPOCH_MOMENT}
        elif dirt == "clock":
            row["CompletedDateTime"] = rng.choice(words.CLOCK_CHANGES)
        elif dirt == "lines":
            row["Description"] = '1) isolated\r\n2) drained, "slow"\r\n3) refilled; ok\n'
        yield row


def _about(row: Row, plan: Plan, rng: Random) -> None:
    """What a record is about: mostly a work order, sometimes an asset or a client; and with whom."""
    chance = rng.random()
    if chance < 0.7:
        work = int(rng.random() * plan.counts["WorkOrder"])
        client = plan.work_client(work)
        row["WhatId"] = plan.id("WorkOrder", work)
    elif chance < 0.85:
        asset = int(rng.random() * plan.counts["Asset"])
        client = asset % plan.counts["Account"]
        row["WhatId"] = plan.id("Asset", asset)
    else:
        client = int(rng.random() * plan.counts["Account"])
        row["WhatId"] = plan.client_id(client)
    row["WhoId"] = plan.contact_id(client, 0) if rng.random() < 0.7 else None


def events(plan: Plan) -> Iterator[Row]:
    """Of each ten visits four are a weekly series."""
    rng = plan.random("Event")
    draw = rng.random
    marks = plan.marks("Event", {"clock": 0.01, "backwards": 0.003})
    series: Row = {}
    for place in range(plan.counts["Event"]):
        row = plan.head("Event", place, rng)
        day, minute = int(draw() * (DAYS - 40)), int(draw() * 700)
        _about(row, plan, rng)
        group, turn = divmod(place, _SERIES)
        recurring = turn < _VISITS_IN_SERIES
        if recurring and turn == 0:
            series = {"day": day, "minute": minute, "WhatId": row["WhatId"], "WhoId": row["WhoId"]}
        if recurring:
            day, minute = series["day"] + 7 * turn, series["minute"]
            row |= {"WhatId": series["WhatId"], "WhoId": series["WhoId"], "Recurrence_Group__c": f"R-{group + 1:06d}"}
        row["Is_Recurring__c"] = int(recurring)
        row["IsAllDayEvent"] = int(not recurring and draw() < 0.05)
        row["Subject"] = f"Visit: {words.DEVICES[int(draw() * 9)]}"
        row["StartDateTime"] = plan.days[day] + plan.times[minute]
        row["EndDateTime"] = plan.days[day] + plan.times[minute + 15 * (1 + int(draw() * 12))]
        row["Location"] = f"{words.TOWNS[place % 40]}, {words.STREETS[place % 8]}"
        row["Description"] = "Call 30 minutes before." if draw() < 0.4 else None
        row["Technician__c"] = plan.id("ServiceResource", int(draw() * plan.technicians)) if draw() < 0.9 else None
        dirt = marks.get(place)
        if dirt == "clock":
            row["StartDateTime"] = rng.choice(words.CLOCK_CHANGES)
            row["EndDateTime"] = row["StartDateTime"][:11] + "23:59:59.000Z"
        elif dirt == "backwards":
            row["StartDateTime"], row["EndDateTime"] = row["EndDateTime"], row["StartDateTime"]
        yield row


def dispatches(plan: Plan) -> Iterator[Row]:
    rng = plan.random("ServiceAppointment")
    draw = rng.random
    works = plan.counts["WorkOrder"]
    for place in range(plan.counts["ServiceAppointment"]):
        row = plan.head("ServiceAppointment", place, rng)
        day, minute, length = int(draw() * DAYS), int(draw() * 500), 30 + 15 * int(draw() * 8)
        status = ("Scheduled", "Dispatched", "Completed", "Completed", "Cannot Complete", "Canceled")[int(draw() * 6)]
        technician = int(draw() * plan.technicians)
        row |= {"AppointmentNumber": f"SA-{place + 1:05d}", "ParentRecordId": plan.id("WorkOrder", place * 6 % works)}
        row |= {"Technician__c": plan.id("ServiceResource", technician), "Status": status}
        row["SchedStartTime"] = plan.days[day] + plan.times[minute]
        row["SchedEndTime"] = plan.days[day] + plan.times[minute + length]
        row["ArrivalWindowStartTime"] = plan.days[day] + plan.times[minute]
        row["ArrivalWindowEndTime"] = plan.days[day] + plan.times[minute + 60]
        if status == "Completed":
            row["ActualStartTime"] = plan.days[day] + plan.times[minute + 7]
            row["ActualEndTime"] = plan.days[day] + plan.times[minute + length + 11]
        row |= {"Territory__c": words.TERRITORIES[technician % 6], "Route_Order__c": 1 + place % 9}
        yield row


def notes(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Note")
    draw = rng.random
    marks = plan.marks("Note", {"html": 0.1, "emoji": 0.02, "long": 0.002, "empty": 0.01, "private": 0.02})
    parents = ("WorkOrder", "WorkOrder", "Account", "Contact", "Asset")
    for place in range(plan.counts["Note"]):
        row = plan.head("Note", place, rng)
        parent = parents[int(draw() * 5)]
        position = int(draw() * plan.counts[parent])
        if parent in {"Account", "Contact"}:
            position = plan.standing(parent, position)
        row |= {"ParentId": plan.id(parent, position), "Title": f"Note {place + 1}", "IsPrivate": 0}
        row["Body"] = f"{words.FINDINGS[int(draw() * 8)]}. {words.ACTIONS[int(draw() * 8)]}."
        dirt = marks.get(place)
        if dirt == "html":
            row["Body"] = words.NOTE_HTML[place % 3]
        elif dirt == "emoji":
            row |= {"Title": "👷 site note", "Body": words.EMOJI_TEXT}
        elif dirt == "long":
            row["Body"] = (words.LONG_SENTENCE * 400)[:32_000]
        elif dirt == "empty":
            row["Body"] = None
        elif dirt == "private":
            row["IsPrivate"] = 1
        yield row
