"""Fields, selectors and custom modules (Freshsales fact sheet sections 11, 12 and 14)."""

from typing import Any

import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Json, Start

MODULE = {"entity_name": "cm_visit", "singular_name": "Visit", "plural_name": "Visits", "icon": "calendar"}


async def fields(fresh: Fresh, plural: str) -> dict[str, Json]:
    return {row["name"]: row for row in (await fresh.good("GET", f"settings/{plural}/fields"))["fields"]}


async def form(fresh: Fresh, entity: str) -> Json:
    found: Json = (await fresh.good("GET", f"settings/{entity}/forms"))["forms"][0]
    return found


async def visit(fresh: Fresh) -> int:
    """A custom module with one text field; the form's id."""
    await fresh.good("POST", "settings/module_customizations", {"module_customization": MODULE})
    return int((await form(fresh, "cm_visit"))["id"])


async def test_section_12_field_rows_and_types_of_choice_ids(fresh: Fresh) -> None:
    rows = await fields(fresh, "contacts")
    assert set(rows["first_name"]) == {
        "id", "label", "name", "type", "default", "actionable", "position", "choices", "base_model", "required",
        "quick_add_position", "visible",
    }  # fmt: skip
    assert isinstance(rows["lifecycle_stage_id"]["choices"][0]["id"], str)
    assert isinstance(rows["contact_status_id"]["choices"][0]["id"], int)
    assert isinstance(rows["owner_id"]["choices"][0]["id"], int)
    assert rows["external_id"]["visible"] is False
    assert rows["tags"]["creatable"] is True
    assert not any(row["required"] for row in rows.values())
    assert {name for name, row in (await fields(fresh, "deals")).items() if row["required"]} == {"name", "amount"}
    accounts = await fields(fresh, "sales_accounts")
    assert [choice["id"] for choice in accounts["number_of_employees"]["choices"]] == [
        1, 11, 51, 201, 501, 1001, 5001, 10001,
    ]  # fmt: skip
    assert "field_groups" in await fresh.good("GET", "settings/contacts/fields?include=field_group")


async def test_section_19_10_settings_answer_without_api(fresh: Fresh) -> None:
    bare = await fresh.good("GET", "/crm/sales/settings/contacts/fields")
    assert bare == await fresh.good("GET", "settings/contacts/fields")
    assert (await fresh.get("/crm/sales/contacts/filters")).status_code == 404


@pytest.mark.parametrize("body", [{"type": "text"}, {"field_type": 1}, {"type": "text", "internal_name": "x"}])
async def test_section_11_fields_are_named_by_the_slug_of_their_label(fresh: Fresh, body: Json) -> None:
    label = "Last registered Zoom webinar"
    path = "/crm/sales/settings/contacts/forms/1/fields"
    field = (await fresh.good("POST", path, {"label": label, "required": False, **body}))["field"]
    assert (field["name"], field["type"], field["custom"]) == ("cf_last_registered_zoom_webinar", "text", True)
    assert field["field_options"]["unique"] is False
    row = (await fields(fresh, "contacts"))["cf_last_registered_zoom_webinar"]
    assert (row["default"], row["label"]) == (False, label)
    again = await fresh.refused("POST", path, {"label": label, **body})
    assert again == ["Label has already been taken"]
    other = (await fresh.good("POST", path, {"label": label + "!", **body}))["field"]["name"]
    assert other == "cf_last_registered_zoom_webinar_1"


async def test_section_11_standard_modules_may_refuse_new_fields(start: Start) -> None:
    fresh = await start(standard_field_create="off")
    assert await fresh.refused("POST", "settings/contacts/forms/1/fields", {"label": "A", "type": "text"}, status=403)
    codes = await start(field_create="code")  # section 19 item 10
    assert await codes.refused("POST", "settings/contacts/forms/1/fields", {"label": "A", "type": "text"})


@pytest.mark.parametrize(
    ("kind", "more", "given", "kept"),
    [
        ("text", {}, "x", "x"),
        ("number", {}, "12.5", 12.5),
        ("checkbox", {}, True, True),
        ("date", {}, "2020-01-02T23:30:00-05:00", "2020-01-02"),
        ("date_time_split", {}, "2020-07-02T10:00:00Z", "2020-07-02T06:00:00-04:00"),
        ("dropdown", {"choices": ["Yes", "No"]}, "Yes", "Yes"),
        ("radio", {"choices": ["Yes", "No"]}, "No", "No"),
        ("multi_select_dropdown", {"choices": ["A", "B"]}, ["A", "B"], "A;B"),
        ("multi_select_dropdown", {"choices": ["A", "B"]}, "B", "B"),
    ],
)
async def test_section_3_custom_values_by_type(fresh: Fresh, kind: str, more: Json, given: Any, kept: Any) -> None:
    name = await fresh.field("contact", "Extra", kind, **more)
    shown = await fresh.make("contacts", last_name="D", custom_field={name: given})
    assert shown["custom_field"] == {name: kept}


