"""Owners: matched by e-mail, decided by people, blocking until every source user has somebody."""

from datetime import UTC, datetime

from app.domain.schema import Inventory
from app.engagements.owners import OwnerState, match_owners
from app.models.engagement import OwnerDecision, Question
from tests.api.conftest import Client
from tests.api.engagement_kit import Move, discovered, move, sandboxes, unknown, users
from tests.api.problem_kit import problem

__all__ = ["discovered", "move", "sandboxes"]  # fixtures

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SOURCE = users(
    ("s1", "Ada", "ada@example.com", True),
    ("s2", "Bob", "bob@example.com", True),
    ("s3", "Cy", "cy@example.com", True),
    ("s4", "Dee", "dee@example.com", True),
)
DESTINATION = users(
    ("d1", "Ada", "ada@example.com", True),
    ("d2", "Bob", "bob@example.com", False),
    ("d3", "Dee", "dee@example.com", True),
    ("d4", "Dee too", "dee@example.com", True),
    ("d5", "Fay", "fay@example.com", True),
)


def decision(source: str, destination: str, how: str = "mapped") -> OwnerDecision:
    return OwnerDecision(source_user_id=source, destination_user_id=destination, how=how, decided_at=NOW)


def plain(people: tuple[object, ...]) -> list[dict[str, object]]:
    return [one.model_dump(mode="json") for one in people]  # type: ignore[attr-defined]


class TestMatching:
    def states(self, *decisions: OwnerDecision) -> dict[str, tuple[OwnerState, str | None]]:
        known = {one.source_user_id: one for one in decisions}
        lines = match_owners(plain(SOURCE), plain(DESTINATION), known)
        return {str(line.source["id"]): (line.state, line.destination_user_id) for line in lines}

    def test_email_decides_only_when_it_is_clear(self) -> None:
        assert self.states() == {
            "s1": (OwnerState.MATCHED, "d1"),
            "s2": (OwnerState.INACTIVE, None),
            "s3": (OwnerState.UNMATCHED, None),
            "s4": (OwnerState.DUPLICATE, None),
        }

    def test_decision_wins_while_its_user_is_active(self) -> None:
        assert self.states(decision("s1", "d5"))["s1"] == (OwnerState.MAPPED, "d5")
        assert self.states(decision("s1", "d2"))["s1"] == (OwnerState.MATCHED, "d1")
        assert self.states(decision("s3", "d2"))["s3"] == (OwnerState.UNMATCHED, None)

    def test_address_shared_at_the_source_is_no_match(self) -> None:
        shared = plain(users(("s1", "A", "ada@example.com", True), ("s9", "B", "ada@example.com", True)))
        lines = match_owners(shared, plain(DESTINATION), {})
        assert {line.state for line in lines} == {OwnerState.DUPLICATE}

    def test_blank_addresses_never_match(self) -> None:
        lines = match_owners(plain(users(("s1", "A", "", True))), plain(users(("d1", "A", "", True))), {})
        assert [line.state for line in lines] == [OwnerState.UNMATCHED]


async def staffed(move: Move) -> Move:
    """Discovered, with the users of this module on both sides."""
    await move.connect()
    sides = {"source": SOURCE, "destination": DESTINATION}
    found: dict[str, Inventory] = {
        role: (await move.look(role)).model_copy(update={"users": people}) for role, people in sides.items()
    }
    return await move.discover(**found)


