"""Fact sheet sections 3, 10, 13 and 16: inserting and updating records, field by field."""

from typing import Any

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Json, Start, Zoho

STANDARD = "Standard (Standard)"


async def test_section_3_results_keep_order_and_a_mixed_batch_is_207(zoho: Zoho) -> None:
    answer = await zoho.post("Leads", {"data": [{"Last_Name": "A"}, {"First_Name": "B"}, {"Last_Name": "C"}]})
    assert answer.status_code == 207
    results = answer.json()["data"]
    assert [result["status"] for result in results] == ["success", "error", "success"]
    assert results[1] == {
        "code": "MANDATORY_NOT_FOUND",
        "details": {"api_name": "Last_Name", "json_path": "$.data[1].Last_Name"},
        "message": "required field not found",
        "status": "error",
    }


async def test_section_10_success_item(zoho: Zoho) -> None:
    answer = await zoho.post("Leads", {"data": [{"Last_Name": "A"}]})
    assert answer.status_code == 201
    item = answer.json()["data"][0]
    assert (item["code"], item["message"], item["details"]["$approval_state"]) == (
        "SUCCESS",
        "record added",
        "approved",
    )
    assert len(item["details"]["id"]) == 19
    assert item["details"]["Created_Time"] == "2026-03-02T07:00:00-05:00"
    assert item["details"]["Created_By"]["name"] == "Alex Admin"


@pytest.mark.parametrize("status", ["400", "202", "207"])
async def test_section_19_status_of_a_batch_that_failed_as_a_whole(start: Start, status: str) -> None:
    zoho = await start(options={"all_failed_status": status})
    assert (await zoho.post("Leads", {"data": [{}]})).status_code == int(status)


async def test_section_3_more_than_a_hundred_records(zoho: Zoho) -> None:
    answer = await zoho.post("Leads", {"data": [{"Last_Name": "A"}] * 101})
    assert (answer.status_code, answer.json()["data"][0]["code"]) == (400, "LIMIT_EXCEEDED")
    assert answer.json()["data"][0]["details"] == {"maximum_length": 100, "api_name": "data"}
    notes = await zoho.post("Notes", {"data": [{"Note_Title": "A"}] * 101})
    assert notes.json()["data"][0]["code"] == "INVALID_DATA"
    assert (await zoho.post("Leads", {"data": []})).status_code == 400


async def test_section_3_several_errors_of_one_record(zoho: Zoho) -> None:
    refused = await zoho.refused("Leads", {"Email": "nobody", "Phone": "1" * 31})
    assert refused["code"] == "MULTIPLE_OR_MULTI_ERRORS"
    assert {error["details"]["api_name"] for error in refused["details"]["errors"]} == {"Email", "Phone", "Last_Name"}


BAD_VALUES: list[tuple[str, Json, str]] = [
    ("Leads", {"Last_Name": 5}, "expected_data_type"),
    ("Leads", {"Last_Name": "x" * 81}, "maximum_length"),
    ("Leads", {"Last_Name": "A", "Email": "nobody@"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "Email": "a" * 95 + "@x.org"}, "maximum_length"),
    ("Leads", {"Last_Name": "A", "Phone": "call <me>"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "Website": "no site"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "No_of_Employees": "7"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "No_of_Employees": 1234567890}, "maximum_length"),
    ("Leads", {"Last_Name": "A", "Annual_Revenue": 12345678901234567}, "maximum_length"),
    ("Leads", {"Last_Name": "A", "Annual_Revenue": True}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "Annual_Revenue": 0.1234567891}, "maximum_decimal_place"),
    ("Leads", {"Last_Name": "A", "Email_Opt_Out": "true"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "Lead_Source": "s" * 121}, "maximum_length"),
    ("Leads", {"Last_Name": "A", "Description": "d" * 32001}, "maximum_length"),
    ("Contacts", {"Last_Name": "A", "Date_of_Birth": "1990-02-30"}, "expected_data_type"),
    ("Contacts", {"Last_Name": "A", "Date_of_Birth": "02/03/1990"}, "expected_data_type"),
    ("Contacts", {"Last_Name": "A", "Account_Name": "text"}, "expected_data_type"),
    ("Contacts", {"Last_Name": "A", "Account_Name": {"id": "12"}}, "id"),
    ("Contacts", {"Last_Name": "A", "Account_Name": {"name": "Only a name"}}, "expected_data_type"),
    ("Accounts", {"Account_Name": "A", "Account_Number": "1" * 19}, "maximum_length"),
    ("Events", {"Event_Title": "A", "Start_DateTime": "2026-01-01T10:00:00.000+00:00",
                "End_DateTime": "2026-01-01T11:00:00+00:00"}, "expected_data_type"),
    ("Leads", {"Last_Name": "A", "Tag": [{"name": "x" * 26}]}, "maximum_length"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "item", "detail"), BAD_VALUES)
