"""Sensitive fields leave only under an agreement, no report shows them, and destroying the key ends an engagement."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.documents import engagement_key
from app.domain.ids import decode_id
from app.domain.mapping import FieldRule, Load, MappingDocument
from app.domain.masking import MASK, flagged, mask_values, sensitive_count, sensitive_sources
from app.domain.schema import FieldSpec, FieldType, Inventory, ObjectSpec
from app.engagements.facts import MappingFact
from app.engagements.gates import gates
from app.engagements.purging import purge_due
from app.errors import EngagementPurged
from app.models.engagement import Connection, Engagement
from app.models.ledger import Staged
from app.runs.audit_proof import prove
from app.runs.expecting import Written
from app.runs.stages.verify import Hidden, Tally
from app.runtime import Runtime
from app.settings import Settings
from app.signing import SignatureWrong, fingerprint, open_signed, public_key, sign
from app.verifying import verify_report
from tests.api.conftest import Client, MakeClient
from tests.api.engagement_kit import Move, discovered, move, sandboxes
from tests.api.problem_kit import problem
from tests.api.test_runs_gates import APPROVED, MOVED, READY
from tests.clock import FakeClock

__all__ = ["discovered", "move", "sandboxes"]  # fixtures


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A whole mapping is edited here."""
    return settings.model_copy(update={"max_body_bytes": 2 * 1024 * 1024})


SOURCE = Inventory(
    platform="clinic",
    taken_at="2026-11-21T10:00:00Z",  # type: ignore[arg-type]
    objects=(
        ObjectSpec(
            name="visits",
            fields=(
                FieldSpec(name="id"),
                FieldSpec(name="note", sensitive=True),
                FieldSpec(name="patient", type=FieldType.LOOKUP, references=("patients",)),
            ),
        ),
        ObjectSpec(name="patients", fields=(FieldSpec(name="name"), FieldSpec(name="allergy", sensitive=True))),
    ),
)


def document(*rules: FieldRule) -> MappingDocument:
    load = Load(key="visits", source_object="visits", target_object="Visits", fields=rules)
    return MappingDocument(source="clinic", destination="zoho_crm", loads=(load,))


class TestMarks:
    def test_a_rule_that_reads_a_marked_field_is_marked(self) -> None:
        found = flagged(
            document(
                FieldRule(target="Name", sources=("id",)),
                FieldRule(target="Note", sources=("id", "note")),
                FieldRule(target="Allergy", sources=("patient.allergy",)),
                FieldRule(target="Who", sources=("patient.name",)),
            ),
            SOURCE,
        )
        assert [rule.target for rule in found.loads[0].fields if rule.sensitive] == ["Note", "Allergy"]
        assert sensitive_count(found) == 2

    def test_an_edit_cannot_take_a_mark_away(self) -> None:
        promised = document(FieldRule(target="Room", sources=("room",), sensitive=True))
        edited = document(FieldRule(target="Room", sources=("room",)), FieldRule(target="Else", sources=("room", "id")))
        found = flagged(edited, SOURCE, promised.loads)
        assert [rule.sensitive for rule in found.loads[0].fields] == [True, True]

    def test_masking_leaves_blanks_and_hides_the_rest(self) -> None:
        names = sensitive_sources(document(), "visits", SOURCE.objects[0])
        assert names == {"note"}
        assert mask_values({"id": "1", "note": "HIV", "patient": None}, names)["note"] == MASK
        assert mask_values({"note": ""}, names) == {"note": ""}


def test_a_reading_back_shows_no_sensitive_value() -> None:
    """Neither as it was sent nor as it is there nor in the source record; the difference itself is still counted."""
    hidden = Hidden(sent=frozenset({"Note__c"}), source=frozenset({"note"}))
    tally = Tally(keep_values=True, hidden=hidden)
    sent = {"Note__c": "canary-sent", "City": "Leeds"}
    one = Written("1", "900", True, "", None, sent=sent, source={"note": "canary-raw"})
    specs = {name: FieldSpec(name=name) for name in ("Note__c", "City")}
    assert not tally.compare(one, {"Note__c": "canary-got", "City": "Leeds"}, specs)
    assert "canary" not in str(tally.rows) + str(tally.listed)
    assert (tally.differing, tally.rows[0]["fields"][0]["sent"]) == (1, "Leeds")


