"""Fills the sandbox's store with an invented company, the same for the same seed and scale."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from connectors.servicetracker.sandbox.generator import files, history, people, work
from connectors.servicetracker.sandbox.generator.plan import Plan
from connectors.servicetracker.sandbox.ids import IdMaker
from connectors.servicetracker.sandbox.schema import OBJECTS
from connectors.servicetracker.sandbox.store import Store

# The user behind the API's credentials: always the first.
API_USER_ID = IdMaker("005")(1)
API_USER = "integration@example.net"
TODAY = date(2026, 6, 30)
_STREAMS: dict[str, Callable[[Plan], Iterator[dict[str, Any]]]] = {
    "User": people.users,
    "Account": people.accounts,
    "Contact": people.contacts,
    "Site__c": people.sites,
    "ServiceResource": people.technicians,
    "Lead": people.leads,
    "ServiceContract": work.contracts,
    "Product2": work.parts,
    "Asset": work.assets,
    "WorkOrder": work.work_orders,
    "ProductConsumed": work.parts_used,
    "Invoice__c": work.invoices,
    "Renewal_Rule__c": work.renewal_rules,
    "Automation_Rule__c": work.automation_rules,
    "Task": history.tasks,
    "Event": history.events,
    "ServiceAppointment": history.dispatches,
    "Note": history.notes,
    "Attachment": files.attachments,
    "ContentDocument": files.content_documents,
    "ContentVersion": files.content_versions,
    "ContentDocumentLink": files.content_links,
    "DigitalSignature": files.signatures,
}
_ALWAYS = frozenset({"User"})


def generate(store: Store, *, seed: int, scale: int, today: date = TODAY) -> dict[str, int]:
    """Fills an empty store with about `scale` records as a stream; returns the rows per object.

    A scale of 0 gives an account with its staff users and nothing else.
    """
    plan = Plan(seed, scale, today)
    if scale == 0:
        plan.portal_users = 0
    written: dict[str, int] = {}
    for name, stream in _STREAMS.items():
        if scale == 0 and name not in _ALWAYS:
            continue
        written[name] = store.insert(OBJECTS[name], stream(plan))
        store.start_numbers(OBJECTS[name], written[name])
    store.finish_fill()
    return written
