"""Contacts: shapes, parts, lifecycle, uniqueness (Freshsales fact sheet sections 1, 3, 13, 14 and 15)."""

import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Start


@pytest.mark.parametrize("wrapped", [True, False])
async def test_section_1_wrapped_and_bare_bodies(fresh: Fresh, wrapped: bool) -> None:
    values = {"first_name": "Jane", "last_name": "Harbor", "emails": "jane@example.com"}
    answer = await fresh.good("POST", "contacts", {"contact": values} if wrapped else values)
    shown = answer["contact"]
    assert (shown["display_name"], shown["email"]) == ("Jane Harbor", "jane@example.com")
    assert shown["emails"][0] | {"id": 0} == {
        "id": 0, "value": "jane@example.com", "is_primary": True, "label": "Work", "_destroy": False,
    }  # fmt: skip


async def test_section_1_ids_offsets_and_record_type(fresh: Fresh) -> None:
    shown = await fresh.make("contacts", last_name="Doe")
    assert len(str(shown["id"])) == 11
    assert len(str(shown["mcr_id"])) == 19
    assert shown["mcr_id"] > 2**53
    assert shown["record_type_id"] == "71010794476"
    assert shown["created_at"] == "2026-03-02T07:00:00-05:00"
    assert "owner_id" not in shown
    assert "sales_accounts" not in shown


async def test_section_3_owner_and_others_show_by_include_only(fresh: Fresh) -> None:
    source = (await fresh.selector("lead_sources"))["Referral"]
    owner = (await fresh.selector("owners"))["Dana Field"]
    key = await fresh.contact(last_name="Doe", owner_id=owner["id"], lead_source_id=str(source["id"]))
    answer = await fresh.good("GET", f"contacts/{key}?include=owner,creater&include=source,nonsense")
    assert answer["contact"]["owner_id"] == owner["id"]
    assert [user["display_name"] for user in answer["users"]] == ["Dana Field", "Account Admin"]
    assert answer["contact"]["lead_source_id"] == source["id"]
    assert answer["lead_sources"] == [source]
    assert answer["meta"] is None


async def test_section_3_forms_of_emails(fresh: Fresh) -> None:
    key = await fresh.contact(emails=["a@x.com", "b@x.com"])
    rows = (await fresh.good("GET", f"contacts/{key}"))["contact"]["emails"]
    assert [(row["value"], row["is_primary"]) for row in rows] == [("a@x.com", True), ("b@x.com", False)]
    change = [{"id": rows[0]["id"], "value": "a@x.com", "_destroy": True}, {"value": "c@x.com", "is_primary": True}]
    rows = (await fresh.good("PUT", f"contacts/{key}", {"contact": {"emails": change}}))["contact"]["emails"]
    assert [(row["value"], row["is_primary"]) for row in rows] == [("b@x.com", False), ("c@x.com", True)]
    assert await fresh.refused("PUT", f"contacts/{key}", {"emails": "no address"}) == ["Email is invalid"]
    assert await fresh.refused("PUT", f"contacts/{key}", {"emails": 5}) == ["The type for emails is invalid."]


async def test_section_3_a_contact_needs_something_but_no_email(fresh: Fresh, start: Start) -> None:
    assert (await fresh.make("contacts", mobile_number="3684932360"))["mobile_number"] == "3684932360"
    assert await fresh.refused("POST", "contacts", {"contact": {"city": "Rome"}})
    strict = await start(contact_needs_email="on")  # section 19 item 5
    assert await strict.refused("POST", "contacts", {"last_name": "Doe"}) == ["Emails can't be empty"]


async def test_section_3_several_accounts_one_primary_and_replaced_as_a_whole(fresh: Fresh) -> None:
    one, two = await fresh.account("One"), await fresh.account("Two", website="two.example")
    links = [{"id": one}, {"id": str(two), "is_primary": True}]
    key = await fresh.contact(last_name="Doe", sales_accounts=links)
    shown = (await fresh.good("GET", f"contacts/{key}?include=sales_accounts"))["contact"]["sales_accounts"]
    assert [(row["id"], row["is_primary"], row["partial"]) for row in shown] == [(two, True, True), (one, False, True)]
    await fresh.good("PUT", f"contacts/{key}", {"contact": {"sales_accounts": [{"id": one}]}})
    shown = (await fresh.good("GET", f"contacts/{key}?include=sales_accounts"))["contact"]["sales_accounts"]
    assert [(row["id"], row["is_primary"]) for row in shown] == [(one, True)]
    assert (await fresh.good("GET", f"sales_accounts/{one}?include=contacts"))["contacts"][0]["id"] == key


@pytest.mark.parametrize("wrong", [5, {"id": 1}, ["x"], [{"name": "One"}]])
async def test_section_15_wrong_type_for_sales_accounts(fresh: Fresh, wrong: object) -> None:
    body = {"contact": {"last_name": "Doe", "sales_accounts": wrong}}
    assert await fresh.refused("POST", "contacts", body) == ["The type for sales_accounts is invalid."]


