"""API5:2023 Broken Function Level Authorization: every route times every scope, and the four roles."""

from app.access import ALL_SCOPES, ROLE_SCOPES, Role, Scope
from tests.api.conftest import Client, MakeClient
from tests.security.conftest import OPERATIONS, call_of

SCOPED = [one for one in OPERATIONS if one.scope]
# They check what they need themselves: the estimator's key may ask for a price, and a price may be read by its asker.
BY_THEMSELVES = {"create_quote", "get_quote"}


def test_every_protected_route_asks_for_a_scope_that_exists() -> None:
    without = {one.name for one in OPERATIONS if one.secured and not one.scope}
    assert without <= BY_THEMSELVES
    assert {one.scope for one in SCOPED} <= {scope.value for scope in Scope}
    assert len(SCOPED) > 55


async def test_every_route_times_every_scope(
    belongings: dict[str, str], owner: Client, make_client: MakeClient
) -> None:
    """With every scope but its own a route is closed, whatever else the key may do."""
    lacking: dict[str, Client] = {}
    wrong = []
    for operation in SCOPED:
        if operation.scope not in lacking:
            others = tuple(sorted(ALL_SCOPES - {Scope(operation.scope)}))
            lacking[operation.scope] = await make_client(scopes=others, tenant_id=owner.tenant_id)
        method, path, options = call_of(operation, belongings)
        answer = await lacking[operation.scope](method, path, **options)
        if answer.status_code != 403 or answer.json().get("scope") != operation.scope:
            wrong.append((operation.name, answer.status_code))
    assert wrong == []


async def test_its_own_scope_alone_opens_a_route(
    belongings: dict[str, str], owner: Client, make_client: MakeClient
) -> None:
    having: dict[str, Client] = {}
    wrong = []
    for operation in SCOPED:
        if operation.name == "follow_run":  # answers until the run ends
            continue
        if operation.scope not in having:
            having[operation.scope] = await make_client(scopes=(operation.scope,), tenant_id=owner.tenant_id)
        unknown = {name: value[:4] + "0" * 26 for name, value in belongings.items()}
        method, path, options = call_of(operation, unknown)
        if operation.name == "create_key":  # the key that is made may hold no more than the one that makes it
            options["json"] = {"scopes": [operation.scope]}
        answer = await having[operation.scope](method, path, **options)
        if answer.status_code in (401, 403):
            wrong.append((operation.name, answer.status_code))
    assert wrong == []


async def test_roles(belongings: dict[str, str], owner: Client, make_client: MakeClient) -> None:
    """Owner: everything. Operator: not keys, agreements, purges. Viewer: reading. Widget: asking for a price."""
    assert ROLE_SCOPES[Role.OWNER] == ALL_SCOPES
    clients = {role: await make_client(role.value, tenant_id=owner.tenant_id) for role in Role}
    unknown = {name: value[:4] + "0" * 26 for name, value in belongings.items()}
    for operation in SCOPED:
        if operation.name == "follow_run":
            continue
        method, path, options = call_of(operation, unknown)
        for role in (Role.OPERATOR, Role.VIEWER, Role.WIDGET):
            answer = await clients[role](method, path, **options)
            allowed = Scope(operation.scope) in ROLE_SCOPES[role]
            assert (answer.status_code == 403) is not allowed, (operation.name, role, answer.text)
            if role is Role.VIEWER and allowed:
                assert not operation.changes or operation.name == "validate_mapping", operation.name
            if role is Role.WIDGET:
                assert not allowed, operation.name
    owners_only = {Scope.KEYS_WRITE, Scope.AGREEMENTS_CONFIRM, Scope.ENGAGEMENTS_PURGE}
    assert ALL_SCOPES - ROLE_SCOPES[Role.OPERATOR] == owners_only


async def test_a_key_gives_no_more_than_it_has(make_client: MakeClient) -> None:
    keeper = await make_client(scopes=("keys:write", "runs:read"))
    assert (await keeper.post("/v1/keys", json={"role": "owner"})).status_code == 403
    assert (await keeper.post("/v1/keys", json={"role": "owner", "scopes": ["runs:read"]})).status_code == 201