class TestGate:
    @pytest.mark.parametrize("facts", [READY, APPROVED, MOVED])
    def test_only_sending_runs_wait_for_the_agreement(self, facts: Any) -> None:
        secret = replace(facts, confirmed=MappingFact(facts.confirmed.id, 1, "confirmed", sensitive=True))
        for kind in ("sample", "full", "delta", "repair"):
            codes = {error.code for error in gates(kind, secret)}
            assert "agreement-not-confirmed" in codes, kind
            assert "agreement-not-confirmed" not in {error.code for error in gates(kind, replace(secret, agreed=True))}
            assert "agreement-not-confirmed" not in {error.code for error in gates(kind, facts)}
        for kind in ("discovery", "preflight", "provision", "reconcile", "rollback"):
            assert "agreement-not-confirmed" not in {error.code for error in gates(kind, secret)}, kind

    async def test_owner_confirms_operator_may_not(self, discovered: Move, make_client: MakeClient) -> None:
        proposed = await discovered.propose()
        await discovered.client.post(f"{discovered.path}/mapping/confirm", json={"version": proposed["version"]})
        await discovered.settle_owners()
        await discovered.add_run("provision", mapping_id=decode_id("mapping", proposed["id"]))
        refused = problem(await discovered.start("sample"), 409, "agreement-not-confirmed")
        assert f"PUT {discovered.path}/agreement" in refused["detail"]
        steps = {step["key"]: step for step in (await discovered.view())["road"]}
        assert steps["agreement"]["state"] == "open"
        operator = await make_client("operator", tenant_id=discovered.client.tenant_id)
        word = {"confirmed": True, "reference": "DPA 2026-17"}
        problem(await operator.put(f"{discovered.path}/agreement", json=word), 403, "forbidden")
        false = await discovered.client.put(f"{discovered.path}/agreement", json={**word, "confirmed": False})
        problem(false, 422, "invalid")
        given = await discovered.client.put(f"{discovered.path}/agreement", json=word)
        assert (given.status_code, given.json()["reference"]) == (200, "DPA 2026-17")
        assert (await discovered.view())["agreement"]["destination"] == "zoho_crm"
        assert (await discovered.start("sample")).status_code == 202

    async def test_the_word_can_be_taken_back(self, move: Move, make_client: MakeClient) -> None:
        path = f"{move.path}/agreement"
        operator = await make_client("operator", tenant_id=move.client.tenant_id)
        problem(await operator.delete(path), 403, "forbidden")
        await move.client.put(path, json={"confirmed": True, "reference": "DPA 2026-17"})
        for _ in range(2):
            assert (await move.client.delete(path)).status_code == 204
            assert (await move.view())["agreement"] is None

    async def test_unmarking_a_field_in_the_mapping_does_not_open_it(self, discovered: Move) -> None:
        await discovered.propose()
        current = await discovered.client.get(f"{discovered.path}/mapping")
        document = current.json()["document"]
        for load in document["loads"]:
            for rule in load["fields"]:
                rule["sensitive"] = False
        put = await discovered.client.put(
            f"{discovered.path}/mapping", json=document, headers={"If-Match": current.headers["etag"]}
        )
        assert put.status_code == 200, put.text
        stored = MappingDocument.model_validate(put.json()["document"])
        assert sensitive_count(stored) > 0


def check_offline(signed: dict[str, Any], paper: Path, runtime: Runtime) -> None:
    """`tranship verify` reads a certificate, and trusts none that was touched or signed by somebody else."""

    def verdict(document: Any, key: str | None = None) -> tuple[int, str]:
        paper.write_text(json.dumps(document))
        said: list[str] = []
        return verify_report(paper, key, said.append), "\n".join(said)

    own = fingerprint(public_key(runtime.keys))
    code, said = verdict(signed, own)
    assert code == 0, said
    assert "the key of these data was destroyed" in said
    assert signed["document"]["engagement"] in said
    assert verdict(signed, "0000-0000-0000-0000")[0] == 1
    for changed in ({"unreadable": {}}, {"purged_at": "2020-01-01T00:00:00Z"}, {"kind": "reconciliation"}):
        code, said = verdict({**signed, "document": {**signed["document"], **changed}})
        assert (code, said.partition(":")[0]) == (1, "NOT TO BE TRUSTED")
    odd = sign(runtime.keys, {"kind": "purge_certificate"})  # rightly signed and not a certificate
    assert verdict(odd)[0] == 1


