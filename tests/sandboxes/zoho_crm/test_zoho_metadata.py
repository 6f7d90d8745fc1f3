"""Fact sheet sections 6, 7, 8 and 9: modules, fields, layouts, pipelines."""

from typing import Any

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Start, Zoho

STANDARD = {
    "Leads", "Contacts", "Accounts", "Deals", "Tasks", "Events", "Calls", "Notes", "Products", "Vendors", "Quotes",
    "Sales_Orders", "Invoices", "Purchase_Orders", "Price_Books", "Campaigns", "Cases", "Solutions",
}  # fmt: skip


async def fields_of(zoho: Zoho, module: str) -> dict[str, Any]:
    found = (await zoho.get(f"settings/fields?module={module}")).json()["fields"]
    return {item["api_name"]: item for item in found}


async def test_section_6_standard_modules(zoho: Zoho) -> None:
    modules = (await zoho.get("settings/modules")).json()["modules"]
    assert {module["api_name"] for module in modules} == STANDARD
    assert {module["generated_type"] for module in modules} == {"default"}
    later = "2030-01-01T00:00:00+00:00"
    assert (await zoho.get("settings/modules", headers={"If-Modified-Since": later})).status_code == 304


async def test_section_6_custom_module_name_is_derived_and_stays(zoho: Zoho) -> None:
    module_id = await zoho.add_module("Work Order Parts", "Work Order Part")
    module = (await zoho.get(f"settings/modules/{module_id}")).json()["modules"][0]
    assert (module["api_name"], module["generated_type"]) == ("Work_Order_Parts", "custom")
    assert (await fields_of(zoho, "Work_Order_Parts"))["Name"]["system_mandatory"] is True
    renamed = await zoho.put("settings/modules/Work_Order_Parts", {"modules": [{"plural_label": "Parts Used"}]})
    assert renamed.status_code == 200
    refused = await zoho.put("settings/modules/Work_Order_Parts", {"modules": [{"api_name": "Other"}]})
    assert refused.json()["modules"][0]["code"] == "NOT_ALLOWED"
    await zoho.create("Work_Order_Parts", {"Name": "P-1"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"plural_label": "Contracts_C"}, "INVALID_DATA"),
        ({"plural_label": "A" * 26}, "INVALID_DATA"),
        ({"plural_label": "Accounts"}, "DUPLICATE_DATA"),
        ({"api_name": "Contracts__C"}, "INVALID_DATA"),
        ({"api_name": "Contracts_"}, "INVALID_DATA"),
        ({"api_name": "settings"}, "RESERVED_KEYWORD_NOT_ALLOWED"),
        ({"profiles": []}, "MINIMUM_DATA_NOT_FOUND"),
    ],
)
async def test_section_6_custom_module_rules(zoho: Zoho, change: dict[str, object], code: str) -> None:
    profile = (await zoho.get("settings/profiles")).json()["profiles"][0]["id"]
    item = {"plural_label": "Contracts", "singular_label": "Contract", "profiles": [{"id": profile}], **change}
    answer = await zoho.post("settings/modules", {"modules": [item]})
    assert answer.json()["modules"][0]["code"] == code
    assert answer.status_code == (403 if code.startswith("RESERVED") else 400)