class TestOwners:
    async def test_before_discovery(self, move: Move) -> None:
        problem(await move.client.get(f"{move.path}/owners"), 409, "step-missing")

    async def test_report_shows_people_of_the_sealed_inventories(self, move: Move) -> None:
        await staffed(move)
        answer = await move.client.get(f"{move.path}/owners")
        body = answer.json()
        assert body["counts"]["unresolved"] == 3
        dee = body["owners"][3]
        assert (dee["source"]["name"], dee["candidates"]) == ("Dee", ["d3", "d4"])
        assert answer.headers["etag"]

    async def test_decisions_and_fallback_resolve_everybody(self, move: Move) -> None:
        await staffed(move)
        tag = (await move.client.get(f"{move.path}/owners")).headers["etag"]
        body = {
            "decisions": [
                {"source_user_id": "s4", "destination_user_id": "d4"},
                {"source_user_id": "s3", "fallback": True},
            ],
            "fallback_user_id": "d5",
        }
        answer = await move.client.put(f"{move.path}/owners", json=body, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        states = {one["source"]["id"]: (one["state"], one["destination_user_id"]) for one in answer.json()["owners"]}
        assert states == {
            "s1": ("matched", "d1"),
            "s2": ("fallback", "d5"),
            "s3": ("fallback", "d5"),
            "s4": ("mapped", "d4"),
        }
        rest = await move.row(OwnerDecision, engagement_id=move.uuid, source_user_id="*")
        assert (rest.destination_user_id, rest.how) == ("d5", "fallback")
        assert (await move.client.get(f"{move.path}/owners")).headers["etag"] == answer.headers["etag"]
        stale = await move.client.put(f"{move.path}/owners", json=body, headers={"If-Match": tag})
        problem(stale, 412, "stale")

    async def test_unknown_people_are_refused_and_nothing_changes(self, move: Move) -> None:
        await staffed(move)
        path, headers = f"{move.path}/owners", {"If-Match": "*"}
        body = {"decisions": [{"source_user_id": "s9", "destination_user_id": "d2"}], "fallback_user_id": "d9"}
        found = problem(await move.client.put(path, json=body, headers=headers), 422, "invalid")
        assert [(error["pointer"], error["code"]) for error in found["errors"]] == [
            ("/fallback_user_id", "unknown-user"),
            ("/decisions/0/source_user_id", "unknown-source-user"),
            ("/decisions/0/destination_user_id", "unknown-user"),
        ]
        body["decisions"].insert(0, {"source_user_id": "s1", "destination_user_id": "d8"})
        found = problem(await move.client.put(path, json=body, headers=headers), 422, "invalid")
        assert [error["pointer"] for error in found["errors"][1:]] == [
            "/decisions/1/source_user_id",
            *("/decisions/0/destination_user_id", "/decisions/1/destination_user_id"),
        ]
        both = {"decisions": [{"source_user_id": "s1", "destination_user_id": "d1", "fallback": True}]}
        problem(await move.client.put(path, json=both, headers=headers), 422, "invalid")
        twice = {"decisions": [{"source_user_id": "s1", "destination_user_id": "d1"}] * 2}
        problem(await move.client.put(path, json=twice, headers=headers), 422, "invalid")
        problem(await move.client.put(path, json={}), 428, "precondition-missing")
        assert await move.row(OwnerDecision, engagement_id=move.uuid) is None

    async def test_of_another_tenant(self, move: Move, stranger: Client) -> None:
        await staffed(move)
        problem(await stranger.get(f"{move.path}/owners"), 404, "not-found")
        answer = await stranger.put(f"{move.path}/owners", json={}, headers={"If-Match": "*"})
        problem(answer, 404, "not-found")
        problem(await move.client.http.get(f"{move.path}/owners"), 401, "unauthenticated")


class TestQuestions:
    async def test_ambiguous_address_becomes_a_question_whose_answer_decides(self, move: Move) -> None:
        await staffed(move)
        await move.propose()
        path = f"{move.path}/questions"
        listed = (await move.client.get(path, params={"open": True})).json()["data"]
        assert [(one["subject"], one["options"]["choices"]) for one in listed] == [("owner:s4", ["d3", "d4"])]
        answering = f"/v1/questions/{listed[0]['id']}/answer"
        wrong = await move.client.post(answering, json={"answer": {"choice": "d1"}})
        assert problem(wrong, 422, "invalid")["errors"][0]["pointer"] == "/answer/choice"
        done = await move.client.post(answering, json={"answer": {"choice": "d3"}})
        assert (done.status_code, done.json()["answer"]) == (200, {"choice": "d3"})
        row = await move.row(OwnerDecision, engagement_id=move.uuid, source_user_id="s4")
        assert (row.destination_user_id, row.how) == ("d3", "mapped")
        again = await move.client.post(answering, json={"answer": {"choice": "d4"}})
        problem(again, 409, "question-answered")
        assert (await move.client.get(path, params={"open": True})).json()["data"] == []

    async def test_is_asked_once_and_holds_ids_only(self, move: Move) -> None:
        await staffed(move)
        await move.propose()
        await move.propose()
        async with move.runtime.db.connection(move.client.tenant_id) as connection:
            assert await connection.fetchval("SELECT count(*) FROM questions WHERE engagement_id = $1", move.uuid) == 1
        question = await move.row(Question, engagement_id=move.uuid)
        assert "dee" not in str(question.detail).lower()

    async def test_of_nobody_and_of_another_tenant(self, move: Move, stranger: Client) -> None:
        body = {"answer": {"choice": "d1"}}
        problem(await move.client.post(f"/v1/questions/{unknown('question')}/answer", json=body), 404, "not-found")
        await staffed(move)
        await move.propose()
        question = (await move.client.get(f"{move.path}/questions")).json()["data"][0]
        problem(await stranger.post(f"/v1/questions/{question['id']}/answer", json=body), 404, "not-found")
        answer = await move.client.http.post(f"/v1/questions/{question['id']}/answer", json=body)
        problem(answer, 401, "unauthenticated")
