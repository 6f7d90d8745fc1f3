"""Every destination: what it says of itself, and changing its schema."""

import pytest

from connectors.base import ChangeKind, SchemaChange
from connectors.errors import Ambiguous, Transient
from tests.connectors.destination_cases import Bench


class TestDescribing:
    async def test_check_and_describe(self, bench: Bench) -> None:
        facts = await bench.destination.check()
        inventory = await bench.destination.describe()
        assert inventory.platform == bench.case.slug
        assert inventory.edition == facts["edition"]
        found = inventory.object(bench.case.keyed)
        assert found is not None
        key, name = found.field(bench.key_field), found.field(bench.case.name_field)
        assert key is not None
        assert name is not None
        assert key.unique or key.external_id
        assert key.custom
        assert name.required
        assert inventory.users
        assert inventory.stages

    async def test_provisioning_twice_changes_nothing(self, bench: Bench) -> None:
        changes = [
            SchemaChange(
                kind=ChangeKind.OBJECT, object="Contracts_C", label="Contracts", attributes={"singular": "Contract"}
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Monthly_Value__c", label="Monthly Value",
                attributes={"type": "currency", "length": 16, "scale": 2},
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Account__c", label="Client",
                attributes={"type": "lookup", "references": bench.case.keyed},
            ),
            SchemaChange(
                kind=ChangeKind.FIELD, object="Contracts_C", name="Kind__c", label="Kind",
                attributes={"type": "picklist", "picklist": ["Preventive", "Full Maintenance"]},
            ),
            SchemaChange(
                kind=ChangeKind.PICKLIST_VALUES, object="Contracts_C", name="Kind__c", label="Kind",
                attributes={"picklist": ["Preventive", "On Demand"]},
            ),
        ]  # fmt: skip
        if not bench.case.adds_options:
            changes.pop()
        names: dict[str, str] = {}
        for repeated in (False, True):
            for change in changes:
                result = await bench.destination.provision(change, names)
                assert result.manual == ""
                assert result.api_name
                assert result.id
                assert result.existed is repeated or change.kind is ChangeKind.OBJECT
                names[f"{change.object}.{change.name}" if change.name else change.object] = result.api_name
        inventory = await bench.destination.describe()
        made = inventory.object(names["Contracts_C"])
        assert made is not None
        kinds = {field.name: field for field in made.fields}
        options = ["Preventive", "Full Maintenance", *(["On Demand"] if bench.case.adds_options else [])]
        assert [v.value for v in kinds[names["Contracts_C.Kind__c"]].picklist] == options
        assert kinds[names["Contracts_C.Account__c"]].references == (bench.case.keyed,)

    async def test_a_lost_answer_while_provisioning_is_cleared_up_by_repeating(self, bench: Bench) -> None:
        kind, date = ChangeKind.FIELD, {"type": "date"}
        change = SchemaChange(kind=kind, object=bench.case.keyed, name="L__c", label="Lost Field", attributes=date)
        await bench.destination.describe()
        await bench.sandbox.faults(drop=10_000)
        with pytest.raises((Ambiguous, Transient)):  # a connector that looks again first loses the look's answer too
            await bench.destination.provision(change, {})
        await bench.sandbox.clear()
        result = await bench.destination.provision(change, {})
        assert (bool(result.api_name), result.manual) == (True, "")
        found = (await bench.destination.describe()).object(bench.case.keyed)
        assert found is not None
        assert [one.label for one in found.fields].count("Lost Field") == 1