@pytest.mark.parametrize("edition", ["Free", "Standard", "Professional"])
async def test_section_6_custom_modules_need_enterprise(start: Start, edition: str) -> None:
    zoho = await start(edition=edition)
    answer = await zoho.post("settings/modules", {"modules": [{"plural_label": "A"}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_SUPPORTED")


async def test_section_6_custom_module_cap(start: Start) -> None:
    zoho = await start(options={"custom_modules_cap": "1"})
    await zoho.add_module("Assets", "Asset")
    answer = await zoho.post("settings/modules", {"modules": [{"plural_label": "Contracts"}]})
    assert (answer.json()["code"], answer.json()["details"]) == ("LIMIT_EXCEEDED", {"limit": 1})


async def test_section_7_leads_lengths(zoho: Zoho) -> None:
    leads = await fields_of(zoho, "Leads")
    lengths = {"Last_Name": 80, "First_Name": 40, "Company": 200, "Email": 100, "Phone": 30, "Website": 255,
               "Street": 250, "City": 100, "Zip_Code": 30, "Description": 32000, "Lead_Source": 120,
               "No_of_Employees": 9, "Annual_Revenue": 16}  # fmt: skip
    assert {name: leads[name]["length"] for name in lengths} == lengths
    assert [name for name, item in leads.items() if item["system_mandatory"]] == ["Last_Name"]
    assert leads["Tag"]["json_type"] == "jsonarray"


async def test_section_13_system_times_are_not_writable_by_metadata(zoho: Zoho) -> None:
    contacts = await fields_of(zoho, "Contacts")
    for name in ("Created_Time", "Modified_Time", "Created_By", "Modified_By", "Full_Name", "Last_Activity_Time"):
        operations = contacts[name]["operation_type"]
        assert (operations["api_create"], operations["api_update"]) == (False, False)
    assert contacts["Owner"]["operation_type"]["api_create"] is True


async def test_section_7_api_name_is_derived_and_numbered(zoho: Zoho) -> None:
    assert (await zoho.add_field("Deals", "Work Order Number"))["api_name"] == "Work_Order_Number"
    assert (await zoho.add_field("Deals", "Work Order Number"))["api_name"] == "Work_Order_Number1"
    assert (await zoho.add_field("Deals", "Service Type__c"))["api_name"] == "Service_Type_c"
    assert (await zoho.add_field("Deals", "2nd Phone", "phone"))["api_name"] == "nd_Phone"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"field_label": "A"}, "MANDATORY_NOT_FOUND"),
        ({"field_label": "A<b>", "data_type": "text"}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "subform"}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "text", "length": 256}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "integer", "length": 10}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "textarea", "length": 500}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "currency", "length": 17}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "double", "decimal_place": 10}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "picklist"}, "EXPECTED_DEPENDENT_FIELD_MISSING"),
        ({"field_label": "A", "data_type": "lookup", "lookup": {"module": {"api_name": "No"}}}, "INVALID_DATA"),
        ({"field_label": "A", "data_type": "email", "external": {"type": "org"}}, "NOT_SUPPORTED"),
        ("text", "INVALID_DATA"),
    ],
)
async def test_section_7_field_rules(zoho: Zoho, item: object, code: str) -> None:
    answer = await zoho.post("settings/fields?module=Leads", {"fields": [item]})
    assert (answer.status_code, answer.json()["fields"][0]["code"]) == (400, code)


async def test_section_7_every_data_type_can_be_created(zoho: Zoho) -> None:
    option = {"display_value": "One", "actual_value": "One"}
    kinds: list[dict[str, Any]] = [
        *({"data_type": kind} for kind in ("text", "textarea", "email", "phone", "date", "datetime", "integer",
        "bigint",
          "currency", "percent", "double", "website", "boolean", "fileupload", "imageupload", "autonumber",
          "userlookup")),
        {"data_type": "picklist", "pick_list_values": [option]},
        {"data_type": "multiselectpicklist", "pick_list_values": [option]},
        {"data_type": "lookup", "lookup": {"module": {"api_name": "Contacts"}, "display_label": "Leads"}},
    ]  # fmt: skip
    for kind in kinds:
        made = await zoho.add_field("Leads", f"New {kind['data_type']}", **kind)
        assert (made["data_type"], made["custom_field"]) == (kind["data_type"], True)


async def test_section_7_five_fields_per_call_is_a_switch(start: Start) -> None:
    six = {"fields": [{"field_label": f"F {n}", "data_type": "text"} for n in range(6)]}
    strict = await start()
    assert (await strict.post("settings/fields?module=Leads", six)).status_code == 400
    wide = await start(options={"fields_per_call": "25"})
    assert (await wide.post("settings/fields?module=Leads", six)).status_code == 201


