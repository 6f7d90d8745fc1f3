"""Fact sheet sections 11 and 12: upsert matching and external ids."""

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Json, Zoho

EXTERNAL = {"type": "org", "show": True}


async def upsert(zoho: Zoho, module: str, *items: Json, check: list[str] | None = None) -> list[Json]:
    body: Json = {"data": list(items), "trigger": []}
    if check is not None:
        body["duplicate_check_fields"] = check
    results: list[Json] = (await zoho.post(f"{module}/upsert", body)).json()["data"]
    return results


async def test_section_11_insert_then_update(zoho: Zoho) -> None:
    await zoho.add_field("Accounts", "Source Id", external=EXTERNAL)
    (first,) = await upsert(zoho, "Accounts", {"Account_Name": "A", "Source_Id": "st:1"}, check=["Source_Id"])
    assert (first["action"], first["duplicate_field"], first["message"]) == ("insert", None, "record added")
    (second,) = await upsert(zoho, "Accounts", {"Account_Name": "B", "Source_Id": "ST:1"}, check=["Source_Id"])
    assert (second["action"], second["duplicate_field"], second["message"]) == ("update", "Source_Id", "record updated")
    assert first["details"]["id"] == second["details"]["id"]
    assert (await zoho.record("Accounts", first["details"]["id"]))["Account_Name"] == "B"


async def test_section_11_two_items_of_one_key_in_a_batch_meet_one_record(zoho: Zoho) -> None:
    await zoho.add_field("Accounts", "Source Id", external=EXTERNAL)
    items = [{"Account_Name": "A", "Source_Id": "st:1"}, {"Account_Name": "B", "Source_Id": "st:1"}]
    first, second = await upsert(zoho, "Accounts", *items, check=["Source_Id"])
    assert (first["action"], second["action"]) == ("insert", "update")
    assert first["details"]["id"] == second["details"]["id"]


async def test_section_11_system_field_matches_only_when_listed_or_nothing_is(zoho: Zoho) -> None:
    await zoho.add_field("Accounts", "Source Id", unique={"case_sensitive": False})
    (first,) = await upsert(zoho, "Accounts", {"Account_Name": "Same"}, check=[])
    (apart,) = await upsert(zoho, "Accounts", {"Account_Name": "Same", "Source_Id": "x"}, check=["Source_Id"])
    assert (first["action"], apart["action"]) == ("insert", "insert")
    (overwritten,) = await upsert(zoho, "Accounts", {"Account_Name": "Same", "Phone": "1"})
    assert (overwritten["action"], overwritten["duplicate_field"]) == ("update", "Account_Name")
    assert overwritten["details"]["id"] == first["details"]["id"]
    (listed,) = await upsert(zoho, "Accounts", {"Account_Name": "Same"}, check=["Account_Name"])
    assert listed["details"]["id"] == first["details"]["id"]


async def test_section_11_other_unique_fields_are_checked_after_the_listed_ones(zoho: Zoho) -> None:
    for label in ("Key One", "Key Two"):
        await zoho.add_field("Leads", label, unique={"case_sensitive": False})
    one, two = await zoho.create("Leads", {"Last_Name": "A", "Key_One": "1"}, {"Last_Name": "B", "Key_Two": "2"})
    (by_second,) = await upsert(zoho, "Leads", {"Last_Name": "C", "Key_One": "9", "Key_Two": "2"}, check=["Key_One"])
    assert (by_second["details"]["id"], by_second["duplicate_field"]) == (two, "Key_Two")
    (clash,) = await upsert(zoho, "Leads", {"Last_Name": "C", "Key_One": "1", "Key_Two": "2"}, check=["Key_One"])
    assert (clash["code"], clash["details"]["id"]) == ("DUPLICATE_DATA", two)
    assert (await zoho.record("Leads", one))["Last_Name"] == "A"