@pytest.mark.parametrize(
    ("kind", "given"),
    [("number", "many"), ("number", 10**11), ("checkbox", "perhaps"), ("date", "03/04/2024"), ("dropdown", "Maybe"),
     ("text", {"a": 1}), ("text", "x" * 257), ("lookup", "Acme"), ("lookup", 5)],
)  # fmt: skip
async def test_section_14_custom_values_that_do_not_fit(fresh: Fresh, kind: str, given: Any) -> None:
    name = await fresh.field("contact", "Extra", kind, choices=["Yes"])
    assert await fresh.refused("POST", "contacts", {"last_name": "D", "custom_field": {name: given}})


async def test_section_3_unknown_choices_by_switch(start: Start) -> None:
    fresh = await start(unknown_choice="accept")
    name = await fresh.field("contact", "Extra", "dropdown", choices=["Yes"])
    assert (await fresh.make("contacts", last_name="D", custom_field={name: "Maybe"}))["custom_field"] == {
        name: "Maybe"
    }


async def test_section_12_formula_and_auto_number_are_read_only(fresh: Fresh) -> None:
    name = await fresh.field("contact", "Sum", "formula")
    assert (await fresh.make("contacts", last_name="D", custom_field={name: 5}))["custom_field"] == {name: None}


async def test_section_14_at_most_300_choices(fresh: Fresh) -> None:
    body = {"label": "Big", "type": "dropdown", "choices": [{"value": str(number)} for number in range(301)]}
    assert "300" in (await fresh.refused("POST", "settings/contacts/forms/1/fields", body))[0]


@pytest.mark.parametrize(
    ("path", "key"),
    [("owners", "users"), ("territories", "territories"), ("deal_pipelines", "deal_pipelines"),
     ("deal_stages", "deal_stages"), ("deal_types", "deal_types"), ("deal_reasons", "deal_reasons"),
     ("deal_payment_statuses", "deal_payment_statuses"), ("deal_products", "deal_products"),
     ("lead_sources", "lead_sources"), ("campaigns", "campaigns"), ("industry_types", "industry_types"),
     ("business_types", "business_types"), ("contact_statuses", "contact_statuses"),
     ("lifecycle_stages", "lifecycle_stages"), ("sales_activity_types", "sales_activity_types"),
     ("sales_activity_outcomes", "sales_activity_outcomes"),
     ("sales_activity_entity_types", "sales_activity_entity_types"), ("currencies", "currencies"),
     ("designations", "designations")],
)  # fmt: skip
async def test_section_12_every_selector_has_its_key(fresh: Fresh, path: str, key: str) -> None:
    answer = await fresh.good("GET", f"selector/{path}")
    assert list(answer) == [key]
    assert all(isinstance(row["id"], int) for row in answer[key])
    assert answer[key]


async def test_section_12_pipelines_hold_their_stages(fresh: Fresh) -> None:
    (pipeline,) = (await fresh.good("GET", "selector/deal_pipelines"))["deal_pipelines"]
    assert pipeline["is_default"] is True
    stages = pipeline["deal_stages"]
    assert [(row["name"], row["probability"]) for row in stages] == [
        ("New", 20), ("Qualification", 30), ("Discovery", 40), ("Demo", 60), ("Negotiation", 80), ("Won", 100),
        ("Lost", 0),
    ]  # fmt: skip
    assert [row["choice_type"] for row in stages] == [5, 2, 2, 2, 2, 4, 4]
    assert [row["forecast_type"] for row in stages[-2:]] == ["Closed Won", "Closed Lost"]
    assert (await fresh.good("GET", f"selector/deal_pipelines/{pipeline['id']}/deal_stages"))["deal_stages"] == stages
    assert len(await fresh.selector("industry_types")) == 68
    assert len(await fresh.selector("business_types")) == 10
    phone = (await fresh.selector("sales_activity_types"))["Phone"]["id"]
    outcomes = await fresh.good("GET", f"selector/sales_activity_types/{phone}/sales_activity_outcomes")
    assert {row["sales_activity_type_id"] for row in outcomes["sales_activity_outcomes"]} == {phone}


@pytest.mark.parametrize("path", ["users", "territories", "deal_pipelines", "lead_sources", "selector/lead_sources"])
async def test_section_18_administrators_lists_cannot_be_written(fresh: Fresh, path: str) -> None:
    assert (await fresh.post(path, {"name": "New"})).status_code == 404


