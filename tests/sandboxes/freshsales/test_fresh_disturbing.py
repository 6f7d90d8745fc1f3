"""The administrator changes the schema while somebody writes: taken away, narrowed, demanded, and put back."""

from typing import Any

from tests.sandboxes.freshsales.fresh_kit import Fresh

MODULE = {"entity_name": "cm_part", "singular_name": "Part", "plural_name": "Parts", "icon": "box"}


async def change(fresh: Fresh, how: str, module: str = "sales_account", **more: Any) -> dict[str, Any]:
    body = {"action": "change_schema", "how": how, "modules": [module], **more}
    found: dict[str, Any] = await fresh.good("POST", "/_sandbox/admin", body)
    return found


async def restore(fresh: Fresh) -> int:
    return int((await fresh.good("POST", "/_sandbox/admin", {"action": "restore_schema"}))["restored"])


async def account(fresh: Fresh, name: str, **custom: Any) -> dict[str, Any]:
    made = await fresh.make("sales_accounts", name=name, custom_field=custom)
    shown = await fresh.good("GET", f"sales_accounts/{made['id']}")
    found: dict[str, Any] = shown["sales_account"]
    return found


async def test_a_field_goes_with_its_writes_and_comes_back_with_its_data(fresh: Fresh) -> None:
    """Unknown custom fields are dropped without a word (section 3)."""
    await fresh.field("sales_account", "Code")
    first = await account(fresh, "A", cf_code="x")
    assert await change(fresh, "field_gone") == {"how": "field_gone", "module": "sales_account", "field": "cf_code"}
    second = await account(fresh, "B", cf_code="y")
    assert await restore(fresh) == 1
    for row, kept in ((first, "x"), (second, None)):
        shown = (await fresh.good("GET", f"sales_accounts/{row['id']}"))["sales_account"]
        assert shown["custom_field"].get("cf_code") == kept


async def test_a_field_becomes_mandatory_and_a_list_is_narrowed(fresh: Fresh) -> None:
    await fresh.field("sales_account", "Size", "dropdown", choices=["small", "large"])
    assert (await change(fresh, "options_gone"))["field"] == "cf_size"
    body = {"sales_account": {"name": "A", "custom_field": {"cf_size": "large"}}}
    assert await fresh.refused("POST", "sales_accounts", body) == ["Size is invalid"]
    assert (await change(fresh, "field_required"))["field"] == "cf_size"
    assert await fresh.refused("POST", "sales_accounts", {"sales_account": {"name": "A"}}) == ["Size can't be empty"]
    assert await restore(fresh) == 2
    await fresh.make("sales_accounts", name="A")
    assert (await account(fresh, "B", cf_size="large"))["custom_field"]["cf_size"] == "large"


async def test_a_module_goes_and_comes_back_with_its_records(fresh: Fresh) -> None:
    await fresh.good("POST", "settings/module_customizations", {"module_customization": MODULE})
    made = (await fresh.good("POST", "custom_module/cm_part", {"cm_part": {"name": "P-1"}}))["cm_part"]["id"]
    assert await change(fresh, "module_gone", "cm_part") == {"how": "module_gone", "module": "cm_part"}
    await fresh.refused("POST", "custom_module/cm_part", {"cm_part": {"name": "P-2"}}, status=404)
    await restore(fresh)
    assert (await fresh.good("GET", f"custom_module/cm_part/{made}"))["cm_part"]["name"] == "P-1"


async def test_no_field_can_be_made_unique(fresh: Fresh) -> None:
    await fresh.field("sales_account", "Code")
    body = {"action": "set_unique", "module": "sales_account", "field": "cf_code"}
    await fresh.post("/_sandbox/faults", {"no_unique_slots": 10_000})
    await fresh.refused("POST", "/_sandbox/admin", body)
    await fresh.delete("/_sandbox/faults")
    await fresh.good("POST", "/_sandbox/admin", body)