async def test_section_10_types_and_lengths(zoho: Zoho, module: str, item: Json, detail: str) -> None:
    refused = await zoho.refused(module, item)
    assert refused["code"] == "INVALID_DATA"
    assert detail in refused["details"]


GOOD_VALUES: list[tuple[str, Any, Any]] = [
    ("Email", "o'neil+x@mail.example.co.uk", None),
    ("Phone", "+49 (30) 123-45.67 ext 8", None),
    ("Website", "https://example.com/a?b=c", None),
    ("No_of_Employees", -5, None),
    ("Annual_Revenue", 1234567890.55, None),
    ("Last_Name", "Żółć 東京 🚚", None),
    ("Email_Opt_Out", True, None),
    ("Lead_Source", "A value nobody listed", None),
    ("Description", "line\nline\t" * 3000, None),
]


@pytest.mark.parametrize(("name", "value", "shown"), GOOD_VALUES)
async def test_section_10_values_come_back_as_sent(zoho: Zoho, name: str, value: Any, shown: Any) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", name: value})
    assert (await zoho.record("Leads", lead))[name] == (value if shown is None else shown)


async def test_section_1_date_times_come_back_in_the_users_zone(zoho: Zoho) -> None:
    item = {
        "Event_Title": "Visit",
        "Start_DateTime": "2026-07-01T10:00:00+05:30",
        "End_DateTime": "2026-12-01T10:00:00+00:00",
    }
    (event,) = await zoho.create("Events", item)
    stored = await zoho.record("Events", event)
    assert stored["Start_DateTime"] == "2026-07-01T00:30:00-04:00"
    assert stored["End_DateTime"] == "2026-12-01T05:00:00-05:00"


async def test_section_10_bigint_is_a_text_and_multi_select_an_array(zoho: Zoho) -> None:
    field = await zoho.add_field(
        "Accounts", "Skills", "multiselectpicklist", pick_list_values=[{"display_value": "A", "actual_value": "A"}]
    )
    (account,) = await zoho.create(
        "Accounts", {"Account_Name": "X", "Account_Number": "123456789012345678", "Skills": ["A", "New"]}
    )
    stored = await zoho.record("Accounts", account)
    assert (stored["Account_Number"], stored["Skills"]) == ("123456789012345678", ["A", "New"])
    options = (await zoho.get(f"settings/fields/{field['id']}?module=Accounts")).json()["fields"][0]["pick_list_values"]
    assert [option["actual_value"] for option in options] == ["A", "New"]
    refused = await zoho.refused("Accounts", {"Account_Name": "X", "Skills": "A;New"})
    assert refused["details"]["expected_data_type"] == "jsonarray"
    append = {"Skills": ["Third"], "$append_values": {"Skills": True}}
    assert (await zoho.put(f"Accounts/{account}", {"data": [append]})).status_code == 200
    assert (await zoho.record("Accounts", account))["Skills"] == ["A", "New", "Third"]


