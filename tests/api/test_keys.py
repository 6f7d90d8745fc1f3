"""Keys: made, listed, rotated, revoked; exchanged for access tokens."""

from datetime import timedelta

import asyncpg
import httpx

from app.domain.ids import encode_id
from tests.api.conftest import Client, MakeClient
from tests.api.problem_kit import problem
from tests.clock import FakeClock


def using(client: Client, key: str) -> Client:
    """The same tenant with another key."""
    return Client(client.http, client.tenant_id, client.key_id, key)


class TestCreate:
    async def test_happy(self, owner: Client) -> None:
        response = await owner.post("/v1/keys", json={"name": "reader", "role": "viewer", "scopes": ["runs:read"]})
        made = response.json()
        assert response.status_code == 201
        assert made["object"] == "api_key"
        assert made["hint"] == "…" + made["key"][-4:]
        assert made["key"].startswith(f"tsk_{made['id'][4:]}_")
        reader = using(owner, made["key"])
        assert (await reader.get("/v1/keys")).status_code == 403

    async def test_secret_is_stored_as_a_hash_only(self, owner: Client, database_url: str) -> None:
        made = (await owner.post("/v1/keys", json={})).json()
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        try:
            row = await connection.fetchrow(
                "SELECT api_keys.*, api_keys::text AS whole FROM api_keys WHERE hint = $1", made["hint"]
            )
        finally:
            await connection.close()
        assert made["key"] not in row["whole"]
        assert made["key"].rpartition("_")[2] not in row["whole"]
        assert len(row["digest"]) == 32

    async def test_401(self, http: httpx.AsyncClient) -> None:
        problem(await http.post("/v1/keys", json={}), 401, "unauthenticated")

    async def test_cannot_give_more_than_it_has(self, make_client: MakeClient) -> None:
        narrow = await make_client(scopes=("keys:write", "runs:read"))
        body = problem(await narrow.post("/v1/keys", json={"role": "owner"}), 403, "forbidden")
        assert "runs:write" in body["scopes"]
        equal = await narrow.post("/v1/keys", json={"scopes": ["runs:read"]})
        assert equal.status_code == 201

    async def test_422(self, owner: Client) -> None:
        for wrong in ({"role": "root"}, {"scopes": ["everything"]}, {"name": "x" * 101}, {"expires_at": "2027-01-01"}):
            problem(await owner.post("/v1/keys", json=wrong), 422, "invalid")

    async def test_expires(self, owner: Client, clock: FakeClock) -> None:
        end = clock() + timedelta(hours=1)
        made = (await owner.post("/v1/keys", json={"expires_at": end.isoformat()})).json()
        brief = using(owner, made["key"])
        assert (await brief.get("/v1/keys")).status_code == 200
        clock.advance(hours=1)
        assert (await brief.get("/v1/keys")).status_code == 401


class TestList:
    async def test_happy(self, owner: Client, stranger: Client) -> None:
        listed = (await owner.get("/v1/keys")).json()["data"]
        assert [each["id"] for each in listed] == [encode_id("api_key", owner.key_id)]
        assert "key" not in listed[0]
        assert "digest" not in listed[0]

    async def test_401(self, http: httpx.AsyncClient) -> None:
        problem(await http.get("/v1/keys"), 401, "unauthenticated")


