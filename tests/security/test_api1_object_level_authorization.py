"""API1:2023 Broken Object Level Authorization: every route that names a thing, asked by another tenant."""

from app.domain.ids import encode_id
from tests.api.conftest import Client, MakeClient
from tests.security.conftest import BODIES, OPERATIONS, call_of

NAMING = [one for one in OPERATIONS if "_id}" in one.path]
LISTING = [one for one in OPERATIONS if one.method == "GET" and one.secured and "{" not in one.path]


def test_every_operation_with_a_body_is_asked_with_one() -> None:
    asked = {one.name for one in OPERATIONS if "requestBody" in one.described and one.path.startswith("/v1")}
    assert asked - {"create_access_token", "purge_engagement", "upload_file"} == set(BODIES)


async def test_every_route_times_a_foreign_tenant(belongings: dict[str, str], stranger: Client, owner: Client) -> None:
    """404 for everything: neither the content nor the existence of another tenant's things can be learnt."""
    before = [(await owner.get(f"/v1/engagements/{belongings['engagement_id']}")).json()]
    found = {}
    for operation in NAMING:
        method, path, options = call_of(operation, belongings)
        if operation.name == "follow_download_link":
            options["params"] = {"expires": 2**33, "signature": "a" * 40}
        found[operation.name] = (await stranger(method, path, **options)).status_code
    assert found == dict.fromkeys(found, 404)
    assert len(found) > 40
    assert [(await owner.get(f"/v1/engagements/{belongings['engagement_id']}")).json()] == before


async def test_no_list_shows_what_is_another_tenants(belongings: dict[str, str], stranger: Client) -> None:
    for operation in LISTING:
        answer = await stranger.get(operation.path)
        assert answer.status_code == 200, operation.name
        assert not [one for one in belongings.values() if one in answer.text], operation.name


async def test_the_same_ids_are_there_for_their_owner(belongings: dict[str, str], owner: Client) -> None:
    """The matrix above proves nothing unless the things exist."""
    gone = []
    for operation in NAMING:
        if operation.method != "GET" or operation.name in ("follow_download_link", "get_purge_certificate"):
            continue
        method, path, options = call_of(operation, belongings)
        answer = await owner(method, path, **options) if operation.name != "follow_run" else None
        if answer is not None and answer.status_code in (403, 404, 422):
            gone.append((operation.name, answer.text))
    assert [name for name, _ in gone] == []


async def test_ids_of_another_kind_name_nothing(belongings: dict[str, str], owner: Client) -> None:
    for operation in NAMING:
        if operation.method == "GET" and operation.secured and operation.path.count("{") == 1:
            swapped = dict.fromkeys(belongings, "que_" + "0" * 26 if "question" not in operation.path else "run_x")
            method, path, options = call_of(operation, swapped)
            assert (await owner(method, path, **options)).status_code == 404, operation.name


async def test_a_partner_reaches_its_customers_and_nobody_elses(
    belongings: dict[str, str], make_client: MakeClient, owner: Client
) -> None:
    partner = await make_client()
    customer = await make_client(parent_id=partner.tenant_id)
    acting = {"Tranship-Tenant": encode_id("tenant", customer.tenant_id)}
    assert (await partner.get("/v1/engagements", headers=acting)).status_code == 200
    foreign = {"Tranship-Tenant": encode_id("tenant", owner.tenant_id)}
    for operation in NAMING:
        if operation.secured and not operation.changes and operation.name != "follow_run":
            method, path, _ = call_of(operation, belongings)
            assert (await partner(method, path, headers=foreign)).status_code == 403, operation.name