async def test_section_10_unlisted_picklist_values_are_added_or_rejected_by_switch(start: Start) -> None:
    zoho = await start(options={"empty": "1"})
    await zoho.create("Leads", {"Last_Name": "A", "Lead_Source": "Pigeon"})
    fields = (await zoho.get("settings/fields?module=Leads")).json()["fields"]
    source = next(item for item in fields if item["api_name"] == "Lead_Source")
    assert "Pigeon" in [option["actual_value"] for option in source["pick_list_values"]]
    strict = await start(options={"unlisted_picklist": "reject"})
    refused = await strict.refused("Leads", {"Last_Name": "A", "Lead_Source": "Pigeon"})
    assert "Cold Call" in refused["details"]["supported_values"]


MANDATORY = [
    ("Leads", {"Last_Name"}), ("Contacts", {"Last_Name"}), ("Accounts", {"Account_Name"}), ("Deals",
    {"Deal_Name", "Stage"}),
    ("Tasks", {"Subject"}), ("Calls", {"Subject", "Call_Type", "Call_Start_Time", "Call_Duration"}),
    ("Events", {"Event_Title", "Start_DateTime", "End_DateTime"}), ("Products", {"Product_Name"}),
    ("Quotes", {"Subject", "Quoted_Items"}), ("Sales_Orders", {"Subject", "Ordered_Items"}),
    ("Invoices", {"Subject", "Invoiced_Items"}), ("Purchase_Orders", {"Subject", "Vendor_Name", "Purchased_Items"}),
    ("Vendors", {"Vendor_Name"}), ("Price_Books", {"Price_Book_Name", "Pricing_Details"}),
    ("Campaigns", {"Campaign_Name"}), ("Cases", {"Case_Origin", "Status", "Subject"}), ("Solutions",
    {"Solution_Title"}),
]  # fmt: skip


@pytest.mark.parametrize(("module", "names"), MANDATORY)
async def test_section_10_system_mandatory_fields(zoho: Zoho, module: str, names: set[str]) -> None:
    refused = await zoho.refused(module, {"Description": "nothing else"})
    errors = refused["details"].get("errors", [refused])
    assert {error["details"]["api_name"] for error in errors} == names
    assert {error["code"] for error in errors} == {"MANDATORY_NOT_FOUND"}


