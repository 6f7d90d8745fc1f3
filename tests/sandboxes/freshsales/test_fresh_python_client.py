"""python-freshworks-crm as an independent client of a served sandbox (Freshsales fact sheet section 20).

The client forces https, so its prefix is replaced; nothing else of it is changed.
"""

import importlib.util
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from connectors.freshsales.sandbox import create_app
from connectors.sandboxkit.config import SandboxConfig
from connectors.sandboxkit.server import server

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("freshsales") is None, reason="python-freshworks-crm is not installed"
)
SCALE = 20


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    """A sandbox with 20 generated records on a free loopback port, in a thread."""
    running = server(create_app(SandboxConfig(scale=SCALE)), host="127.0.0.1", port=0)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        while not running.started:
            thread.join(0.01)
            assert thread.is_alive(), "the sandbox did not start"
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def api(root: str) -> Iterator[Any]:
    """The client, pointed at the sandbox."""
    from freshsales.api import API

    client = API("sandbox.example/crm/sales", "sandbox-key")
    client._api_prefix = f"{root}/crm/sales/api"
    yield client
    client._session.close()


def view(views: list[Any], name: str) -> int:
    return next(int(each.id) for each in views if each.name == name)


def administrator(root: str, **action: Any) -> None:
    assert httpx.post(f"{root}/_sandbox/admin", json=action).status_code == 200


def test_section_20_contacts(api: Any) -> None:
    made = api.contacts.create_contact(first_name="Jane", last_name="Harbor", emails="jane@example.com")
    assert made.emails[0]["value"] == "jane@example.com"
    account = api.accounts.create_account(name="Jane's")
    api.contacts.update_contact(made.id, job_title="Boss", sales_accounts=[{"id": account.id, "is_primary": True}])
    shown = api.contacts.view_contact(made.id, "owner", "sales_accounts")
    assert (shown.job_title, str(shown), shown.sales_accounts[0].name) == ("Boss", "Jane Harbor", "Jane's")
    assert isinstance(shown.created_at, datetime)
    assert shown.created_at.utcoffset() is not None
    again = api.contacts.upsert_contact(("emails", "jane@example.com"), city="Rome")
    assert (again.id, again.city) == (made.id, "Rome")
    cloned = api.contacts.clone_contact(made.id, last_name="Other")
    assert (cloned.first_name, cloned.last_name) == ("Jane", "Other")
    listed = api.contacts.list_contacts(view(api.contacts.list_views(), "All Contacts"), per_page=100)
    assert {made.id, cloned.id} <= {each.id for each in listed}
    assert api.contacts.delete_contact(cloned.id) is True
    assert api.contacts.forget_contact(cloned.id) is True
    assert {each.name for each in api.contacts.list_fields(True)} >= {"emails", "lifecycle_stage_id"}
    api.notes.create_note(description="Hello", targetable_type="Contact", targetable_id=made.id)
    assert api.contacts.list_activities(made.id)[0]["action_type"] == "note_create"
    found, more = api.search.filter_contacts([
        {"attribute": "contact_email.email", "operator": "is_in", "value": ["jane@example.com"]}
    ])  # fmt: skip
    assert ([each.id for each in found], more) == ([made.id], False)


def test_section_20_accounts(api: Any) -> None:
    made = api.accounts.create_account(name="Acme", city="Rome")
    assert api.accounts.update_account(made.id, phone="1").phone == "1"
    assert api.accounts.upsert_account(("name", "ACME"), city="Oslo").id == made.id
    assert api.accounts.view_account(made.id, "owner").city == "Oslo"
    cloned = api.accounts.clone_account(made.id, name="Acme 2")
    listed = api.accounts.list_accounts(view(api.accounts.list_views(), "All Accounts"))
    assert {made.id, cloned.id} <= {each.id for each in listed}
    assert api.accounts.delete_account(cloned.id) is True
    assert api.accounts.forget_account(cloned.id) is True
    assert api.accounts.list_fields()[0].name == "name"


def test_section_20_deals_and_products(api: Any) -> None:
    deal = api.deals.create_deal(name="Roof plan", amount=5600.0, tags=["Sample"])
    assert (float(deal.amount), deal.tags) == (5600.0, ["Sample"])
    assert api.deals.update_deal(deal.id, name="Gutter plan").name == "Gutter plan"
    assert api.deals.upsert_deal(("id", str(deal.id)), amount=7).amount == "7.0"
    assert api.deals.view_deal(deal.id, "owner").owner_id
    assert deal.id in {each.id for each in api.deals.list_deals(view(api.deals.list_views(), "Open Deals"))}
    product = api.products.create_product(name="Filter", category="Parts")
    priced = api.products.add_product_prices(product.id, 1, [{"currency_code": "USD", "unit_price": 1000}])
    assert (priced.base_currency_amount, priced.pricing_type) == (1000, 1)
    changed = api.products.add_products_to_deal(deal.id, [{"id": product.id, "quantity": 2}])
    assert (changed.amount, changed.products[0].name, changed.has_products) == ("2000.0", "Filter", True)
    edited = api.products.edit_deal_products(deal.id, [{"id": product.id, "unit_price": 3}])
    assert edited.amount == "3.0"
    assert api.products.delete_all_deal_products(deal.id).products == []
    gone = api.products.delete_product_prices(product.id, [priced.product_pricings[0]["id"]])
    assert gone.product_pricings == []
    assert api.products.delete_product(product.id) is True
    assert api.products.update_product(api.products.restore_product(product.id).id, name="New").name == "New"
    clone = api.deals.clone_deal(deal.id, name="Copy")
    assert api.deals.delete_deal(clone.id) is True
    assert api.deals.forget_deal(clone.id) is True
    assert "amount" in {each.name for each in api.deals.list_fields()}


