"""The mapping: proposed, edited under If-Match, checked with pointers, confirmed once, exported as a sheet."""

import csv
import io
from typing import Any

import pytest
from pydantic import SecretStr
from python_calamine import CalamineWorkbook

from app.domain.cells import guarded
from app.domain.mapping import Exclusion, FieldRule, Load, MappingDocument, Reason, ValueMap
from app.mappings.export import to_csv, to_xlsx
from app.models.event import Event
from app.models.mapping import Mapping
from app.settings import Settings
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes
from tests.api.problem_kit import problem

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Any) -> Settings:
    """A mapping document is larger than what the shared settings let in."""
    return Settings(
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        data_dir=tmp_path,
        allow_private_targets=True,
    )


def edited(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with the first rule of its first load changed."""
    load = document["loads"][0]
    fields = [load["fields"][0] | changes, *load["fields"][1:]]
    return document | {"loads": [load | {"fields": fields}, *document["loads"][1:]]}


async def read(move: Move) -> tuple[dict[str, Any], str]:
    answer = await move.client.get(f"{move.path}/mapping")
    assert answer.status_code == 200, answer.text
    return answer.json(), answer.headers["etag"]


async def put(move: Move, document: dict[str, Any], tag: str | None) -> Any:
    headers = {} if tag is None else {"If-Match": tag}
    return await move.client.put(f"{move.path}/mapping", json=document, headers=headers)


class TestPropose:
    async def test_before_discovery(self, move: Move) -> None:
        problem(await move.client.post(f"{move.path}/mapping/propose"), 409, "step-missing")
        problem(await move.client.get(f"{move.path}/mapping"), 404, "not-found")

    async def test_covers_the_blueprint_and_supersedes_the_draft_before(self, discovered: Move) -> None:
        first = await discovered.propose()
        assert (first["version"], first["state"]) == (1, "draft")
        targets = {load["target_object"] for load in first["document"]["loads"] if load["enabled"]}
        assert {"Accounts", "Contacts", "Deals", "Contracts_C", "Assets_C", "Products"} <= targets
        second = await discovered.propose()
        assert second["version"] == 2
        old = await discovered.client.get(f"{discovered.path}/mapping", params={"version": 1})
        assert old.json()["state"] == "superseded"
        missing = await discovered.client.get(f"{discovered.path}/mapping", params={"version": 9})
        problem(missing, 404, "not-found")

    async def test_announces_who_has_no_owner(self, discovered: Move) -> None:
        await discovered.propose()
        event = await discovered.row(Event, engagement_id=discovered.uuid, type="owner.unmatched")
        assert event.data["unresolved"] > 0

    async def test_access(self, discovered: Move, stranger: Client, make_client: MakeClient) -> None:
        path = f"{discovered.path}/mapping/propose"
        problem(await stranger.post(path), 404, "not-found")
        problem(await discovered.client.http.post(path), 401, "unauthenticated")
        viewer = await make_client(role="viewer", tenant_id=discovered.client.tenant_id)
        problem(await viewer.post(path), 403, "forbidden")
        no_key = await discovered.client("POST", path, headers={"Idempotency-Key": ""})
        assert no_key.status_code == 400


class TestEdit:
    async def test_changes_a_draft_in_place(self, discovered: Move) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        answer = await put(discovered, edited(body["document"], default="Unnamed"), tag)
        assert answer.status_code == 200, answer.text
        assert answer.json()["version"] == 1
        assert answer.json()["document"]["loads"][0]["fields"][0]["default"] == "Unnamed"
        now, fresh = await read(discovered)
        assert fresh == answer.headers["etag"] != tag
        assert now["document"] == answer.json()["document"]

    async def test_needs_the_tag_of_what_was_read(self, discovered: Move) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        problem(await put(discovered, body["document"], None), 428, "precondition-missing")
        await put(discovered, edited(body["document"], default="A"), tag)
        problem(await put(discovered, edited(body["document"], default="B"), tag), 412, "stale")

    @pytest.mark.parametrize(
        ("change", "code", "pointer"),
        [
            ({"target": "No_Such_Field"}, "unknown-target", "/loads/0/fields/0/target"),
            ({"sources": ["No_Such_Field"]}, "unknown-field", "/loads/0/fields/0/sources/0"),
            ({"transform": "magic"}, "unknown-transform", "/loads/0/fields/0/transform"),
        ],
    )
    async def test_what_cannot_work_is_pointed_at_and_not_stored(
        self, discovered: Move, change: dict[str, Any], code: str, pointer: str
    ) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        found = problem(await put(discovered, edited(body["document"], **change), tag), 422, "mapping-invalid")
        assert (pointer, code) in [(error["pointer"], error["code"]) for error in found["errors"]]
        assert (await read(discovered))[1] == tag

    async def test_cycle_of_required_lookups(self, discovered: Move) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        document = body["document"]
        by_key = {load["key"]: load for load in document["loads"]}

        def requiring(key: str, other: str, target: str) -> dict[str, Any]:
            lookup = {"loads": [other], "emit": "reference", "on_missing": "hold"}
            rule = {"target": target, "sources": ["Id"], "lookup": lookup, "required": True}
            load = by_key[key]
            kept = [one for one in load["fields"] if one["target"] != target]
            return load | {"fields": [*kept, rule]}

        changed = {
            "accounts": requiring("accounts", "contacts", "Parent_Account"),
            "contacts": requiring("contacts", "accounts", "Account_Name"),
        }
        loads = [changed.get(load["key"], load) for load in document["loads"]]
        found = problem(await put(discovered, document | {"loads": loads}, tag), 422, "mapping-invalid")
        assert "lookup-cycle" in [error["code"] for error in found["errors"]]

    async def test_more_than_can_be_judged_in_seconds_is_refused_unjudged(self, discovered: Move) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        load = body["document"]["loads"][0]
        many = body["document"] | {"loads": [load | {"key": str(number), "fields": []} for number in range(1001)]}
        found = problem(await put(discovered, many, tag), 422, "mapping-invalid")
        assert [(each["pointer"], each["code"]) for each in found["errors"]] == [("/loads", "too-large")]
        checked = await discovered.client.post(f"{discovered.path}/mapping/validate", json={"document": many})
        assert [each["code"] for each in checked.json()["problems"]] == ["too_large"]

    async def test_shape_and_pair(self, discovered: Move) -> None:
        await discovered.propose()
        body, tag = await read(discovered)
        found = problem(await put(discovered, edited(body["document"], colour="red"), tag), 422, "invalid")
        assert found["errors"][0]["pointer"] == "/loads/0/fields/0/colour"
        other = body["document"] | {"source": "zoho_crm"}
        assert problem(await put(discovered, other, tag), 422, "invalid")["errors"][0]["code"] == "other-pair"

    async def test_of_another_tenant(self, discovered: Move, stranger: Client) -> None:
        body = await discovered.propose()
        path = f"{discovered.path}/mapping"
        answer = await stranger.put(path, json=body["document"], headers={"If-Match": "*"})
        problem(answer, 404, "not-found")
        problem(await discovered.client.http.put(path, json={}), 401, "unauthenticated")


class TestConfirm:
    async def test_makes_the_version_unchangeable(self, discovered: Move) -> None:
        mapping_id = await discovered.confirm()
        row = await discovered.row(Mapping, id=mapping_id)
        assert (row.state, row.confirmed_by) == ("confirmed", discovered.client.key_id)
        event = await discovered.row(Event, engagement_id=discovered.uuid, type="mapping.confirmed")
        assert event.data["mapping_version"] == 1
        body, tag = await read(discovered)
        answer = await put(discovered, edited(body["document"], default="Later"), tag)
        assert (answer.status_code, answer.json()["version"], answer.json()["state"]) == (200, 2, "draft")
        old = await discovered.client.get(f"{discovered.path}/mapping", params={"version": 1})
        assert old.json()["document"] == body["document"]
        assert old.json()["state"] == "confirmed"

    async def test_only_the_version_that_was_read(self, discovered: Move) -> None:
        path = f"{discovered.path}/mapping/confirm"
        problem(await discovered.client.post(path, json={"version": 1}), 404, "not-found")
        await discovered.propose()
        problem(await discovered.client.post(path, json={"version": 2}), 409, "nothing-to-confirm")
        assert (await discovered.client.post(path, json={"version": 1})).status_code == 200
        problem(await discovered.client.post(path, json={"version": 1}), 409, "nothing-to-confirm")

    async def test_new_confirmation_supersedes_the_old(self, discovered: Move) -> None:
        await discovered.confirm()
        await discovered.confirm()
        states = {}
        for version in (1, 2):
            found = await discovered.client.get(f"{discovered.path}/mapping", params={"version": version})
            states[version] = found.json()["state"]
        assert states == {1: "superseded", 2: "confirmed"}

    async def test_not_what_the_destination_no_longer_fits(self, discovered: Move) -> None:
        proposed = await discovered.propose()
        source = await discovered.look("source")
        bare = source.model_copy(update={"objects": tuple(one for one in source.objects if one.name != "Account")})
        await discovered.discover(source=bare)
        answer = await discovered.client.post(
            f"{discovered.path}/mapping/confirm", json={"version": proposed["version"]}
        )
        found = problem(answer, 422, "mapping-invalid")
        assert "unknown-source-object" in [error["code"] for error in found["errors"]]
        assert (await read(discovered))[0]["state"] == "draft"

    async def test_needs_the_right_to_confirm(
        self, discovered: Move, stranger: Client, make_client: MakeClient
    ) -> None:
        await discovered.propose()
        path, body = f"{discovered.path}/mapping/confirm", {"version": 1}
        narrow = await make_client(scopes=("mappings:write",), tenant_id=discovered.client.tenant_id)
        problem(await narrow.post(path, json=body), 403, "forbidden")
        problem(await stranger.post(path, json=body), 404, "not-found")
        problem(await discovered.client.http.post(path, json=body), 401, "unauthenticated")
        problem(await discovered.client.post(path, json={}), 422, "invalid")


class TestValidate:
    async def test_checks_without_storing(self, discovered: Move) -> None:
        proposed = await discovered.propose()
        path = f"{discovered.path}/mapping/validate"
        current = (await discovered.client.post(path)).json()
        assert current["valid"] is True
        wrong = edited(proposed["document"], target="No_Such_Field")
        verdict = (await discovered.client.post(path, json={"document": wrong})).json()
        assert verdict["valid"] is False
        assert "/loads/0/fields/0/target" in [one["pointer"] for one in verdict["problems"] if one["blocking"]]
        assert (await read(discovered))[0]["document"] == proposed["document"]

    async def test_of_another_tenant(self, discovered: Move, stranger: Client) -> None:
        problem(await stranger.post(f"{discovered.path}/mapping/validate"), 404, "not-found")
        problem(await discovered.client.http.post(f"{discovered.path}/mapping/validate"), 401, "unauthenticated")


EVIL = MappingDocument(
    source="servicetracker",
    destination="zoho_crm",
    loads=(
        Load(
            key="accounts",
            source_object="=cmd|' /C calc'!A0",
            target_object="Accounts",
            fields=(
                FieldRule(
                    target="Name",
                    sources=("-2+3",),
                    default="@SUM(A1)",
                    value_map="states",
                    reasons=(Reason(code="x", text="  =HYPERLINK(1)"),),
                ),
            ),
        ),
    ),
    value_maps={"states": ValueMap(entries={"+1": "=1+1"})},
    exclusions=(Exclusion(source_object="\t=x", note="=y"),),
)


class TestExport:
    async def test_sheets_hold_every_rule(self, discovered: Move) -> None:
        proposed = await discovered.propose()
        rules = sum(len(load["fields"]) for load in proposed["document"]["loads"])
        left_out = len(proposed["document"]["exclusions"])
        path = f"{discovered.path}/mapping/export"
        answer = await discovered.client.get(path, params={"format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
        assert "mapping-v1.csv" in answer.headers["content-disposition"]
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 1 + rules + left_out
        stage = next(dict(zip(rows[0], row, strict=True)) for row in rows if row[7] == "Stage")
        assert "Completed" in stage["Value map"]
        book = CalamineWorkbook.from_filelike(
            io.BytesIO((await discovered.client.get(path, params={"format": "xlsx"})).content)
        )
        assert book.sheet_names == ["Fields", "Value maps", "New fields", "Not moving"]
        assert len(book.get_sheet_by_name("Fields").to_python()) == 1 + rules
        shown = {
            str(cell) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
        }
        assert "the record is held until somebody decides" in shown
        assert "exported to file" in shown
        assert not [cell for cell in shown if cell.startswith(("{", "["))]  # what a person signs holds no JSON

    def test_no_cell_runs_as_a_formula(self) -> None:
        rows = list(csv.reader(io.StringIO(to_csv(EVIL, None, None).decode("utf-8-sig"))))
        cells = [cell for row in rows for cell in row if cell]
        assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@")]
        assert "'-2+3" in cells
        book = CalamineWorkbook.from_filelike(io.BytesIO(to_xlsx(EVIL, None, None)))
        shown = [cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row]
        assert "=1+1" in shown  # text, not the number 2

    def test_control_characters_and_endless_names_survive_in_both_forms(self) -> None:
        endless, odd = "n" * 100_000, "a\x00b\x07c \x1b[31m\u202e"
        rules = (FieldRule(target="X", sources=(endless,)), FieldRule(target="Y", sources=(odd,)))
        load = Load(key="a", phase="a", source_object=odd, target_object="Accounts", fields=rules)
        document = MappingDocument(source="x", destination="y", loads=(load,))
        csv.field_size_limit(max(csv.field_size_limit(), 200_000))
        rows = list(csv.reader(io.StringIO(to_csv(document, None, None).decode("utf-8-sig"))))
        assert [row[4] for row in rows[1:]] == [endless, odd]
        book = CalamineWorkbook.from_filelike(io.BytesIO(to_xlsx(document, None, None)))
        cells = [row[4] for row in book.get_sheet_by_name("Fields").to_python()[1:]]
        assert cells[1] == odd
        assert cells[0].startswith("n" * 32_000)
        assert cells[0].endswith("the CSV has it all)")
        assert len(cells[0]) <= 32_767

    @pytest.mark.parametrize(
        "cell",
        [
            "=1",
            "+1+1",
            "-A1",
            "-2-3",
            "@x",
            "\tx",
            "\rx",
            "＝1",
            "  =1",
            " -1",
            "+1\n=2",
            "+1 270 555 0195*2",
            "+cmd|'/C x'!A0",
        ],
    )
    def test_guard(self, cell: str) -> None:
        assert guarded(cell) == f"'{cell}"

    @pytest.mark.parametrize(
        "cell",
        [
            "plain = text",
            "-20.25",
            "-1,234.50",
            "+3",
            "-119.17046",
            "-4.5e-7",
            "-5%",
            "+1 270 555 0195",
            "+49 (30) 555-0123",
        ],
    )
    def test_numbers_and_phones_stay_what_they_are(self, cell: str) -> None:
        """A refund must be summed, a longitude found and a lead's number imported from what we hand out."""
        assert guarded(cell) == cell

    async def test_of_others_and_of_nothing(self, discovered: Move, stranger: Client) -> None:
        path = f"{discovered.path}/mapping/export"
        problem(await discovered.client.get(path), 404, "not-found")
        problem(await stranger.get(path), 404, "not-found")
        problem(await discovered.client.http.get(path), 401, "unauthenticated")
        problem(await discovered.client.get(path, params={"format": "pdf"}), 422, "invalid")
