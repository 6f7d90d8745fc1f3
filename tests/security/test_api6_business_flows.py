"""API6:2023 Unrestricted Access to Sensitive Business Flows: what costs or destroys takes a person's own step."""

import asyncio
from uuid import uuid4

import httpx

from tests.api.conftest import Client
from tests.security.conftest import BODIES


async def test_nothing_moves_before_a_person_agreed(belongings: dict[str, str], owner: Client) -> None:
    for kind in ("provision", "sample", "full", "delta", "repair", "rollback", "reassign_owners"):
        path = f"/v1/engagements/{belongings['engagement_id']}/runs"
        assert (await owner.post(path, json={"kind": kind})).status_code == 409, kind


async def test_approving_takes_a_completed_sample(belongings: dict[str, str], owner: Client) -> None:
    assert (await owner.post(f"/v1/runs/{belongings['run_id']}/approve")).status_code == 409


async def test_acting_twice_by_accident_acts_once(owner: Client) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    body = BODIES["create_engagement"]
    answers = await asyncio.gather(*(owner.post("/v1/engagements", json=body, headers=headers) for _ in range(8)))
    made = {each.json()["id"] for each in answers if each.status_code == 201}
    assert len(made) == 1
    assert {each.status_code for each in answers} <= {201, 409}


async def test_a_quote_becomes_one_engagement(owner: Client) -> None:
    quote = (await owner.post("/v1/quotes", json=BODIES["create_quote"])).json()["id"]
    body = {"name": "x", "quote_id": quote}
    answers = await asyncio.gather(*(owner.post("/v1/engagements", json=body) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409, 409]


async def test_the_estimator_cannot_be_scripted_past_its_limit_by_changing_its_origin(http: httpx.AsyncClient) -> None:
    codes = []
    for number in range(31):
        headers = {"Idempotency-Key": str(number), "Origin": f"https://{number}.example.com"}
        codes.append((await http.post("/v1/quotes", json=BODIES["create_quote"], headers=headers)).status_code)
    assert codes[-1] == 429


async def test_a_purge_names_what_it_destroys(belongings: dict[str, str], owner: Client) -> None:
    path = f"/v1/engagements/{belongings['engagement_id']}/purge"
    assert (await owner.post(path, json={})).status_code == 422
    assert (await owner.post(path, json={"engagement_id": "eng_" + "0" * 26})).status_code == 422
    assert (await owner.post(path, json={"engagement_id": belongings["engagement_id"]})).status_code == 409
