"""Tickets with their conversations, and the list of tags."""

from collections.abc import Iterator
from datetime import timedelta

from connectors.rsoft.generator import words
from connectors.rsoft.generator.people import company_name, contact_id, contact_name, lead_id, owner
from connectors.rsoft.generator.plan import Plan, moment, stamp
from connectors.rsoft.generator.sales import deal_id

TICKET_HEADINGS = [
    "Ticket Id", "Subject", "Description", "Status", "Priority", "Channel", "Contact", "Company", "Assignee",
    "Resolution", "Created On", "Closed On", "Serial Number",
]  # fmt: skip
MESSAGE_HEADINGS = ["Message Id", "Ticket Id", "Author", "Author Type", "Channel", "Sent On", "Message"]
TAG_HEADINGS = ["Record Type", "Record Id", "Tag"]
_CHANNELS = ("Email", "Online", "Phone", "Chat", "Social Media")
_STATUS = ("Open", "In Progress", "On Hold", "Resolved", "Closed")


def ticket_id(place: int) -> str:
    return f"TKT-{place + 1:06d}"


def tickets(plan: Plan) -> Iterator[list[str]]:
    for place in range(plan.counts["tickets"]):
        rng = plan.random("tickets", place)
        contact = rng.randrange(plan.counts["contacts"])
        status = rng.choice(_STATUS)
        made = moment(rng)
        closed = made + timedelta(hours=rng.randrange(2, 200)) if status in ("Resolved", "Closed") else None
        person = contact_name(plan, contact) if place % 8 == 3 else contact_id(contact)
        firm = company_name(rng.randrange(plan.counts["companies"])) if place % 2 else ""
        yield [
            *(ticket_id(place), rng.choice(words.TROUBLES), rng.choice(words.SENTENCES), status),
            *(rng.choice(("Low", "Medium", "High", "Urgent")), rng.choice(_CHANNELS), person, firm),
            *(owner(rng, by_mail=False), words.REPLIES[3] if closed else "", stamp(made)),
            *(stamp(closed) if closed else "", f"SN{rng.randrange(10_000, 99_999)}" if place % 2 == 0 else ""),
        ]


def messages(plan: Plan) -> Iterator[list[str]]:
    number = 0
    for place in range(plan.counts["tickets"]):
        rng = plan.random("messages", place)
        at = moment(plan.random("tickets-time", place))
        for turn in range(rng.randrange(1, 5)):
            number += 1
            at += timedelta(minutes=rng.randrange(5, 600))
            agent = turn % 2 == 1
            author = owner(rng, by_mail=False) if agent else contact_name(plan, rng.randrange(plan.counts["contacts"]))
            text = rng.choice(words.REPLIES) if turn else rng.choice(words.SENTENCES)
            yield [
                *(f"MSG-{number:06d}", ticket_id(place), author, "Agent" if agent else "Customer"),
                *(rng.choice(_CHANNELS), stamp(at), text),
            ]


def tags(plan: Plan) -> Iterator[list[str]]:
    """Tags that were set in bulk; many repeat what stands on the record itself, in another case."""
    for table, kind, name in (
        ("contacts", "Contact", contact_id),
        ("leads", "Lead", lead_id),
        ("deals", "Deal", deal_id),
    ):
        for place in range(0, plan.counts[table], 4):
            rng = plan.random(f"tags-{table}", place)
            tag = rng.choice(words.TAGS)
            yield [kind, name(place), tag.upper() if place % 8 == 4 else tag]