async def test_section_18_the_administrator_can(fresh: Fresh) -> None:
    await fresh.admin("create_row", selector="territories", name="Vienna")
    await fresh.admin("create_user", name="New Person", email="new@example.com")
    await fresh.admin("set_user_status", email="new@example.com", active=False)
    await fresh.admin("create_stage", name="Invoiced", probability=100, forecast_type="Closed Won")
    await fresh.admin("create_lifecycle_stage", name="Partner")
    await fresh.admin("create_contact_status", name="Signed", lifecycle_stage="Partner")
    await fresh.admin("create_currency", code="GBP", exchange_rate="0.8")
    assert "Vienna" in await fresh.selector("territories")
    assert (await fresh.selector("owners"))["New Person"]["is_active"] is False
    assert (await fresh.selector("deal_stages"))["Invoiced"]["position"] == 8
    assert (await fresh.selector("lifecycle_stages"))["Partner"]["contact_status_ids"]
    pound = (await fresh.selector("currencies"))["GBP"]
    assert (await fresh.make("deals", name="D", amount=8, currency_id=pound["id"]))["base_currency_amount"] == "10.0"
    for action in ({"action": "fly"}, {"action": "create_row", "selector": "users", "name": "x"},
                   {"action": "create_stage"}):  # fmt: skip
        assert (await fresh.post("/_sandbox/admin", action)).status_code == 400


async def test_section_11_a_custom_module_from_schema_to_purge(fresh: Fresh) -> None:
    form_id = await visit(fresh)
    path = f"settings/cm_visit/forms/{form_id}/fields"
    note = (await fresh.good("POST", path, {"label": "Report", "field_type": 2, "required": True}))["field"]["name"]
    link = (await fresh.good("POST", path, {"label": "Client", "type": "lookup", "lookup_entity": "contact"}))["field"]
    assert link["lookup_entity"] == "contact"
    contact = await fresh.contact()
    values = {"name": "First", "custom_field": {note: "All well", link["name"]: contact}}
    made = (await fresh.good("POST", "custom_module/cm_visit", {"cm_visit": values}))["cm_visit"]
    assert made["custom_field"] == {note: "All well", link["name"]: contact}
    assert made["creator_id"]
    assert "creater_id" not in made
    assert await fresh.refused("POST", "custom_module/cm_visit", {"name": "X"}) == ["Report can't be empty"]
    other = {"cm_visit": {"custom_field": {note: "x", link["name"]: await fresh.account()}}}
    assert await fresh.refused("PUT", f"custom_module/cm_visit/{made['id']}", other) == ["Client is invalid"]
    listed = await fresh.view("custom_module/cm_visit", "All Visits")
    assert [row["name"] for row in listed["cm_visit"]] == ["First"]
    copy = await fresh.good("POST", f"custom_module/cm_visit/{made['id']}/clone", {"cm_visit": {"name": "Second"}})
    rule = {"filter_rule": [{"attribute": "name", "operator": "equals", "value": "second"}]}
    found = await fresh.good("POST", "filtered_search/cm_visit", rule)
    assert [row["id"] for row in found["cm_visit"]] == [copy["cm_visit"]["id"]]
    assert (await fresh.good("DELETE", f"custom_module/cm_visit/{made['id']}"))["message"]
    assert await fresh.good("DELETE", f"custom_module/cm_visit/{made['id']}/forget") is True
    body = {"selected_ids": [copy["cm_visit"]["id"]]}
    assert (await fresh.good("POST", "custom_module/cm_visit/bulk_destroy", body))["message"]


async def test_section_11_modules_are_listed_changed_and_removed(fresh: Fresh) -> None:
    await visit(fresh)
    rows = (await fresh.good("GET", "/crm/sales/settings/module_customizations"))["module_customizations"]
    (custom,) = [row for row in rows if row["custom"]]
    assert (custom["entity_name"], custom["plural_name"]) == ("cm_visit", "Visits")
    assert {"contact", "deal"} <= {row["entity_name"] for row in rows}
    path = f"settings/module_customizations/{custom['id']}"
    renamed = await fresh.good("PUT", path, {"module_customization": {"plural_name": "Calls"}})
    assert renamed["module_customization"]["plural_name"] == "Calls"
    assert await fresh.refused("POST", "settings/module_customizations", MODULE) == [
        "Entity name has already been taken"
    ]
    assert await fresh.refused("POST", "settings/module_customizations", {**MODULE, "icon": ""})
    assert await fresh.refused("POST", "settings/module_customizations", {**MODULE, "entity_name": "No Way"})
    names = {section["name"] for section in (await form(fresh, "cm_visit"))["fields"]}
    assert names == {"basic_information", "hidden_fields"}
    await fresh.good("DELETE", path)
    assert (await fresh.get(path)).status_code == 404
    assert (await fresh.get("custom_module/cm_visit/filters")).status_code == 404


@pytest.mark.parametrize("call", ["upsert", "bulk_upsert"])
async def test_section_11_no_upsert_for_custom_modules(fresh: Fresh, call: str) -> None:
    await visit(fresh)
    body = {"unique_identifier": {"name": "x"}, "cm_visit": {"name": "x"}}
    assert (await fresh.post(f"custom_module/cm_visit/{call}", body)).status_code == 404
    assert (await fresh.post(f"cm_visit/{call}", body)).status_code == 404
