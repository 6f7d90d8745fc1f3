"""The administrator changes the schema while somebody writes: taken away, narrowed, demanded, and put back."""

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Zoho


async def change(zoho: Zoho, how: str, **more: object) -> dict[str, str]:
    answer = await zoho.post("/_sandbox/admin", {"action": "change_schema", "how": how, "modules": ["Leads"], **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


async def restore(zoho: Zoho) -> int:
    return int((await zoho.post("/_sandbox/admin", {"action": "restore_schema"})).json()["restored"])


async def names(zoho: Zoho, module: str) -> set[str]:
    return {one["api_name"] for one in (await zoho.get(f"settings/fields?module={module}")).json()["fields"]}


async def test_a_field_goes_with_its_writes_and_comes_back_with_its_data(zoho: Zoho) -> None:
    """Zoho drops values for names it does not know (section 21)."""
    await zoho.add_field("Leads", "Code")
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Code": "x"})
    assert await change(zoho, "field_gone") == {"how": "field_gone", "module": "Leads", "field": "Code"}
    assert "Code" not in await names(zoho, "Leads")
    (other,) = await zoho.create("Leads", {"Last_Name": "B", "Code": "y"})
    assert await restore(zoho) == 1
    assert "Code" in await names(zoho, "Leads")
    assert (await zoho.record("Leads", lead))["Code"] == "x"
    assert (await zoho.record("Leads", other)).get("Code") is None


async def test_a_field_becomes_mandatory(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Code")
    assert (await change(zoho, "field_required"))["field"] == "Code"
    refusal = await zoho.refused("Leads", {"Last_Name": "A"})
    assert (refusal["code"], refusal["details"]["api_name"]) == ("MANDATORY_NOT_FOUND", "Code")
    await restore(zoho)
    await zoho.create("Leads", {"Last_Name": "A"})


async def test_keys_and_spared_fields_stay(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Code", unique={"case_sensitive": False})
    await zoho.add_field("Leads", "Former")
    body = {"action": "change_schema", "how": "field_gone", "draw": 3, "modules": ["Leads"], "spare": ["Former"]}
    assert (await zoho.post("/_sandbox/admin", body)).status_code == 400
    assert (await zoho.post("/_sandbox/admin", {**body, "how": "meteor"})).status_code == 400
    assert await restore(zoho) == 0


@pytest.mark.parametrize("rate", [10_000, 0])
async def test_no_slot_for_a_unique_field_is_left(zoho: Zoho, rate: int) -> None:
    await zoho.post("/_sandbox/faults", {"no_unique_slots": rate})
    body = {"fields": [{"field_label": "Code", "data_type": "text", "length": 50, "unique": {"case_sensitive": False}}]}
    answer = (await zoho.post("settings/fields?module=Leads", body)).json()["fields"][0]
    assert answer["code"] == ("LIMIT_EXCEEDED" if rate else "SUCCESS")


async def test_a_module_goes_and_comes_back_with_its_records(zoho: Zoho) -> None:
    await zoho.add_module("Parts", "Part")
    (part,) = await zoho.create("Parts", {"Name": "P-1"})
    assert await change(zoho, "module_gone", modules=["Parts"]) == {"how": "module_gone", "module": "Parts"}
    answer = await zoho.post("Parts", {"data": [{"Name": "P-2"}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_MODULE")
    await restore(zoho)
    assert (await zoho.record("Parts", part))["Name"] == "P-1"