async def test_section_3_choices_take_ids_and_never_labels(fresh: Fresh) -> None:
    for name in ("lead_source_id", "territory_id", "lifecycle_stage_id", "owner_id"):
        assert (await fresh.refused("POST", "contacts", {"last_name": "D", name: "Web"}))[0].endswith("is invalid")
    assert await fresh.refused("POST", "contacts", {"last_name": "D", "subscription_status": 9})
    assert (await fresh.make("contacts", last_name="D", subscription_status="1"))["subscription_status"] == 1


async def test_section_3_tags_replace_and_odd_names_are_ignored(fresh: Fresh) -> None:
    name = await fresh.field("contact", "Legacy ref")
    key = await fresh.contact(last_name="D", tags=["a", "b"], custom_fields={name: "x"}, made_up=1)
    shown = (await fresh.good("PUT", f"contacts/{key}", {"contact": {"tags": ["c"]}}))["contact"]
    assert shown["tags"] == ["c"]
    assert shown["custom_field"] == {name: None}
    assert await fresh.refused("PUT", f"contacts/{key}", {"tags": "c"}) == ["The type for tags is invalid."]


async def test_section_3_lifecycle_stage_and_status_belong_together(fresh: Fresh, start: Start) -> None:
    stages, statuses = await fresh.selector("lifecycle_stages"), await fresh.selector("contact_statuses")
    assert list(stages) == ["Lead", "Sales Qualified Lead", "Customer"]
    won = statuses["Won"]
    assert (won["forecast_type"], won["lifecycle_stage_id"]) == ("Closed Won", stages["Customer"]["id"])
    assert won["id"] in stages["Customer"]["contact_status_ids"]
    wrong = {"last_name": "D", "lifecycle_stage_id": stages["Lead"]["id"], "contact_status_id": won["id"]}
    assert await fresh.refused("POST", "contacts", wrong) == ["Status is invalid"]
    key = await fresh.contact(last_name="D", contact_status_id=won["id"])
    shown = (await fresh.good("GET", f"contacts/{key}"))["contact"]
    assert shown["lifecycle_stage_id"] == stages["Customer"]["id"]
    loose = await start(status_in_stage="off", lifecycle_on_get="null")
    stages, statuses = await loose.selector("lifecycle_stages"), await loose.selector("contact_statuses")
    wrong = {"lifecycle_stage_id": stages["Lead"]["id"], "contact_status_id": statuses["Won"]["id"]}
    assert (await loose.make("contacts", last_name="D", **wrong))["contact_status_id"] is None


async def test_section_14_unique_email_and_external_id(fresh: Fresh, start: Start) -> None:
    await fresh.contact(emails="Same@x.com", external_id="st:1")
    answer = await fresh.post("contacts", {"contact": {"emails": "same@X.com"}})
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"message": ["Contact is not unique"]}, "error_code": 3002}
    assert await fresh.refused("POST", "contacts", {"last_name": "D", "external_id": "ST:1"})
    assert await fresh.contact(last_name="D", mobile_number="1")
    assert await fresh.contact(last_name="D", mobile_number="1")
    other = await start(duplicate_words="field", mobile_unique="on", email_unique="off")
    await other.contact(mobile_number="1", emails="a@x.com")
    message = await other.refused("POST", "contacts", {"mobile_number": "1"})
    assert message == ["mobilenumber is not unique"]
    assert await other.contact(emails="a@x.com")


@pytest.mark.parametrize("blocks", [False, True])
async def test_section_14_the_bin_may_block_a_unique_value(start: Start, blocks: bool) -> None:
    fresh = await start(bin_blocks_unique=blocks)
    key = await fresh.contact(emails="a@x.com")
    await fresh.good("DELETE", f"contacts/{key}")
    assert (await fresh.post("contacts", {"emails": "a@x.com"})).status_code == (400 if blocks else 200)


async def test_section_14_lengths(fresh: Fresh, start: Start) -> None:
    assert await fresh.contact(last_name="x" * 256)
    assert "too long" in (await fresh.refused("POST", "contacts", {"last_name": "x" * 257}))[0]
    assert "too long" in (await fresh.refused("POST", "contacts", {"mobile_number": "1" * 31}))[0]
    assert "too long" in (await fresh.refused("POST", "contacts", {"last_name": "x", "address": "x" * 10_001}))[0]
    short = await start(text_limit=255)  # section 19 item 9
    assert "255" in (await short.refused("POST", "contacts", {"last_name": "x" * 256}))[0]


async def test_section_3_time_zones_by_rails_name_only(fresh: Fresh) -> None:
    assert (await fresh.make("contacts", last_name="D", time_zone="Arizona"))["time_zone"] == "Arizona"
    assert (await fresh.make("contacts", last_name="D", time_zone="America/Phoenix"))["time_zone"] is None


