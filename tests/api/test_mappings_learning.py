"""What a tenant corrects and confirms is known to its next proposal, and to nobody else's."""

from typing import Any

import pytest
from pydantic import SecretStr

from app.domain.schema import FieldSpec, FieldType, Inventory
from app.models.learning import FieldLesson
from app.settings import Settings
from tests.api.conftest import Client
from tests.api.engagement_kit import BODY, Move, discovered, move, sandboxes

__all__ = ["discovered", "move", "sandboxes"]  # fixtures

ODD = FieldSpec(name="Zx_Grmblfx__c", label="Zx Grmblfx", type=FieldType.TEXT, length=30, custom=True)
PLAIN = FieldSpec(name="Staff_Count__c", label="Number of Employees", type=FieldType.INTEGER, length=8, custom=True)


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Any) -> Settings:
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        data_dir=tmp_path,
        allow_private_targets=True,
    )


async def with_custom_fields(made: Move) -> Move:
    """Discovery found two custom fields on the client: one that no name explains, one that everybody understands."""
    found: Inventory = await made.look("source")
    objects = tuple(
        one.model_copy(update={"fields": (*one.fields, ODD, PLAIN)}) if one.name == "Account" else one
        for one in found.objects
    )
    return await made.discover(source=found.model_copy(update={"objects": objects}))


def rule_for(document: dict[str, Any], field: str) -> dict[str, Any]:
    load = next(one for one in document["loads"] if one["key"] == "accounts")
    return next(rule for rule in load["fields"] if rule["sources"] == [field])


async def correct(made: Move, field: str, target: str) -> None:
    """Sends `field` to `target` by an edit."""
    answer = await made.client.get(f"{made.path}/mapping")
    document = answer.json()["document"]
    rule = rule_for(document, field)
    planned = rule["target"]
    rule.update(target=target, transform="text", origin="person", args={"truncate": True})
    document["plan"]["fields"] = [one for one in document["plan"]["fields"] if one["key"] != planned]
    stored = await made.client.put(f"{made.path}/mapping", json=document, headers={"If-Match": answer.headers["etag"]})
    assert stored.status_code == 200, stored.text


class TestLearning:
    async def test_a_correction_is_known_at_once_and_a_confirmation_counts(self, discovered: Move) -> None:
        await with_custom_fields(discovered)
        first = rule_for((await discovered.propose())["document"], ODD.name)
        assert first["target"].endswith("__c")
        await correct(discovered, ODD.name, "Ticker_Symbol")
        again = rule_for((await discovered.propose())["document"], ODD.name)
        assert again["target"] == "Ticker_Symbol"
        assert again["reasons"][0]["code"] == "learnt"
        assert again["probability"] >= 0.95
        await discovered.confirm()
        row = await discovered.row(FieldLesson, name=ODD.name, target="Ticker_Symbol")
        assert (row.confirmed, row.rejected, row.label) == (2, 0, ODD.label)

    async def test_a_plain_name_is_matched_and_a_rejection_is_remembered(self, discovered: Move) -> None:
        await with_custom_fields(discovered)
        first = rule_for((await discovered.propose())["document"], PLAIN.name)
        assert first["target"] == "Employees"
        assert first["probability"] >= 0.9
        assert any("Runner-up" in reason["text"] for reason in first["reasons"])
        await correct(discovered, PLAIN.name, "Account_Site")
        again = rule_for((await discovered.propose())["document"], PLAIN.name)
        assert again["target"] == "Account_Site"
        assert (await discovered.row(FieldLesson, name=PLAIN.name, target="Employees")).rejected == 1

    async def test_other_tenants_learn_nothing(self, discovered: Move, stranger: Client) -> None:
        await with_custom_fields(discovered)
        await discovered.propose()
        await correct(discovered, ODD.name, "Ticker_Symbol")
        answer = await stranger.post("/v1/engagements", json=BODY)
        theirs = Move(stranger, discovered.runtime, discovered.sandboxes, answer.json()["id"])
        await theirs.connect()
        await with_custom_fields(theirs)
        rule = rule_for((await theirs.propose())["document"], ODD.name)
        assert rule["target"] != "Ticker_Symbol"
        assert all(reason["code"] != "learnt" for reason in rule["reasons"])
        assert await theirs.row(FieldLesson) is None
        async with discovered.runtime.db.transaction(None) as session:
            from sqlmodel import select

            assert (await session.exec(select(FieldLesson))).first() is None

    async def test_the_sheet_shows_reasons(self, discovered: Move) -> None:
        await with_custom_fields(discovered)
        await discovered.propose()
        sheet = await discovered.client.get(f"{discovered.path}/mapping/export", params={"format": "csv"})
        line = next(one for one in sheet.text.splitlines() if PLAIN.name in one)
        assert "Runner-up" in line