@pytest.mark.parametrize(("edition", "cap"), [("Standard", 10), ("Professional", 155)])
async def test_section_7_custom_field_cap_by_edition(start: Start, edition: str, cap: int) -> None:
    zoho = await start(edition=edition, options={"fields_per_call": "500"})
    many = {"fields": [{"field_label": f"F {n}", "data_type": "text"} for n in range(cap + 1)]}
    answer = await zoho.post("settings/fields?module=Leads", many)
    assert answer.status_code == 207
    results = answer.json()["fields"]
    assert [result["code"] for result in results[cap - 1 :]] == ["SUCCESS", "FIELD_LIMIT_EXCEEDED"]
    assert results[-1]["details"]["limit"] == cap


async def test_section_7_two_unique_fields_and_one_auto_number(zoho: Zoho) -> None:
    for label in ("Key One", "Key Two"):
        await zoho.add_field("Leads", label, unique={"case_sensitive": False})
    third = {"field_label": "Key Three", "data_type": "text", "unique": {"case_sensitive": False}}
    answer = await zoho.post("settings/fields?module=Leads", {"fields": [third]})
    assert answer.json()["fields"][0]["code"] == "LIMIT_EXCEEDED"
    await zoho.add_field("Leads", "Number", "autonumber", auto_number={"prefix": "N-", "start_number": 7})
    again = {"field_label": "Number Two", "data_type": "autonumber"}
    assert (await zoho.post("settings/fields?module=Leads", {"fields": [again]})).status_code == 400
    ids = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    assert [(await zoho.record("Leads", found))["Number"] for found in ids] == ["N-7", "N-8"]


@pytest.mark.parametrize(("counts", "status"), [("on", 400), ("off", 201)])
async def test_section_12_external_fields_and_the_unique_cap_are_a_switch(
    start: Start, counts: str, status: int
) -> None:
    zoho = await start(options={"external_counts_as_unique": counts})
    for label in ("Key One", "Key Two"):
        await zoho.add_field("Leads", label, unique={"case_sensitive": False})
    external = {"field_label": "Ext", "data_type": "text", "external": {"type": "org", "show": True}}
    assert (await zoho.post("settings/fields?module=Leads", {"fields": [external]})).status_code == status


async def test_section_12_no_external_field_in_calls(zoho: Zoho) -> None:
    external = {"field_label": "Ext", "data_type": "text", "external": {"type": "org"}}
    answer = await zoho.post("settings/fields?module=Calls", {"fields": [external]})
    assert answer.json()["fields"][0]["code"] == "NOT_SUPPORTED"


async def test_section_21_custom_fields_of_tasks_are_a_switch(start: Start) -> None:
    item = {"fields": [{"field_label": "Source Id", "data_type": "text"}]}
    assert (await (await start()).post("settings/fields?module=Tasks", item)).status_code == 201
    closed = await start(options={"tasks_custom_fields": "reject"})
    assert (await closed.post("settings/fields?module=Tasks", item)).status_code == 400
    assert (await closed.post("settings/fields?module=Deals", item)).status_code == 201


async def test_section_7_patch_changes_label_length_and_options(zoho: Zoho) -> None:
    made = await zoho.add_field(
        "Deals", "Service", "picklist", pick_list_values=[{"display_value": "A", "actual_value": "A"}]
    )
    path = f"settings/fields/{made['id']}?module=Deals"
    new = {"display_value": "B", "actual_value": "B"}
    answer = await zoho.patch(path, {"fields": [{"field_label": "Service Kind", "pick_list_values": [new]}]})
    assert answer.status_code == 200
    shown = (await zoho.get(path)).json()["fields"][0]
    assert (shown["field_label"], shown["api_name"]) == ("Service Kind", "Service")
    assert [option["actual_value"] for option in shown["pick_list_values"]] == ["A", "B"]
    fixed = await zoho.patch(path, {"fields": [{"data_type": "text"}]})
    assert fixed.json()["fields"][0]["code"] == "NOT_ALLOWED"
    values = (await zoho.get(f"settings/fields/{made['id']}/pick_list_values?module=Deals")).json()["pick_list_values"]
    assert len(values) == 2


