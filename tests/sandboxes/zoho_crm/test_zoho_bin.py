"""Fact sheet section 15: deleting, the recycle bin and bringing records back."""

from tests.sandboxes.zoho_crm.zoho_kit import Zoho


async def test_section_15_delete_in_batches_is_soft(zoho: Zoho) -> None:
    one, two = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    answer = await zoho.delete(f"Leads?ids={one},77&wf_trigger=false")
    assert answer.status_code == 207
    good, bad = answer.json()["data"]
    assert (good["message"], bad["message"], bad["details"]) == ("record deleted", "record not deleted", {"id": "77"})
    assert (await zoho.get(f"Leads/{one}")).status_code == 204
    gone = (await zoho.get("Leads/deleted?type=recycle")).json()["data"]
    assert [(row["id"], row["display_name"], row["type"]) for row in gone] == [(one, "A", "recycle")]
    assert (await zoho.delete(f"Leads/{two}")).status_code == 200
    assert (await zoho.delete(f"Leads/{two}")).status_code == 400
    assert (await zoho.delete("Leads")).json()["code"] == "REQUIRED_PARAM_MISSING"
    many = ",".join(["1"] * 101)
    assert (await zoho.delete(f"Leads?ids={many}")).json()["code"] == "LIMIT_EXCEEDED"


async def test_section_15_mass_delete(zoho: Zoho) -> None:
    ids = await zoho.create("Leads", *({"Last_Name": str(n)} for n in range(5)))
    answer = await zoho.post("Leads/actions/mass_delete", {"ids": ids})
    assert {result["message"] for result in answer.json()["data"]} == {"record is deleted"}
    assert (await zoho.get("Leads/actions/count")).json() == {"count": 0}


async def test_section_15_notes_and_attachments_go_along_and_come_back(zoho: Zoho) -> None:
    (account,) = await zoho.create("Accounts", {"Account_Name": "A"})
    (contact,) = await zoho.create("Contacts", {"Last_Name": "C", "Account_Name": {"id": account}})
    note = (await zoho.post(f"Accounts/{account}/Notes", {"data": [{"Note_Title": "N"}]})).json()["data"][0]["details"][
        "id"
    ]
    await zoho.post(f"Accounts/{account}/Attachments", files={"file": ("a.txt", b"bytes")})
    before = (await zoho.get("/_sandbox/dump")).text
    await zoho.delete(f"Accounts/{account}")
    assert (await zoho.get(f"Notes/{note}")).status_code == 204
    assert (await zoho.record("Contacts", contact))["Account_Name"] is None
    listed = (await zoho.get("settings/recycle_bin")).json()["recycle_bin"]
    assert [(row["id"], row["module"]) for row in listed] == [(account, "Accounts")]
    answer = await zoho.post("settings/recycle_bin/actions/restore", {"ids": [account]})
    assert answer.status_code == 200
    assert (await zoho.get("/_sandbox/dump")).text == before


async def test_section_15_restore_by_filter_all_and_single(zoho: Zoho) -> None:
    leads = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    (account,) = await zoho.create("Accounts", {"Account_Name": "A"})
    await zoho.delete(f"Leads?ids={','.join(leads)}")
    await zoho.delete(f"Accounts/{account}")
    assert (await zoho.get("settings/recycle_bin/actions/count")).json() == {"count": 3}
    filters = {
        "group_operator": "AND",
        "group": [{"field": {"api_name": "module"}, "comparator": "equal", "value": "Accounts"}],
    }
    restored = await zoho.post("settings/recycle_bin/actions/restore", {"filters": filters})
    assert [result["details"]["id"] for result in restored.json()["recycle_bin"]] == [account]
    assert (await zoho.post(f"settings/recycle_bin/{leads[0]}/actions/restore")).status_code == 200
    assert (await zoho.post("settings/recycle_bin/actions/restore", {"restore_all_records": True})).status_code == 200
    assert (await zoho.get("settings/recycle_bin")).status_code == 204
    both = await zoho.post("settings/recycle_bin/actions/restore", {"ids": leads, "restore_all_records": True})
    assert both.json()["code"] == "AMBIGUITY_DURING_PROCESSING"


async def test_section_15_unique_value_taken_meanwhile_blocks_the_restore(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Code", unique={"case_sensitive": False})
    (old,) = await zoho.create("Leads", {"Last_Name": "A", "Code": "x"})
    await zoho.delete(f"Leads/{old}")
    (new,) = await zoho.create("Leads", {"Last_Name": "B", "Code": "x"})
    answer = await zoho.post("settings/recycle_bin/actions/restore", {"ids": [old]})
    result = answer.json()["recycle_bin"][0]
    assert (answer.status_code, result["code"], result["details"]["id"]) == (400, "DUPLICATE_DATA", new)


async def test_section_15_sixty_days_and_permanent_deletion(zoho: Zoho) -> None:
    one, two = await zoho.create("Leads", {"Last_Name": "A"}, {"Last_Name": "B"})
    await zoho.delete(f"Leads?ids={one},{two}")
    assert (await zoho.delete(f"settings/recycle_bin?ids={one}")).status_code == 200
    permanent = (await zoho.get("Leads/deleted?type=permanent")).json()["data"]
    assert [row["id"] for row in permanent] == [one]
    zoho.clock.advance(seconds=61 * 24 * 3600)
    await zoho.renew()
    assert (await zoho.get("settings/recycle_bin")).status_code == 204
    assert (await zoho.post("settings/recycle_bin/actions/restore", {"ids": [two]})).status_code == 400
