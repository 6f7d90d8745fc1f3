"""Fact sheet section 5: org, users, features."""

from tests.sandboxes.zoho_crm.zoho_kit import Start, Zoho


async def test_section_5_org_tells_edition_and_zgid(start: Start) -> None:
    zoho = await start(edition="Professional")
    org = (await zoho.get("org")).json()["org"][0]
    assert org["license_details"]["paid_type"] == "professional"
    assert org["zgid"].isdigit()


async def test_section_5_users_by_type_and_pages(zoho: Zoho) -> None:
    current = (await zoho.get("users?type=CurrentUser")).json()["users"]
    assert [user["email"] for user in current] == ["admin@example.com"]
    active = (await zoho.get("users?type=ActiveUsers")).json()["users"]
    mails = {user["email"] for user in active}
    assert {"dispatch@example.com", *(f"owner{n}@example.com" for n in range(1, 7))} <= mails
    inactive = (await zoho.get("users?type=DeactiveUsers")).json()["users"]
    assert [user["email"] for user in inactive] == ["inactive@example.com"]
    page = (await zoho.get("users?per_page=4&page=2")).json()
    assert page["info"] == {"per_page": 4, "count": 4, "page": 2, "more_records": True}
    assert (await zoho.get("users?type=NotConfirmedUsers")).status_code == 204
    assert (await zoho.get("users?type=Nobody")).status_code == 400


async def test_section_5_create_user_is_invited_once_within_the_licences(start: Start) -> None:
    zoho = await start(options={"licences": "9"})
    role = (await zoho.get("settings/roles")).json()["roles"][1]["id"]
    profile = (await zoho.get("settings/profiles")).json()["profiles"][1]["id"]
    user = {"first_name": "Tess", "last_name": "Tech", "email": "tech1@example.com", "role": role, "profile": profile}
    answer = await zoho.post("users", {"users": [user]})
    assert (answer.status_code, answer.json()["users"][0]["message"]) == (201, "User added")
    invited = (await zoho.get("users?type=NotConfirmedUsers")).json()["users"]
    assert [found["email"] for found in invited] == ["tech1@example.com"]
    again = (await zoho.post("users", {"users": [user]})).json()["users"][0]
    assert again["code"] == "DUPLICATE_DATA"
    full = (await zoho.post("users", {"users": [{**user, "email": "tech2@example.com"}]})).json()["users"][0]
    assert full["code"] == "LICENSE_LIMIT_EXCEEDED"


async def test_section_5_features_show_limits_and_use(zoho: Zoho) -> None:
    await zoho.add_field("Accounts", "Source Id", unique={"case_sensitive": False})
    body = (await zoho.get("__features?module=Accounts&api_names=custom_field,unique_field")).json()["__features"]
    counts = {item["api_name"]: item["details"] for item in body}
    assert counts["custom_field"]["limits"]["total"] == 300
    assert counts["unique_field"]["available_count"]["total"] == 1
    single = (await zoho.get("__features/custommodule")).json()["__features"][0]
    assert single["details"]["used_count"]["total"] == 0
    assert (await zoho.get("__features/unheard_of")).status_code == 204