async def test_section_7_delete_custom_field_takes_its_values_along(zoho: Zoho) -> None:
    made = await zoho.add_field("Leads", "Extra", unique={"case_sensitive": False})
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Extra": "x"})
    assert (await zoho.delete(f"settings/fields/{made['id']}?module=Leads")).status_code == 200
    assert "Extra" not in await zoho.record("Leads", lead)
    assert (await zoho.add_field("Leads", "Extra"))["api_name"] == "Extra"
    assert (await zoho.record("Leads", lead))["Extra"] is None
    standard = (await fields_of(zoho, "Leads"))["Company"]["id"]
    refused = await zoho.delete(f"settings/fields/{standard}?module=Leads")
    assert refused.json()["code"] == "NOT_ALLOWED"


async def test_section_7_global_picklist(zoho: Zoho) -> None:
    body = {"global_picklists": [{"display_label": "Tiers", "pick_list_values": [{"display_value": "Gold"}]}]}
    made = (await zoho.post("settings/global_picklists", body)).json()["global_picklists"][0]["details"]["id"]
    field = await zoho.add_field("Accounts", "Tier", "picklist", global_picklist={"id": made})
    assert [option["display_value"] for option in field["pick_list_values"]] == ["Gold"]
    both = {"field_label": "T2", "data_type": "picklist", "global_picklist": {"id": made},
            "pick_list_values": [{"display_value": "A", "actual_value": "A"}]}  # fmt: skip
    answer = await zoho.post("settings/fields?module=Accounts", {"fields": [both]})
    assert answer.json()["fields"][0]["code"] == "AMBIGUITY_DURING_PROCESSING"


async def test_section_8_layout_demands_only_when_it_is_sent(zoho: Zoho) -> None:
    layout = (await zoho.get("settings/layouts?module=Contacts")).json()["layouts"][0]
    shown = {item["api_name"]: item for item in layout["sections"][0]["fields"]}
    assert shown["Last_Name"]["required"] is True
    assert shown["Phone"]["required"] is False
    action = [
        {"id": shown["Phone"]["id"], "required": True},
        {"id": shown["Fax"]["id"], "_delete": {"permanent": False}},
    ]
    body = {"layouts": [{"sections": [{"id": layout["sections"][0]["id"], "fields": action}]}]}
    assert (await zoho.patch(f"settings/layouts/{layout['id']}?module=Contacts", body)).status_code == 200
    (free,) = await zoho.create("Contacts", {"Last_Name": "A", "Fax": "+1 555"})
    assert (await zoho.record("Contacts", free))["Fax"] == "+1 555"
    refused = await zoho.refused("Contacts", {"Last_Name": "A", "Layout": {"id": layout["id"]}})
    assert refused["details"]["api_name"] == "Phone"
    item = {"Last_Name": "A", "Phone": "1", "Fax": "+1 555", "Layout": {"id": int(layout["id"])}}
    (dropped,) = await zoho.create("Contacts", item)
    assert (await zoho.record("Contacts", dropped))["Fax"] is None


async def test_section_8_six_field_actions_are_too_many(zoho: Zoho) -> None:
    layout = (await zoho.get("settings/layouts?module=Contacts")).json()["layouts"][0]
    six = [{"id": item["id"], "required": False} for item in layout["sections"][0]["fields"][:6]]
    body = {"layouts": [{"sections": [{"fields": six}]}]}
    answer = await zoho.patch(f"settings/layouts/{layout['id']}?module=Contacts", body)
    assert answer.json()["code"] == "LIMIT_EXCEEDED"


async def deals_layout(zoho: Zoho) -> str:
    layout_id: str = (await zoho.get("settings/layouts?module=Deals")).json()["layouts"][0]["id"]
    return layout_id


async def add_stage(zoho: Zoho, name: str) -> Any:
    stage = (await fields_of(zoho, "Deals"))["Stage"]
    value = {"display_value": name, "actual_value": name, "probability": 35, "forecast_type": "Open"}
    return await zoho.patch(f"settings/fields/{stage['id']}?module=Deals", {"fields": [{"pick_list_values": [value]}]})


