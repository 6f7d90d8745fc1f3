"""A load compiled against what both sides look like now, and what the destination looks like: read once per run."""

from app.domain.collecting import with_collected
from app.domain.compiling import CompiledLoad, compile_load
from app.domain.mapping import Load, LoadMode
from app.domain.schema import FieldSpec, Inventory, ObjectSpec
from app.runs.stages.extract import source_inventory
from app.runs.work import Work


async def compile_rule(work: Work, rule: Load) -> tuple[CompiledLoad, ObjectSpec]:
    """Compiles a load against what both sides look like now; kept for the run. Raises MappingInvalid."""
    cached = work.cache.get(f"compiled:{rule.key}")
    if cached is not None:
        return cached  # type: ignore[no-any-return]
    source: Inventory = await source_inventory(work)
    target = await target_object(work, rule)
    document = work.mapping()
    compiled = compile_load(
        rule,
        source=with_collected(source.object(rule.source_object) or ObjectSpec(name=rule.source_object), rule),
        target=target,
        names={name: api for (owner, name), api in work.names.items() if owner == rule.target_object and name},
        objects={other.key: work.object_name(other.target_object) for other in document.loads},
        encoding=work.destination_platform.encoding,
        value_maps=document.value_maps,
        platform=work.source_platform.slug,
        key_field=await key_field(work, rule, target) if rule.mode is LoadMode.CREATE else "",
        related={spec.name: spec for spec in source.objects},
        origins={other.key: other.source_object for other in document.loads},
    )
    work.cache[f"compiled:{rule.key}"] = (compiled, target)
    return compiled, target


async def target_inventory(work: Work) -> Inventory:
    """What the destination looked like after provisioning, read once per run."""
    if "target_inventory" not in work.cache:
        from app.runs.opening import newest_inventory

        assert work.run.destination_id is not None
        work.cache["target_inventory"] = await newest_inventory(work, work.run.destination_id)
    inventory: Inventory = work.cache["target_inventory"]
    return inventory


async def target_object(work: Work, rule: Load) -> ObjectSpec:
    """The destination's description of a load's object; an object the vendor does not describe is taken on trust."""
    inventory = await target_inventory(work)
    name = work.object_name(rule.target_object)
    found = inventory.object(name)
    if found is not None:
        return found
    return ObjectSpec(name=name, fields=tuple(FieldSpec(name=one.target) for one in rule.fields))


async def key_field(work: Work, rule: Load, target: ObjectSpec) -> str:
    """The API name of our external-id field on this object, "" where it has none."""
    facts = work.destination_platform.object_facts(rule.target_object)
    if facts.key_field is None:
        return ""
    name = facts.key_field or work.field_name(rule.target_object, work.mapping().external_id)
    return name if target.field(name) else ""
