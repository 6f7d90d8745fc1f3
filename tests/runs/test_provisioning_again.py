"""Provisioning goes on where a lost answer left it: what stands there unnoted is found by its label and built upon."""

from app.domain.mapping import MappingDocument
from tests.runs.conftest import OpenWay
from tests.runs.road import Road, only


def plain(document: MappingDocument) -> MappingDocument:
    """One load into a module of its own, with its name alone."""
    document = only(document, ["contracts"])
    loads = [
        load.model_copy(update={"fields": tuple(rule for rule in load.fields if rule.target == "Name")})
        if load.key == "contracts"
        else load
        for load in document.loads
    ]
    return document.model_copy(update={"loads": tuple(loads)})


async def provision(way: Road) -> int:
    """How many changes one more provisioning made."""
    await way.run("provision")
    [stage] = [one for one in (await way.stages(way.runs["provision"])).values() if one.kind == "provision"]
    return int(stage.counts["created"])


async def test_a_module_whose_creation_was_never_answered_gets_its_fields(open_way: OpenWay) -> None:
    async with open_way() as way:
        await way.up_to("mapping")
        whole = await way.document()
        await way.confirm(plain(whole))
        assert await provision(way) > 0
        # the workers died before they could note what they had made
        await way.execute("DELETE FROM destination_names")
        await way.confirm(only(whole, ["contracts"]))
        assert await provision(way) > 0
        await way.execute("DELETE FROM destination_names")
        await way.confirm(whole)
        assert await provision(way) > 0
        await way.run("full")
        assert [row for row in await way.ledger("outcome = 'created'") if row["target_object"] == "Contracts_C"]
