"""What the destination's schema has lost since discovery although the mapping writes it.

Vendors drop values for unknown fields without a word. Nobody is asked as long as all is well: only a difference found
while reading back, or a call that breaks the contract, makes a run look at the schema again.
"""

from collections.abc import Sequence

from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec
from app.engagements.run_kinds import SENDING
from app.runs.compiled import compile_rule, key_field, target_inventory
from app.runs.waiting import AdminNeeded
from app.runs.work import Work
from connectors.errors import Ambiguous, ConnectorError, ContractBroken, Transient


class SchemaLost(AdminNeeded):
    """Fields or objects that are written are gone; the run goes on once an administrator has put them back."""

    code = "schema-changed"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(missing)
        self.args = ("The destination's schema changed under way: " + " ".join(missing[:3]).rstrip("."),)


async def demand_all(work: Work, rule: Load) -> None:
    """Called where reading back found differences in a run that writes. Raises SchemaLost naming what is gone, and
    what the connector raises.
    """
    if work.run.kind in SENDING and rule.mode is not LoadMode.FILE and (lost := await _lost(work, rule)):
        raise SchemaLost(lost)


async def explained(work: Work | None, error: Exception) -> Exception:
    """What stopped a run, or the reason behind it: a schema that is not the one the mapping was compiled for."""
    if work is None or work.document is None or work.run.destination_id is None:
        return error
    if not isinstance(error, ContractBroken):
        return error
    lost: dict[str, None] = {}
    try:
        for rule in work.document.loads:
            if rule.enabled and rule.mode is not LoadMode.FILE:
                lost.update(dict.fromkeys(await _lost(work, rule)))
    except (Transient, Ambiguous) as hindered:
        return hindered  # tried again, and then looked at again
    except ConnectorError:
        return error
    return SchemaLost(list(lost)) if lost else error


async def _lost(work: Work, rule: Load) -> list[str]:
    """A sentence for each field that the load sets and the destination had; one for the object if that is gone."""
    name = work.object_name(rule.target_object)
    offered = (await target_inventory(work)).object(name)
    if offered is None:
        return []
    destination = await work.destination()
    now = await destination.describe_object(name)
    if now is None:
        return [f"The module {name} is not there any more: put it back under the same name."]
    compiled, target = await compile_rule(work, rule)
    key = await key_field(work, rule, target) if rule.mode is LoadMode.CREATE else ""
    gone = [
        field.label or field.name
        for api in dict.fromkeys((key, *compiled.fields.values()))
        if (field := offered.field(api)) is not None and not _stands(field, now.field(api))
    ]
    return [f"The field “{label}” of {name} is not there any more: put it back under the same name." for label in gone]


def _stands(offered: FieldSpec, now: FieldSpec | None) -> bool:
    return now is not None and (now.writable or not offered.writable)
