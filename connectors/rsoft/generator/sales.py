"""Deals and the activities logged against contacts, leads, companies and deals."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from connectors.rsoft.generator import words
from connectors.rsoft.generator.people import (
    company_id,
    company_name,
    contact_email,
    contact_id,
    contact_name,
    lead_id,
    owner,
    tags,
)
from connectors.rsoft.generator.plan import Plan, amount, day, moment, stamp
from connectors.rsoft.generator.settings import STAGES

DEAL_HEADINGS = [
    "Deal Id", "Deal Name", "Company", "Contact", "Pipeline", "Stage", "Amount", "Probability",
    "Expected Close Date", "Closed On", "Closed Reason", "Owner", "Tags", "Remarks", "Created On", "Modified On",
    "Payment Terms",
]  # fmt: skip
ACTIVITY_HEADINGS = [
    "Activity Id", "Type", "Related Type", "Related To", "Subject", "Description", "From", "To", "Cc", "Direction",
    "Status", "Priority", "Due On", "Done On", "Duration", "Location", "Outcome", "Recording", "Owner", "Created On",
]  # fmt: skip
_TYPES = ("Call", "Call", "Email", "SMS", "Meeting", "Note", "Task")


def deal_id(place: int) -> str:
    return f"DEA-{place + 1:06d}"


def deals(plan: Plan) -> Iterator[list[str]]:
    firms, people = plan.counts["companies"], plan.counts["contacts"]
    for place in range(plan.counts["deals"]):
        rng = plan.random("deals", place)
        firm, contact = rng.randrange(firms), rng.randrange(people)
        pipeline, stage, probability, outcome = rng.choice(STAGES)
        made = moment(rng)
        closed = made + timedelta(days=rng.randrange(5, 90))
        reason = {"Won": rng.choice(words.WON), "Lost": rng.choice(words.LOST)}.get(outcome, "")
        # Most deals name their company and contact, as people type them; some were exported with ids.
        company = company_id(firm) if place % 5 == 0 else company_name(firm)
        person = contact_id(contact) if place % 3 else contact_name(plan, contact)
        yield [
            *(deal_id(place), f"{company_name(firm).split()[0]} {rng.choice(words.WISHES).partition('<')[0]}"),
            *(company.lower() if place % 7 == 6 else company, person, pipeline, stage),
            *(amount(rng, rng.randrange(1, 600) * 25_000), f"{probability}%", day(closed)),
            *(day(closed) if reason else "", reason, owner(rng, by_mail=place % 2 == 0), tags(rng)),
            *(rng.choice(words.SENTENCES) if place % 4 == 0 else "", stamp(made), stamp(made)),
            rng.choice(words.TERMS),
        ]


def _related(plan: Plan, rng: Random, place: int) -> tuple[str, str]:
    """The record an activity hangs on: usually its id, sometimes a contact's name; one in a hundred is gone."""
    kind = ("Contact", "Deal", "Lead", "Company", "Deal", "Contact")[place % 6]
    if place % 100 == 99:
        return "Deal", "DEA-999999"
    if kind == "Contact":
        contact = rng.randrange(plan.counts["contacts"])
        return kind, contact_name(plan, contact) if place % 12 == 0 else contact_id(contact)
    if kind == "Lead":
        return kind, lead_id(rng.randrange(plan.counts["leads"]))
    if kind == "Company":
        return kind, company_id(rng.randrange(plan.counts["companies"]))
    return kind, deal_id(rng.randrange(plan.counts["deals"]))


def activities(plan: Plan) -> Iterator[list[str]]:
    for place in range(plan.counts["activities"]):
        rng = plan.random("activities", place)
        kind = rng.choice(_TYPES)
        related, record = _related(plan, rng, place)
        made = moment(rng)
        done = made + timedelta(hours=rng.randrange(1, 72))
        mails = ["", "", ""]
        if kind == "Email":
            mails = [
                "owner1@example.com",
                contact_email(rng.randrange(plan.counts["contacts"])),
                "dispatch@example.com",
            ]
        call, open_task = kind == "Call", kind == "Task" and rng.random() < 0.4
        yield [
            *(f"ACT-{place + 1:06d}", kind, related, record, rng.choice(words.SUBJECTS), rng.choice(words.SENTENCES)),
            *(*mails, rng.choice(("Inbound", "Outbound")) if call or kind in ("Email", "SMS") else ""),
            *("Open" if open_task else "Completed", rng.choice(("Low", "Normal", "High"))),
            *(stamp(done) if kind in ("Task", "Meeting") else "", "" if open_task else stamp(done)),
            *(str(rng.randrange(1, 60)) if call or kind == "Meeting" else "", "Showroom" if kind == "Meeting" else ""),
            *(rng.choice(("Answered", "No answer", "Call later")) if call else "", "Yes" if call and place % 3 else ""),
            *(owner(rng, by_mail=False), stamp(made)),
        ]