def test_section_20_activities(api: Any, root: str) -> None:
    contact = api.contacts.create_contact(last_name="Busy")
    on = {"targetable_type": "Contact", "targetable_id": contact.id}
    note = api.notes.create_note(description="One", **on)
    assert api.notes.update_note(note.id, description="Two").targetables[0]["id"] == contact.id
    assert api.notes.delete_note(note.id) is True
    task = api.tasks.create_task(title="Visit", due_date="Tue Jun 21 2099 11:00:00 GMT+0000", **on)
    assert isinstance(task.due_date, datetime)
    assert api.tasks.view_task(task.id, "owner")["contacts"][0].id == contact.id
    assert task.id in {each.id for each in api.tasks.list_tasks("open", "owner", "targetable")["tasks"]}
    assert api.tasks.update_task(task.id, title="Call").title == "Call"
    assert api.tasks.mark_as_done(task.id).status == 1
    assert api.tasks.delete_task(task.id) is True
    past = {"from_date": "Mon Jun 20 2016 10:30:00 GMT+0530 (IST)", "end_date": "Mon Jun 20 2016 11:30:00 GMT+0530"}
    meeting = api.appointments.create_appointment(title="Meet", time_zone="Chennai", **past, **on)["appointment"]
    assert api.appointments.view_appointment(meeting.id)["appointment"].title == "Meet"
    assert [each.id for each in api.appointments.list_appointments("past")] == [meeting.id]
    assert api.appointments.update_appointment(meeting.id, title="Met")["appointment"].title == "Met"
    assert api.appointments.delete_appointment(meeting.id) is True
    administrator(root, action="create_activity_type", name="Ticket")
    kind = next(each.id for each in api.selectors.get_sales_activity_types() if each.name == "Ticket")
    times = {"start_date": "2017-12-04T17:00:00+05:30", "end_date": "2017-12-04T17:30:00+05:30"}
    made = api.sales_activities.create_activity(title="ticket", sales_activity_type_id=kind, **times, **on)
    assert isinstance(made.start_date, datetime)
    assert api.sales_activities.update_activity(made.id, notes="n").notes == "n"
    assert api.sales_activities.view_activity(made.id).targetable_id == contact.id
    assert api.sales_activities.delete_activity(made.id) is True
    assert {each.name for each in api.sales_activities.list_fields()} >= {"title"}


def test_section_20_quotes_and_lists(api: Any) -> None:
    deal = api.deals.create_deal(name="Quoted", amount=1)
    quote = api.documents.create_document(deal_id=deal.id, document_type="Quote", display_name="Q")
    assert quote.document_number.startswith("DOC-")
    assert api.documents.update_document(quote.id, display_name="R").display_name == "R"
    assert api.documents.delete_document(quote.id) is True
    assert api.documents.restore_document(quote.id).id == quote.id
    assert api.documents.forget_document(quote.id) is True
    contact = api.contacts.create_contact(last_name="Fan")
    fans, friends = api.lists.create_list("Fans"), api.lists.create_list("Friends")
    assert api.lists.add_contacts_to_list(fans.id, [contact.id]) == "1 contact updated."
    api.lists.move_contacts_between_lists(friends.id, [contact.id], fans.id)
    assert [each.id for each in api.lists.fetch_contacts_from_list(friends.id)] == [contact.id]
    api.lists.remove_contacts_from_list(friends.id, [contact.id])
    assert api.lists.fetch_contacts_from_list(friends.id) == []
    assert {each.name for each in api.lists.fetch_all_lists()} == {"Fans", "Friends"}


def test_section_20_selectors(api: Any) -> None:
    selectors = api.selectors
    assert "Account Admin" in {str(each) for each in selectors.get_users()}
    (pipeline,) = selectors.get_deal_pipelines()
    assert [each.name for each in pipeline.deal_stages][-2:] == ["Won", "Lost"]
    assert [each.name for each in selectors.get_lifecycle_stages()] == ["Lead", "Sales Qualified Lead", "Customer"]
    assert len(selectors.get_contact_statuses()) == 9
    assert len(selectors.get_industry_types()) == 68
    assert len(selectors.get_business_types()) == 10
    for name in ("territories", "currencies", "deal_reasons", "deal_types", "lead_sources", "campaigns",
                 "deal_payment_statuses", "sales_activity_entity_types", "sales_activity_outcomes"):  # fmt: skip
        assert getattr(selectors, f"get_{name}")(), name


def test_section_20_errors_map_to_the_clients_own(api: Any) -> None:
    from freshsales import errors

    api.contacts.create_contact(emails="twice@example.com")
    with pytest.raises(errors.FreshsalesBadRequest, match="Contact is not unique"):
        api.contacts.create_contact(emails="twice@example.com")
    with pytest.raises(errors.FreshsalesNotFound):
        api.deals.view_deal(1)
    api._session.headers["Authorization"] = "Token token=wrong"
    with pytest.raises(errors.FreshsalesUnauthorized):
        api.contacts.list_views()


def test_section_20_the_budget_maps_as_well() -> None:
    from freshsales import errors
    from freshsales.api import API

    running = server(create_app(SandboxConfig(options={"hourly_calls": "1", "retry_after": "on"})),
                     host="127.0.0.1", port=0)  # fmt: skip
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        while not running.started:
            thread.join(0.01)
        client = API("sandbox.example", "sandbox-key")
        client._api_prefix = f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}/api"
        client.contacts.list_views()
        with pytest.raises(errors.FreshsalesRateLimited, match=r"until \d+ seconds"):
            client.contacts.list_views()
        client._session.close()
    finally:
        running.should_exit = True
        thread.join(10)