async def test_section_11_match_fields_must_be_unique_or_the_system_field(zoho: Zoho) -> None:
    body = {"data": [{"Last_Name": "A"}], "duplicate_check_fields": ["Phone"]}
    answer = await zoho.post("Leads/upsert", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
    assert answer.json()["details"]["supported_values"] == ["Email"]


@pytest.mark.parametrize("module", ["Tasks", "Events", "Calls", "Notes"])
async def test_section_11_no_upsert_for_activities_and_notes(zoho: Zoho, module: str) -> None:
    answer = await zoho.post(f"{module}/upsert", {"data": [{"Subject": "A"}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_SUPPORTED")


async def test_section_11_custom_modules_match_by_name(zoho: Zoho) -> None:
    await zoho.add_module("Contracts", "Contract")
    (first,) = await upsert(zoho, "Contracts", {"Name": "C-1"})
    (second,) = await upsert(zoho, "Contracts", {"Name": "C-1"}, check=["Name"])
    assert first["details"]["id"] == second["details"]["id"]


async def test_section_11_item_with_id_is_updated(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    (result,) = await upsert(zoho, "Leads", {"id": lead, "City": "Rome"}, check=["Email"])
    assert (result["action"], result["details"]["id"]) == ("update", lead)


async def test_section_12_get_put_delete_by_external_value(zoho: Zoho) -> None:
    await zoho.add_field("Tasks", "Source Id", external=EXTERNAL)
    (task,) = await zoho.create("Tasks", {"Subject": "T", "Source_Id": "st:7"})
    headers = {"X-EXTERNAL": "Tasks.Source_Id"}
    assert (await zoho.get("Tasks/st:7", headers=headers)).json()["data"][0]["id"] == task
    answer = await zoho.put("Tasks/st:7", {"data": [{"Subject": "U"}]}, headers=headers)
    assert answer.json()["data"][0]["details"]["Source_Id"] == "st:7"
    refused = await zoho.put("Tasks/st:7", {"data": [{"Source_Id": "st:8"}]}, headers=headers)
    assert refused.json()["data"][0]["code"] == "NOT_ALLOWED"
    many = {"data": [{"Source_Id": "st:7", "Priority": "High"}, {"Source_Id": "st:9", "Priority": "High"}]}
    batch = await zoho.put("Tasks", many, headers=headers)
    assert (batch.status_code, [r["code"] for r in batch.json()["data"]]) == (207, ["SUCCESS", "INVALID_DATA"])
    missing = await zoho.put("Tasks/st:9", {"data": [{"Subject": "U"}]}, headers=headers)
    assert missing.json()["message"] == "The value of the external field is invalid."
    assert (await zoho.get("Tasks/st:9", headers=headers)).status_code == 204
    assert (await zoho.delete("Tasks/st:7", headers=headers)).status_code == 200
    assert (await zoho.get(f"Tasks/{task}")).status_code == 204


async def test_section_12_lookup_by_external_value(zoho: Zoho) -> None:
    for module in ("Accounts", "Contacts"):
        await zoho.add_field(module, "Source Id", external=EXTERNAL)
    (account,) = await zoho.create("Accounts", {"Account_Name": "A", "Source_Id": "a:1"})
    headers = {"X-EXTERNAL": "Contacts.Source_Id,Contacts.Account_Name.Source_Id"}
    item = {"Last_Name": "B", "Account_Name": {"Source_Id": "a:1"}}
    (contact,) = await zoho.create("Contacts", item, headers=headers)
    assert (await zoho.record("Contacts", contact))["Account_Name"]["id"] == account
    wrong = await zoho.post("Contacts", {"data": [{**item, "Account_Name": {"Source_Id": "a:2"}}]}, headers=headers)
    assert wrong.json()["data"][0]["message"] == "The value of the external field is invalid."


async def test_section_12_external_values_are_unique(zoho: Zoho) -> None:
    await zoho.add_field("Deals", "Source Id", external=EXTERNAL)
    deal = {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Standard (Standard)", "Source_Id": "w:1"}
    (first,) = await zoho.create("Deals", deal)
    assert (await zoho.refused("Deals", deal))["details"]["id"] == first


async def test_section_12_header_must_name_an_external_field(zoho: Zoho) -> None:
    answer = await zoho.get("Leads/x", headers={"X-EXTERNAL": "Leads.Company"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DATA")
