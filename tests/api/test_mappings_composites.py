"""A foreign table with first and last name and two street lines, against a destination with one field for each."""

import csv
import io
from typing import Any

from python_calamine import CalamineWorkbook

from app.domain.compiling import PageContext, compile_load
from app.domain.ids import decode_id
from app.domain.mapping import MappingDocument
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec
from app.mappings.service import load_sides
from app.models.engagement import Engagement
from tests.api.engagement_kit import Move, sandboxes
from tests.api.test_foreign_folder import OWN, uploaded
from tests.api.test_mappings_learning import settings

__all__ = ["sandboxes", "settings"]  # fixtures

FILES = OWN | {
    "leads.csv": (
        b"Lead ID,first_name,last_name,street line 1,street line 2,city,email\n"
        b"A1,Ada,Lovelace,12 St James Square,Flat 3,London,ada@example.com\n"
        b"A2,Bo,Dahl,9 Mill Road,,Westbury,bo@example.com\n"
    )
}
MODULE = ObjectSpec(
    name="Leads",
    label="Leads",
    fields=(
        FieldSpec(name="Full_Name", label="Full Name", type=FieldType.TEXT, length=120),
        FieldSpec(name="Street", label="Street", type=FieldType.TEXT, length=250),
        FieldSpec(name="City", label="City", type=FieldType.TEXT, length=100),
        FieldSpec(name="Email", label="Email", type=FieldType.EMAIL, length=100),
    ),
)
JOINS = {"Full_Name": ["first_name", "last_name"], "Street": ["street_line_1", "street_line_2"]}


async def with_module(made: Move) -> None:
    """Discovery found a module with one field for the whole name and one for the street."""
    answer = await made.client.get(f"{made.path}/connections/destination")
    made.connections["destination"] = decode_id("connection", answer.json()["id"])
    found = await made.look("destination")
    others = tuple(one for one in found.objects if one.name != MODULE.name)
    await made.discover(destination=found.model_copy(update={"objects": (*others, MODULE)}))


def load_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in document["loads"] if one["target_object"] == MODULE.name)
    return found


async def test_joins_are_proposed_shown_confirmed_and_compiled(owner: Any, runtime: Any, sandboxes: Any) -> None:
    made = await uploaded(owner, runtime, sandboxes, FILES)
    await with_module(made)
    load = load_of((await made.propose())["document"])
    rules = {rule["target"]: rule for rule in load["fields"]}
    assert len(rules) == len(load["fields"])
    for target, sources in JOINS.items():
        rule = rules[target]
        assert (rule["sources"], rule["transform"], rule["origin"]) == (sources, "join", "matched")
        assert 0.9 <= rule["probability"] < 1
        assert rule["reasons"][0]["code"] == "composite"
        assert rule["alternatives"][0]["target"] == target
    carried = {path for sources in JOINS.values() for path in sources}

    sheet = (await made.client.get(f"{made.path}/mapping/export", params={"format": "csv"})).content
    lines = [one for one in csv.DictReader(io.StringIO(sheet.decode("utf-8-sig"))) if one["Load"] == load["key"]]
    told = {one["Destination field"]: one for one in lines}
    assert len(told) == len(lines)
    for target, sources in JOINS.items():
        assert (told[target]["Source fields"], told[target]["Transform"]) == (", ".join(sources), "join")
        assert told[target]["Reasons"]
    book = (await made.client.get(f"{made.path}/mapping/export", params={"format": "xlsx"})).content
    fields = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_name("Fields").to_python()
    assert any(", ".join(JOINS["Full_Name"]) in row and "join" in row for row in fields)

    document = await confirmed_with(made, load["key"])
    assert not [one for one in document.exclusions if one.source_object == "leads" and one.field in carried]
    async with runtime.db.transaction(owner.tenant_id) as session:
        sides = await load_sides(runtime, session, await session.get_one(Engagement, made.uuid))
    spec = sides.source.object("leads")
    assert spec is not None
    compiled = compile_load(
        document.load(load["key"]), source=spec, target=MODULE, names={}, objects={},
        encoding=Encoding(), value_maps=document.value_maps, platform="clinic", key_field="",
    )  # fmt: skip
    record = {"first_name": "Ada", "last_name": "Lovelace", "street_line_1": "12 St James Square", "city": "London"}
    payload = compiled.build({"id": "A1", "street_line_2": "Flat 3", **record}, PageContext()).payload
    assert (payload["Full_Name"], payload["Street"]) == ("Ada Lovelace", "12 St James Square Flat 3")


async def confirmed_with(made: Move, key: str) -> MappingDocument:
    """A person switches the load on and confirms; the document that now stands."""
    answer = await made.client.get(f"{made.path}/mapping")
    document = answer.json()["document"]
    next(one for one in document["loads"] if one["key"] == key)["enabled"] = True
    stored = await made.client.put(f"{made.path}/mapping", json=document, headers={"If-Match": answer.headers["etag"]})
    assert stored.status_code == 200, stored.text
    agreed = await made.client.post(f"{made.path}/mapping/confirm", json={"version": stored.json()["version"]})
    assert agreed.status_code == 200, agreed.text
    return MappingDocument.model_validate(agreed.json()["document"])