async def test_section_9_pipeline_is_mandatory_where_pipelines_are_on(start: Start) -> None:
    deal = {"Deal_Name": "D", "Stage": "Qualification"}
    refused = await (await start()).refused("Deals", deal)
    assert (refused["code"], refused["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "Pipeline")
    await (await start(options={"pipelines_enabled": "off"})).create("Deals", deal)


async def test_section_9_unknown_stage_is_no_new_option(zoho: Zoho) -> None:
    refused = await zoho.refused("Deals", {"Deal_Name": "D", "Stage": "Somewhere", "Pipeline": STANDARD})
    assert "Qualification" in refused["details"]["supported_values"]


async def test_section_13_system_fields_are_ignored_or_refused_by_switch(start: Start) -> None:
    item = {"Last_Name": "A", "Created_Time": "2001-01-01T00:00:00+00:00", "Modified_By": {"id": "1"}}
    zoho = await start(options={"empty": "1"})
    (lead,) = await zoho.create("Leads", item)
    assert (await zoho.record("Leads", lead))["Created_Time"] == "2026-03-02T07:00:00-05:00"
    strict = await start(options={"readonly_fields": "error"})
    assert (await strict.refused("Leads", item))["code"] == "MULTIPLE_OR_MULTI_ERRORS"


async def test_section_10_unknown_fields_are_ignored_or_refused_by_switch(start: Start) -> None:
    item = {"Last_Name": "A", "No_Such_Field": "x"}
    zoho = await start(options={"empty": "1"})
    (lead,) = await zoho.create("Leads", item)
    assert "No_Such_Field" not in await zoho.record("Leads", lead)
    strict = await start(options={"unknown_fields": "error"})
    refused = await strict.refused("Leads", item)
    assert refused["message"] == "the field api name given seems to be invalid"


async def test_section_13_owner_is_an_active_user(zoho: Zoho) -> None:
    owner, gone = await zoho.user("owner2@example.com"), await zoho.user("inactive@example.com")
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Owner": {"id": int(owner)}})
    assert (await zoho.record("Leads", lead))["Owner"]["email"] == "owner2@example.com"
    (mine,) = await zoho.create("Leads", {"Last_Name": "A"})
    assert (await zoho.record("Leads", mine))["Owner"]["email"] == "admin@example.com"
    refused = await zoho.refused("Leads", {"Last_Name": "A", "Owner": {"id": gone}})
    assert refused["details"]["owner_status"] == "inactive"
    unknown = await zoho.refused("Leads", {"Last_Name": "A", "Owner": {"id": "1"}})
    assert unknown["details"]["owner_status"] == "not_crm_user"
    moved = await zoho.post("Leads/actions/change_owner", {"ids": [mine, "5"], "owner": {"id": owner}})
    assert (moved.status_code, [r["status"] for r in moved.json()["data"]]) == (207, ["success", "error"])
    assert (await zoho.record("Leads", mine))["Owner"]["id"] == owner


async def test_section_10_lookups_exist_in_the_right_module(zoho: Zoho) -> None:
    (account,) = await zoho.create("Accounts", {"Account_Name": "A"})
    (contact,) = await zoho.create(
        "Contacts", {"Last_Name": "B", "Account_Name": {"id": int(account), "name": "ignored"}}
    )
    assert (await zoho.record("Contacts", contact))["Account_Name"] == {"name": "A", "id": account}
    wrong = await zoho.refused("Contacts", {"Last_Name": "B", "Account_Name": {"id": contact}})
    assert wrong["message"] == "the id given seems to be invalid"


async def test_section_10_unique_values(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Code", unique={"case_sensitive": False})
    (first,) = await zoho.create("Leads", {"Last_Name": "A", "Code": "AbC"})
    refused = await zoho.refused("Leads", {"Last_Name": "B", "Code": "aBc"})
    details = refused["details"]
    assert (refused["code"], details["id"], details["api_name"]) == ("DUPLICATE_DATA", first, "Code")
    assert details["duplicate_record"]["module"]["api_name"] == "Leads"
    answer = await zoho.post("Leads", {"data": [{"Last_Name": "C", "Code": "x"}, {"Last_Name": "D", "Code": "X"}]})
    assert [result["code"] for result in answer.json()["data"]] == ["SUCCESS", "DUPLICATE_DATA"]
    (other,) = await zoho.create("Leads", {"Last_Name": "E"})
    clash = await zoho.put(f"Leads/{other}", {"data": [{"Code": "abc"}]})
    assert clash.json()["data"][0]["code"] == "DUPLICATE_DATA"
    assert (await zoho.put(f"Leads/{first}", {"data": [{"Code": None}]})).status_code == 200
    assert (await zoho.put(f"Leads/{other}", {"data": [{"Code": "abc"}]})).status_code == 200


async def test_section_11_partial_update_by_id_and_in_a_batch(zoho: Zoho) -> None:
    one, two = await zoho.create("Leads", {"Last_Name": "A", "City": "Rome"}, {"Last_Name": "B"})
    answer = await zoho.put(
        "Leads",
        {"data": [{"id": one, "Company": "X"}, {"id": "1"}, {"Last_Name": "no id"}, {"id": int(two), "City": ""}]},
    )
    assert answer.status_code == 207
    codes = [result["code"] for result in answer.json()["data"]]
    assert codes == ["SUCCESS", "INVALID_DATA", "MANDATORY_NOT_FOUND", "SUCCESS"]
    stored = await zoho.record("Leads", one)
    assert (stored["City"], stored["Company"]) == ("Rome", "X")
    assert (await zoho.put(f"Leads/{one}", {"data": [{"City": None}]})).status_code == 200
    assert (await zoho.record("Leads", one))["City"] is None
    emptied = await zoho.put(f"Leads/{one}", {"data": [{"Last_Name": None}]})
    assert emptied.json()["data"][0]["code"] == "MANDATORY_NOT_FOUND"


async def test_section_11_if_unmodified_since(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    before = (await zoho.record("Leads", lead))["Modified_Time"]
    zoho.clock.advance(seconds=5)
    headers = {"If-Unmodified-Since": before}
    assert (await zoho.put(f"Leads/{lead}", {"data": [{"City": "Rome"}]}, headers=headers)).status_code == 200
    late = await zoho.put(f"Leads/{lead}", {"data": [{"City": "Oslo"}]}, headers=headers)
    assert (late.status_code, late.json()["data"][0]["code"]) == (412, "ALREADY_MODIFIED")
    assert (await zoho.record("Leads", lead))["City"] == "Rome"


async def test_section_16_what_id_needs_its_module(zoho: Zoho) -> None:
    (deal,) = await zoho.create("Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": STANDARD})
    (contact,) = await zoho.create("Contacts", {"Last_Name": "C"})
    missing = await zoho.refused("Tasks", {"Subject": "T", "What_Id": {"id": deal}})
    assert missing["code"] == "DEPENDENT_FIELD_MISSING"
    wrong = await zoho.refused("Tasks", {"Subject": "T", "What_Id": {"id": deal}, "$se_module": "Accounts"})
    assert wrong["code"] == "INVALID_DATA"
    item = {"Subject": "T", "What_Id": {"id": deal}, "$se_module": "Deals", "Who_Id": {"id": contact}}
    (task,) = await zoho.create("Tasks", item)
    stored = await zoho.record("Tasks", task)
    assert (stored["What_Id"]["name"], stored["$se_module"], stored["Who_Id"]["name"]) == ("D", "Deals", "C")
    related = await zoho.get(f"Deals/{deal}/Tasks?fields=Subject")
    assert [row["Subject"] for row in related.json()["data"]] == ["T"]


async def test_section_16_calls_and_events(zoho: Zoho) -> None:
    call = {
        "Subject": "C",
        "Call_Type": "Inbound",
        "Call_Start_Time": "2026-01-01T10:00:00+00:00",
        "Call_Duration": "00:00",
    }
    assert (await zoho.refused("Calls", call))["code"] == "DEPENDENT_MISMATCH"
    assert (await zoho.refused("Calls", {**call, "Call_Duration": "ten"}))["code"] == "INVALID_DATA"
    (made,) = await zoho.create("Calls", {**call, "Call_Duration": "01:30"})
    assert (await zoho.record("Calls", made))["Call_Duration_in_seconds"] == 5400
    event = {
        "Event_Title": "E",
        "Start_DateTime": "2026-01-01T10:00:00+00:00",
        "End_DateTime": "2026-01-01T09:00:00+00:00",
    }
    assert (await zoho.refused("Events", event))["code"] == "DEPENDENT_MISMATCH"
    people = [{"type": "email", "participant": "a@example.com"}] * 51
    full = {**event, "End_DateTime": "2026-01-01T11:00:00+00:00"}
    assert (await zoho.refused("Events", {**full, "Participants": people}))["details"]["maximum_length"] == 50
    await zoho.create("Events", {**full, "Participants": people[:2]})


async def test_section_16_line_items_and_totals(zoho: Zoho) -> None:
    one, two = await zoho.create("Products", {"Product_Name": "Pump", "Unit_Price": 10}, {"Product_Name": "Hose"})
    items = [
        {"Product_Name": {"id": one}, "Quantity": 3, "Line_Tax": [{"name": "VAT", "percentage": 10}]},
        {"Product_Name": {"id": two}, "Quantity": 2, "List_Price": 5.5, "Discount": 1},
    ]
    (quote,) = await zoho.create("Quotes", {"Subject": "Q", "Quoted_Items": items, "Adjustment": 2})
    stored = await zoho.record("Quotes", quote)
    assert [row["Net_Total"] for row in stored["Quoted_Items"]] == [33, 10]
    assert (stored["Sub_Total"], stored["Grand_Total"]) == (43, 45)
    assert stored["Quoted_Items"][0]["Product_Name"] == {"name": "Pump", "id": one}
    row = stored["Quoted_Items"][0]["id"]
    change = {"Quoted_Items": [{"id": row, "Quantity": 1}, {"Product_Name": {"id": two}, "List_Price": 4}]}
    assert (await zoho.put(f"Quotes/{quote}", {"data": [change]})).status_code == 200
    changed = await zoho.record("Quotes", quote)
    assert [item["Quantity"] for item in changed["Quoted_Items"]] == [1, 1]
    missing = await zoho.refused("Quotes", {"Subject": "Q", "Quoted_Items": [{"Quantity": 1}]})
    assert missing["code"] == "MANDATORY_NOT_FOUND"
    empty = await zoho.refused("Quotes", {"Subject": "Q", "Quoted_Items": []})
    assert empty["code"] == "MANDATORY_NOT_FOUND"


async def test_section_16_tags(zoho: Zoho) -> None:
    one, two = await zoho.create("Leads", {"Last_Name": "A", "Tag": [{"name": "moved"}]}, {"Last_Name": "B"})
    assert [tag["name"] for tag in (await zoho.record("Leads", one))["Tag"]] == ["moved"]
    answer = await zoho.post("Leads/actions/add_tags", {"tags": [{"name": "new"}], "ids": [one, two]})
    assert answer.json()["data"][0]["details"]["tags"] == ["moved", "new"]
    await zoho.post("Leads/actions/remove_tags", {"tags": [{"name": "moved"}], "ids": [one]})
    assert [tag["name"] for tag in (await zoho.record("Leads", one))["Tag"]] == ["new"]
    known = (await zoho.get("settings/tags?module=Leads")).json()["tags"]
    assert {tag["name"] for tag in known} == {"moved", "new"}
    many = {"tags": [{"name": f"t{n}"} for n in range(10)], "ids": [one]}
    assert (await zoho.post("Leads/actions/add_tags", many)).json()["data"][0]["code"] == "LIMIT_EXCEEDED"
    made = await zoho.post("settings/tags?module=Leads", {"tags": [{"name": "new"}, {"name": "a<b"}, {"name": "ok"}]})
    assert [tag["code"] for tag in made.json()["tags"]] == ["DUPLICATE_DATA", "INVALID_DATA", "SUCCESS"]


async def test_section_18_mass_update_by_ids(zoho: Zoho) -> None:
    ids = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    answer = await zoho.post("Leads/actions/mass_update", {"data": [{"City": "Rome"}], "ids": ids, "over_write": True})
    assert answer.status_code == 200
    assert (await zoho.record("Leads", ids[1]))["City"] == "Rome"
    two = await zoho.post("Leads/actions/mass_update", {"data": [{"City": "Rome", "State": "X"}], "ids": ids})
    assert two.json()["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize("item", [None, 5, "text", [], {"Last_Name": {"a": 1}}, {"Last_Name": ["x"]},
                                  {"Last_Name": "A", "Owner": [1]}, {"Last_Name": "A", "Tag": {"name": 1}},
                                  {"Last_Name": "A", "Annual_Revenue": 1e308},
                                  {"Email": {"$ne": 1}, "$append_values": [1], "Last_Name": 7}])  # fmt: skip
async def test_hostile_items_are_refused_one_by_one(zoho: Zoho, item: Any) -> None:
    answer = await zoho.post("Leads", {"data": [item, {"Last_Name": "Good"}]})
    assert answer.status_code == 207
    assert [result["status"] for result in answer.json()["data"]] == ["error", "success"]