class TestRotate:
    async def test_a_successor_lives_no_longer_and_is_the_only_one(self, owner: Client, clock: FakeClock) -> None:
        """Otherwise a key that somebody was given for a day would last for as long as it is rotated."""
        ends = (clock() + timedelta(days=1)).isoformat()
        made = (await owner.post("/v1/keys", json={"name": "guest", "expires_at": ends})).json()
        path = f"/v1/keys/{made['id']}/rotate"
        successor = (await owner.post(path, json={"overlap_hours": 1})).json()
        assert successor["expires_at"] == made["expires_at"]
        problem(await owner.post(path, json={}), 409, "key-not-live")

    async def test_both_work_during_the_overlap(self, owner: Client, clock: FakeClock) -> None:
        old_id = encode_id("api_key", owner.key_id)
        made = (await owner.post(f"/v1/keys/{old_id}/rotate", json={"overlap_hours": 2})).json()
        new = using(owner, made["key"])
        clock.advance(hours=1, minutes=59)
        assert (await owner.get("/v1/keys")).status_code == (await new.get("/v1/keys")).status_code == 200
        clock.advance(minutes=1)
        assert (await owner.get("/v1/keys")).status_code == 401
        listed = (await new.get("/v1/keys")).json()["data"]
        assert next(each for each in listed if each["id"] == old_id)["replaced_by"] == made["id"]

    async def test_404(self, owner: Client, stranger: Client) -> None:
        foreign = encode_id("api_key", stranger.key_id)
        problem(await owner.post(f"/v1/keys/{foreign}/rotate", json={}), 404, "not-found")

    async def test_409(self, owner: Client) -> None:
        made = (await owner.post("/v1/keys", json={})).json()
        await owner.delete(f"/v1/keys/{made['id']}")
        problem(await owner.post(f"/v1/keys/{made['id']}/rotate", json={}), 409, "key-not-live")

    async def test_422(self, owner: Client) -> None:
        own = encode_id("api_key", owner.key_id)
        problem(await owner.post(f"/v1/keys/{own}/rotate", json={"overlap_hours": 169}), 422, "invalid")


class TestRevoke:
    async def test_at_once_and_again(self, owner: Client) -> None:
        made = (await owner.post("/v1/keys", json={})).json()
        for _ in range(2):
            response = await owner.delete(f"/v1/keys/{made['id']}")
            assert response.status_code == 204
            assert response.content == b""
        assert (await using(owner, made["key"]).get("/v1/keys")).status_code == 401

    async def test_401(self, http: httpx.AsyncClient, owner: Client) -> None:
        own = encode_id("api_key", owner.key_id)
        problem(await http.delete(f"/v1/keys/{own}"), 401, "unauthenticated")

    async def test_404_for_a_foreign_key_which_lives_on(self, owner: Client, stranger: Client) -> None:
        foreign = encode_id("api_key", stranger.key_id)
        problem(await owner.delete(f"/v1/keys/{foreign}"), 404, "not-found")
        assert (await stranger.get("/v1/keys")).status_code == 200

    async def test_409_for_itself(self, owner: Client) -> None:
        own = encode_id("api_key", owner.key_id)
        problem(await owner.delete(f"/v1/keys/{own}"), 409, "key-in-use")


class TestTokens:
    def form(self, client: Client, **changes: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": encode_id("api_key", client.key_id),
            "client_secret": client.key,
        } | changes

    async def test_happy(self, owner: Client, clock: FakeClock) -> None:
        answer = await owner.http.post("/v1/oauth/token", data=self.form(owner, scope="webhooks:read"))
        token = answer.json()
        assert answer.status_code == 200
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "webhooks:read")
        bearer = using(owner, token["access_token"])
        assert (await bearer.get("/v1/events")).status_code == 200
        assert (await bearer.get("/v1/keys")).status_code == 403
        clock.advance(hours=1)
        assert (await bearer.get("/v1/events")).status_code == 401

    async def test_ends_with_its_key(self, owner: Client) -> None:
        made = (await owner.post("/v1/keys", json={})).json()
        form = self.form(owner, client_id=made["id"], client_secret=made["key"])
        token = (await owner.http.post("/v1/oauth/token", data=form)).json()["access_token"]
        assert (await using(owner, token).get("/v1/keys")).status_code == 200
        await owner.delete(f"/v1/keys/{made['id']}")
        assert (await using(owner, token).get("/v1/keys")).status_code == 401

    async def test_never_outlives_its_key(self, owner: Client, make_client: MakeClient, clock: FakeClock) -> None:
        brief = await make_client(expires_at=clock() + timedelta(minutes=10))
        token = (await owner.http.post("/v1/oauth/token", data=self.form(brief))).json()
        assert token["expires_in"] == 600

    async def test_no_token_from_a_token(self, owner: Client) -> None:
        token = (await owner.http.post("/v1/oauth/token", data=self.form(owner))).json()["access_token"]
        response = await owner.http.post("/v1/oauth/token", data=self.form(owner, client_secret=token))
        assert response.status_code == 401
