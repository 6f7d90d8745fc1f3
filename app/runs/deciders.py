"""Makes the decider of a load: the compiled load with everything about this run that its decisions need."""

from functools import partial

from app.domain.mapping import Load, LoadMode
from app.domain.schema import Inventory
from app.runs import findings
from app.runs.compiled import compile_rule, key_field, target_inventory
from app.runs.deciding import Decider
from app.runs.filenames import safe_name
from app.runs.gathering import gatherer
from app.runs.owning import owners
from app.runs.sharing import kept_apart, redirects
from app.runs.stages.extract import source_inventory
from app.runs.staging import Scope
from app.runs.work import Work


async def make_decider(work: Work, rule: Load) -> Decider:
    """The compiled load with everything it needs to decide records."""
    compiled, target = await compile_rule(work, rule)
    owner_rule = next((one for one in rule.fields if one.owner), None)
    keyed = rule.mode is LoadMode.CREATE
    return Decider(
        document=work.mapping(),
        load=rule,
        compiled=compiled,
        staging=work.staging,
        book=work.book,
        key=work.key,
        owners=await owners(work, await target_inventory(work)),
        run_id=work.book.run_id,
        key_field=await key_field(work, rule, target) if keyed else "",
        owner_field=work.field_name(rule.target_object, owner_rule.target) if owner_rule else "",
        note=await _note(work, rule),
        doubles=await _doubles(work, rule),
        resolved=work.resolved,
        gatherer=await gatherer(work, rule),
        apart=await kept_apart(work, rule, target, make_decider),
        redirects=await redirects(work),
        again=await _again(work, rule),
        linked=await _linked_so_far(work, rule),
    )


async def _linked_so_far(work: Work, rule: Load) -> dict[str, str]:
    """Which records already have the link of this load in this run, and from whom: the first by id sets it."""
    if rule.mode is not LoadMode.LINK or not any(one.target == "$id" for one in rule.fields):
        return {}
    async with work.transaction() as connection:
        rows = await connection.fetch(
            "SELECT record_id, source_id FROM ledger WHERE run_id = $1 AND source_object = $2 AND target_object = $3"
            " AND part = $4 AND record_id IS NOT NULL AND outcome IN ('created', 'updated', 'unchanged')",
            *(work.book.run_id, rule.source_object, rule.target_object, rule.part),
        )
    return dict(rows)


async def _again(work: Work, rule: Load) -> frozenset[str]:
    """Records about which a person has decided since: a delta looks at them although nothing changed at the source."""
    if work.run.kind != "delta":
        return frozenset()
    standing = await findings.standing(work, rule.key)
    return frozenset(one for one, fields in standing.items() if findings.SOURCE in fields.values())


async def _doubles(work: Work, rule: Load) -> frozenset[tuple[str, str]]:
    """For files: (parent, name) where several have one name at one parent, or at parents that become one record; their
    names get the source id, and keep it when the source lets one of them go.
    """
    if rule.mode is not LoadMode.FILE:
        return frozenset()
    if "doubles" not in work.cache:
        survivors = {one: lives for merged in (await redirects(work)).values() for one, lives in merged.items()}
        seen: dict[tuple[str, str], tuple[str, str]] = {}
        double: set[tuple[str, str]] = set()
        after = ""
        async with work.transaction() as connection:
            page = partial(work.staging.page, connection, rule.source_object, gone_too=True)
            while rows := await page(after=after, upto=None, limit=2000, scope=Scope()):
                for row in rows:
                    name = safe_name(str(row.record.get(rule.file_name) or ""), f"{row.source_id}.bin")
                    parent = str(row.record.get("ParentId"))
                    at = (survivors.get(parent, parent), name)
                    if at in seen:
                        double |= {(parent, name), seen[at]}
                    seen.setdefault(at, (parent, name))
                after = rows[-1].source_id
        work.cache["doubles"] = frozenset(double)
    found: frozenset[tuple[str, str]] = work.cache["doubles"]
    return found


async def _note(work: Work, rule: Load) -> tuple[str, dict[str, str]] | None:
    """For notes and other records without a key: the field that carries the marker, and author names by source user
    id."""
    facts = work.destination_platform.object_facts(rule.target_object)
    if rule.mode not in (LoadMode.NOTE, LoadMode.CREATE) or not facts.marker_field:
        return None
    inventory: Inventory = await source_inventory(work)
    return facts.marker_field, {user.id: user.name for user in inventory.users}
