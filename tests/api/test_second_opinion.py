"""A second opinion from a local stand-in that answers well, badly, slowly and with nonsense."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.domain.matching.columns import Column, Schema, Table
from app.domain.matching.opinion import Question, Recorder, Voter, read_answers
from app.domain.matching.proposal import propose_tables
from app.domain.schema import FieldType
from app.mappings.opinion import SecondOpinion
from app.settings import Settings

SOURCE = Schema("unheard_of", (Table("Customers", "Customers", (
    Column("CompanyName", "", FieldType.TEXT),
    Column("Zustand", "", FieldType.PICKLIST, picklist=("Hot", "Cold")),
    Column("HeadOffice", "Group", FieldType.TEXT),
    Column("Diagnosis", "Kind of client", FieldType.TEXT, sensitive=True),
    Column("Kind", "Kind of business", FieldType.TEXT, samples=("Secret Value GmbH",)),
)),))  # fmt: skip
TARGET = Schema("elsewhere", (Table("Accounts", "Accounts", (
    Column("Account_Name", "Account Name", FieldType.TEXT),
    Column("Account_Type", "Account Type", FieldType.PICKLIST),
    Column("Industry", "Industry", FieldType.PICKLIST),
    Column("Parent_Account", "Parent Account", FieldType.TEXT),
    Column("Rating", "Rating", FieldType.PICKLIST),
    Column("Ownership", "Ownership", FieldType.PICKLIST),
)),))  # fmt: skip


def asked() -> list[Question]:
    recorder = Recorder({"Customers": {"Kind": 0.5}})
    propose_tables(SOURCE, TARGET, adviser=recorder)
    return recorder.questions


def completion(content: str) -> Response:
    return Response(json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}))


def questions_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body["messages"][1]["content"])["questions"]
    return found


class StandIn:
    """An endpoint that answers as `behave` says and keeps what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.behave: Callable[[dict[str, Any]], Response] = self.last
        self.never = asyncio.Event()
        self.slow = False
        self.url = ""

    def last(self, body: dict[str, Any]) -> Response:
        chosen = {one["id"]: one["candidates"][-1]["name"] for one in questions_of(body)}
        return completion(json.dumps({"answers": chosen}))

    async def __call__(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.slow:
            await self.never.wait()
        return self.behave(body)


@asynccontextmanager
async def standing_in() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    app = Starlette(routes=[Route("/v1/chat/completions", stand_in.__call__, methods=["POST"])])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        stand_in.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield stand_in
        finally:
            stand_in.never.set()
            server.should_exit = True
            await serving


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with standing_in() as made:
        yield made


def opinion(url: str | None, **changes: Any) -> SecondOpinion:
    given = {"allow_private_targets": True, "opinion_key": SecretStr("not-a-secret"), **changes}
    return SecondOpinion(Settings(opinion_url=url, **given))


async def test_only_doubtful_fields_are_asked_about_and_no_value_leaves(stand_in: StandIn) -> None:
    questions = asked()
    assert questions
    assert "Diagnosis" not in {one.key[1] for one in questions}
    assert "CompanyName" not in {one.key[1] for one in questions}
    assert all(1 <= len(one.candidates) <= 5 for one in questions)
    await opinion(stand_in.url).ask(questions)
    sent = json.dumps(stand_in.bodies)
    assert "Secret Value" not in sent
    assert "Diagnosis" not in sent
    assert stand_in.headers[0]["authorization"] == "Bearer not-a-secret"
    schema = stand_in.bodies[0]["response_format"]["json_schema"]["schema"]
    for one in questions:
        assert schema["properties"]["answers"]["properties"][one.id]["enum"] == [*one.names, "none"]


async def test_a_vote_moves_the_proposal_and_is_named(stand_in: StandIn) -> None:
    questions = asked()
    answers = await opinion(stand_in.url).ask(questions)
    one = questions[0]
    chosen = answers[one.id]
    before = propose_tables(SOURCE, TARGET)[0]
    after = propose_tables(SOURCE, TARGET, adviser=Voter(questions, answers))[0]

    def value(made: Any) -> float:
        pair = next(p for p in made.pairs if SOURCE.tables[0].columns[p.row].name == one.key[1])
        places = dict([(pair.target, pair.probability), *pair.alternatives])
        return float(places.get([c.name for c in TARGET.tables[0].columns].index(chosen), 0.0))

    assert value(after) > value(before)


async def test_answers_are_asked_for_once(stand_in: StandIn) -> None:
    one = opinion(stand_in.url)
    first = await one.ask(asked())
    assert await one.ask(asked()) == first
    assert len(stand_in.bodies) == 1


@pytest.mark.parametrize(
    "behave",
    [
        lambda _: PlainTextResponse("<html>proxy</html>"),
        lambda _: completion("I think it is the first one."),
        lambda _: completion("[1, 2]"),
        lambda _: completion('{"answers": "all of them"}'),
        lambda _: completion('{"answers": {"x": "Account_Name"}}'),
        lambda body: completion(json.dumps({"answers": {q["id"]: "DROP TABLE" for q in questions_of(body)}})),
        lambda body: completion(json.dumps({"answers": {q["id"]: {"name": 1} for q in questions_of(body)}})),
        lambda _: Response("{}", status_code=500),
        lambda _: Response("{}", status_code=302, headers={"location": "http://169.254.169.254/"}),
        lambda _: Response('{"choices": []}'),
        lambda _: Response(b"\xff\xfe" * 40_000),
    ],
)
async def test_nonsense_is_no_opinion(stand_in: StandIn, behave: Callable[[dict[str, Any]], Response]) -> None:
    stand_in.behave = behave
    assert await opinion(stand_in.url).ask(asked()) == {}


async def test_a_slow_endpoint_is_left_alone(stand_in: StandIn) -> None:
    stand_in.slow = True
    assert await opinion(stand_in.url, opinion_seconds=0.2).ask(asked()) == {}
    assert len(stand_in.bodies) == 1


async def test_nobody_there() -> None:
    assert await opinion("http://127.0.0.1:9/v1").ask(asked()) == {}


async def test_inner_addresses_are_not_called() -> None:
    assert await opinion("https://169.254.169.254/v1").ask(asked()) == {}
    assert await opinion("http://127.0.0.1:9/v1", allow_private_targets=False).ask(asked()) == {}


async def test_off_by_default(stand_in: StandIn) -> None:
    one = opinion(None)
    assert not one.wanted
    assert await one.ask(asked()) == {}
    assert stand_in.bodies == []


def test_an_answer_of_none_votes_against_all() -> None:
    questions = asked()
    one = questions[0]
    before = propose_tables(SOURCE, TARGET)[0]
    after = propose_tables(SOURCE, TARGET, adviser=Voter(questions, {one.id: "none"}))[0]
    row = [c.name for c in SOURCE.tables[0].columns].index(one.key[1])
    assert after.pairs[row].probability <= before.pairs[row].probability


def test_what_is_no_completion_is_refused() -> None:
    with pytest.raises(ValueError, match="agreed form"):
        read_answers(b"null", [])