async def test_section_9_pipeline_needs_the_layout_and_existing_stages(zoho: Zoho) -> None:
    assert (await zoho.get("settings/pipeline")).json()["code"] == "REQUIRED_PARAM_MISSING"
    layout = await deals_layout(zoho)
    (standard,) = (await zoho.get(f"settings/pipeline?layout_id={layout}")).json()["pipeline"]
    assert (standard["display_value"], standard["default"], len(standard["maps"])) == ("Standard (Standard)", True, 9)
    assert standard["maps"][6]["forecast_type"] == "Closed Won"
    body = {"pipeline": [{"display_value": "Service", "maps": [{"id": "12", "sequence_number": 1}]}]}
    refused = await zoho.post(f"settings/pipeline?layout_id={layout}", body)
    assert refused.json()["pipeline"][0]["code"] == "INVALID_DATA"


async def test_section_9_own_pipeline_with_own_stages(zoho: Zoho) -> None:
    layout = await deals_layout(zoho)
    assert (await add_stage(zoho, "On Hold")).status_code == 200
    options = (await fields_of(zoho, "Deals"))["Stage"]["pick_list_values"]
    hold = next(option for option in options if option["actual_value"] == "On Hold")
    assert hold["probability"] == 35
    body = {"pipeline": [{"display_value": "Service", "maps": [{"id": hold["id"], "sequence_number": 1}]}]}
    made = await zoho.post(f"settings/pipeline?layout_id={layout}", body)
    assert (made.status_code, made.json()["pipeline"][0]["message"]) == (201, "Pipeline created")
    pipeline = made.json()["pipeline"][0]["details"]["id"]
    (deal,) = await zoho.create("Deals", {"Deal_Name": "D", "Stage": "On Hold", "Pipeline": "Service", "Amount": 200})
    stored = await zoho.record("Deals", deal)
    assert (stored["Probability"], stored["Expected_Revenue"]) == (35, 70)
    wrong = await zoho.refused("Deals", {"Deal_Name": "D", "Stage": "On Hold", "Pipeline": "Standard (Standard)"})
    assert (wrong["code"], wrong["details"]["api_name"]) == ("MAPPING_MISMATCH", "Stage")
    more = {"pipeline": [{"maps": [{"id": options[0]["id"], "sequence_number": 2}]}]}
    assert (await zoho.put(f"settings/pipeline/{pipeline}?layout_id={layout}", more)).status_code == 200
    await zoho.create("Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Service"})
    unmap = {"pipeline": [{"maps": [{"id": options[0]["id"], "_delete": {"permanent": None}}]}]}
    assert (await zoho.patch(f"settings/pipeline/{pipeline}?layout_id={layout}", unmap)).status_code == 200
    again = await zoho.refused("Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Service"})
    assert again["code"] == "MAPPING_MISMATCH"


async def test_section_21_stage_creation_is_a_switch(start: Start) -> None:
    zoho = await start(options={"stage_create": "off"})
    answer = await add_stage(zoho, "On Hold")
    assert answer.json()["fields"][0]["code"] == "NOT_ALLOWED"


async def test_section_9_pipeline_with_deals_needs_a_transfer(zoho: Zoho) -> None:
    layout = await deals_layout(zoho)
    stages = (await fields_of(zoho, "Deals"))["Stage"]["pick_list_values"]
    body = {"pipeline": [{"display_value": "Service", "maps": [{"id": stages[0]["id"], "sequence_number": 1}]}]}
    service = (await zoho.post(f"settings/pipeline?layout_id={layout}", body)).json()["pipeline"][0]["details"]["id"]
    (deal,) = await zoho.create("Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Service"})
    drop = {"pipeline": [{"_delete": {"permanent": None}}]}
    refused = await zoho.patch(f"settings/pipeline/{service}?layout_id={layout}", drop)
    assert refused.json()["pipeline"][0]["code"] == "NOT_ALLOWED"
    standard = (await zoho.get(f"settings/pipeline?layout_id={layout}")).json()["pipeline"][0]["id"]
    move = {"transfer_pipeline": [{"pipeline": {"from": service, "to": standard},
                                   "stages": [{"from": stages[0]["id"], "to": stages[1]["id"]}]}]}  # fmt: skip
    assert (await zoho.post(f"settings/pipeline/actions/transfer?layout_id={layout}", move)).status_code == 200
    moved = await zoho.record("Deals", deal)
    assert (moved["Pipeline"], moved["Stage"]) == ("Standard (Standard)", "Needs Analysis")