async def test_section_13_times_are_ignored_unless_honoured_and_owner_defaults(fresh: Fresh, start: Start) -> None:
    old = {"last_name": "D", "created_at": "2019-01-02T03:04:05Z"}
    assert (await fresh.make("contacts", **old))["created_at"].startswith("2026-03-02")
    key = await fresh.contact(last_name="D")
    users = (await fresh.good("GET", f"contacts/{key}?include=owner"))["users"]
    assert users[0]["email"] == "admin@example.com"
    former = (await fresh.selector("owners"))["Rita Former"]
    assert former["is_active"] is False
    assert await fresh.refused("POST", "contacts", {"last_name": "D", "owner_id": former["id"]})
    honest = await start(created_at="honour")
    assert (await honest.make("contacts", **old))["created_at"] == "2019-01-01T22:04:05-05:00"


@pytest.mark.parametrize("mode", ["merge", "replace"])
async def test_section_13_put_of_custom_field_merges_or_replaces(start: Start, mode: str) -> None:
    fresh = await start(custom_field_put=mode)
    one, two = await fresh.field("contact", "One"), await fresh.field("contact", "Two")
    key = await fresh.contact(last_name="D", custom_field={one: "1", two: "2"})
    shown = (await fresh.good("PUT", f"contacts/{key}", {"contact": {"custom_field": {one: "x"}}}))["contact"]
    assert shown["custom_field"] == {one: "x", two: "2" if mode == "merge" else None}
    shown = (await fresh.good("PUT", f"contacts/{key}", {"contact": {"job_title": "Boss"}}))["contact"]
    assert shown["custom_field"][one] == "x"


async def test_section_15_required_fields_of_the_administrator(start: Start) -> None:
    fresh = await start(required_fields="contact.lead_source_id,contact.cf_region")
    await fresh.field("contact", "Region")
    source = (await fresh.selector("lead_sources"))["Web"]["id"]
    assert await fresh.refused("POST", "contacts", {"last_name": "D"}) == ["Source can't be empty"]
    assert await fresh.refused("POST", "contacts", {"last_name": "D", "lead_source_id": source}) == [
        "Region can't be empty"
    ]
    key = await fresh.contact(last_name="D", lead_source_id=source, custom_field={"cf_region": "N"})
    assert await fresh.refused("PUT", f"contacts/{key}", {"lead_source_id": None}) == ["Source can't be empty"]
    await fresh.good("PUT", f"contacts/{key}", {"job_title": "Boss"})
    await fresh.admin("set_required", module="contact", field="job_title")
    assert await fresh.refused("PUT", f"contacts/{key}", {"job_title": None}) == ["Job title can't be empty"]


async def test_section_1_a_null_clears(fresh: Fresh) -> None:
    key = await fresh.contact(last_name="D", job_title="Boss")
    assert (await fresh.good("PUT", f"contacts/{key}", {"job_title": None}))["contact"]["job_title"] is None


async def test_section_2_team_members_and_owner_in_bulk(fresh: Fresh) -> None:
    user, key = (await fresh.selector("owners"))["Omar Sales"]["id"], await fresh.contact()
    team = {"team_users": [{"user_id": user, "designation_id": 1}]}
    assert (await fresh.good("POST", f"contacts/{key}/manage_team_members", team))["contact"]["team_user_ids"] == [user]
    body = {"selected_ids": [key, 1], "owner_id": user}
    assert "1 contacts" in (await fresh.good("POST", "contacts/bulk_assign_owner", body))["message"]
    assert (await fresh.good("GET", f"contacts/{key}?include=owner"))["contact"]["owner_id"] == user
    assert (await fresh.post("deals/bulk_assign_owner", body)).status_code == 404


async def test_section_2_lists(fresh: Fresh) -> None:
    one, two = await fresh.contact(), await fresh.contact()
    first = (await fresh.good("POST", "lists", {"name": "Fans"}))["list"]["id"]
    second = (await fresh.good("POST", "lists", {"name": "Friends"}))["list"]["id"]
    added = await fresh.good("PUT", f"lists/{first}/add_contacts", {"ids": [one, two]})
    assert added["message"] == "2 contacts updated."
    await fresh.good("PUT", f"lists/{second}/move_contacts", {"ids": [one], "from_list_id": first})
    found = (await fresh.good("GET", f"contacts/lists/{second}"))["contacts"]
    assert [row["id"] for row in found] == [one]
    await fresh.good("PUT", f"lists/{first}/remove_contacts", {"all": True})
    assert [row["contacts_count"] for row in (await fresh.good("GET", "lists"))["lists"]] == [0, 1]
    assert (await fresh.good("PUT", f"lists/{first}", {"name": "Loyal"}))["list"]["name"] == "Loyal"