class TestPurge:
    async def staged(self, move: Move) -> None:
        """One sealed record, as an extraction leaves it."""
        async with move.runtime.db.transaction(move.client.tenant_id) as session:
            engagement = await session.get_one(Engagement, move.uuid)
            sealed = engagement_key(move.runtime, engagement).seal(b'{"Name":"canary"}', b"Contact\x001")
            values: dict[str, Any] = {"engagement_id": move.uuid, "object": "Contact", "source_id": "1"}
            session.add(Staged(**values, tenant_id=move.client.tenant_id, payload=sealed))

    async def close(self, move: Move, state: str = "cancelled") -> None:
        tag = (await move.client.get(move.path)).headers["etag"]
        answer = await move.client.patch(move.path, json={"state": state}, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text

    async def test_only_what_was_closed_and_named(self, discovered: Move, make_client: MakeClient) -> None:
        path, body = f"{discovered.path}/purge", {"engagement_id": discovered.id}
        problem(await discovered.client.post(path, json=body), 409, "engagement-not-there")
        await self.close(discovered)
        operator = await make_client("operator", tenant_id=discovered.client.tenant_id)
        problem(await operator.post(path, json=body), 403, "forbidden")
        other = {"engagement_id": discovered.id[:-1] + ("0" if discovered.id[-1] != "0" else "1")}
        problem(await discovered.client.post(path, json=other), 422, "invalid")
        problem(await discovered.client.get(f"{discovered.path}/purge_certificate"), 404, "not-found")

    async def test_destroys_certifies_and_keeps_the_chain(
        self, discovered: Move, runtime: Runtime, tmp_path: Path
    ) -> None:
        await self.staged(discovered)
        report = await discovered.add_report("preflight", {"findings": 1}, {"secret": "canary"})
        await self.close(discovered)
        answer = await discovered.client.post(f"{discovered.path}/purge", json={"engagement_id": discovered.id})
        assert answer.status_code == 200, answer.text
        signed = answer.json()
        certificate, _ = open_signed(signed, expected=public_key(runtime.keys))
        assert certificate["unreadable"]["staged_records"] == 1
        assert certificate["unreadable"]["reports"] == 1
        with pytest.raises(SignatureWrong):
            open_signed({**signed, "document": {**certificate, "why": "never"}}, expected=public_key(runtime.keys))
        assert (await discovered.client.get(f"{discovered.path}/purge_certificate")).json() == signed
        check_offline(signed, tmp_path / "certificate.json", runtime)
        problem(await discovered.client.get(f"/v1/reports/{report}"), 409, "engagement-purged")
        problem(await discovered.client.get(f"{discovered.path}/inventories/source"), 409, "engagement-purged")
        engagement = await discovered.row(Engagement, id=discovered.uuid)
        assert (engagement.data_key, engagement.state) == (None, "purged")
        with pytest.raises(EngagementPurged):
            engagement_key(runtime, engagement)
        connection = await discovered.row(Connection, engagement_id=discovered.uuid)
        assert (connection.credentials, connection.token) == (None, None)
        tenant: UUID = discovered.client.tenant_id
        proof = await prove(lambda: runtime.db.connection(tenant), tenant, ("engagement", discovered.id))
        assert proof.broken is None
        assert [event.outcome for event in proof.history] == ["purged"]
        assert proof.history[0].sequence == certificate["audit_sequence"]
        again = await discovered.client.post(f"{discovered.path}/purge", json={"engagement_id": discovered.id})
        problem(again, 409, "engagement-purged")

    async def test_goes_by_itself_when_the_retention_is_over(
        self, move: Move, runtime: Runtime, clock: FakeClock
    ) -> None:
        await move.connect()
        await self.staged(move)
        await self.close(move)
        due = (await move.client.get(f"{move.path}/retention")).json()
        assert due["purge_at"] == (clock() + timedelta(days=30)).isoformat().replace("+00:00", "Z")
        clock.advance(days=29, hours=23)
        await purge_due(runtime)
        assert (await move.view())["state"] == "cancelled"
        clock.advance(hours=1)
        assert await purge_due(runtime) >= 1
        assert await purge_due(runtime) == 0
        view = await move.view()
        assert (view["state"], view["road"][0]["key"]) == ("purged", "purged")
        certificate = (await move.client.get(f"{move.path}/purge_certificate")).json()["document"]
        assert (certificate["why"], certificate["requested_by"]) == ("retention_over", None)

    async def test_of_another_tenant_does_not_exist(self, move: Move, stranger: Client) -> None:
        body = {"engagement_id": move.id}
        problem(await stranger.post(f"{move.path}/purge", json=body), 404, "not-found")
        problem(await stranger.get(f"{move.path}/purge_certificate"), 404, "not-found")
        word = {"confirmed": True, "reference": "x"}
        problem(await stranger.put(f"{move.path}/agreement", json=word), 404, "not-found")
