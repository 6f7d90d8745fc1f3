"""What a lost answer has stored where records have no key: by a marker in their text, or by equal values."""

from collections.abc import Sequence
from typing import Any

from app.domain.mapping import Dedupe, DedupeMode
from app.runs.items import Item
from app.runs.writers import NoteWriter, encode
from connectors.base import WriteStyle, WriteTarget
from connectors.registry import PLATFORMS
from connectors.sandboxkit.config import SandboxConfig
from tests.connectors.freshsales_kit import Account, account
from tests.pairs.vendors import Tracker
from tests.runs.conftest import OpenWay
from tests.runs.road import sandbox


class NoPlaces:
    """Nothing is remembered: these records never move. `ours` are what the ledger has."""

    def __init__(self, *ours: str) -> None:
        self._ours = set(ours)

    async def owned(self, record_ids: Sequence[str]) -> set[str]:
        return self._ours & set(record_ids)

    def remember(self, item: Item, place: tuple[str, str]) -> None: ...

    async def known(self, source_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {}


def writer(fresh: Account, name: str, *ours: str) -> NoteWriter:
    facts = PLATFORMS["freshsales"].object_facts(name)
    target = WriteTarget(name, style=WriteStyle.INSERT)
    return NoteWriter(
        fresh.destination, target, facts.parent_field, facts.parent_object_field, facts.marker_field, NoPlaces(*ours),
        facts.batch,
    )  # fmt: skip


def item(source_id: str, **payload: Any) -> Item:
    return Item(source_id, {}, payload, encode(payload), b"")


async def test_tasks_are_found_by_the_marker_at_the_end_of_their_text() -> None:
    async with account() as fresh:
        parent = {"targetable_type": "contacts", "targetable_id": int(await fresh.made("contacts", last_name="P"))}
        tasks = [
            item(f"{n}", title="T", due_date="2024-01-02", description=f"same text\n\n[st:Event:{n}]", **parent)
            for n in range(3)
        ]
        tasks_writer = writer(fresh, "tasks")
        assert (tasks_writer.batch, tasks_writer.keyless) == (1, True)
        sent = [(await tasks_writer.send([one]))[0].id for one in tasks[:2]]
        found = await tasks_writer.probe(tasks)
        assert {key: one.id for key, one in found.items()} == {"0": sent[0], "1": sent[1]}


async def test_lines_are_found_by_their_values_each_once() -> None:
    async with account() as fresh:
        deal = int(await fresh.made("deals", name="D", amount=1))
        product = int(await fresh.made("products", name="Valve"))
        lines = [
            item(f"{n}", deal_id=deal, product_id=product, quantity=quantity, unit_price=10.0)
            for n, quantity in enumerate((2, 2, 2, 3))
        ]
        lines_writer = writer(fresh, "deal_products")
        sent = await lines_writer.send(lines[:2])
        found = await lines_writer.probe(lines)
        assert sorted(found) == ["0", "1"]
        assert {one.id for one in found.values()} == {str(one.id) for one in sent}


async def test_equal_lines_of_two_batches_are_never_one_record() -> None:
    """Only the first batch was stored: the second, whose answer was lost too, does not find the line of the first."""
    async with account() as fresh:
        deal = int(await fresh.made("deals", name="D", amount=1))
        product = int(await fresh.made("products", name="Valve"))
        one, other = (item(n, deal_id=deal, product_id=product, quantity=2, unit_price=10.0) for n in ("0", "1"))
        first = writer(fresh, "deal_products")
        [made] = await first.send([one])
        assert await first.probe([other]) == {}
        assert (await first.probe([one]))["0"].id == made.id
        successor = writer(fresh, "deal_products", str(made.id))
        assert await successor.probe([other]) == {}
        stranger = writer(fresh, "deal_products")  # both answers are lost: whoever looks first has it
        assert list(await stranger.probe([other])) == ["1"]
        assert list(await stranger.probe([other])) == ["1"]
        assert await stranger.probe([one]) == {}


async def test_files_of_records_that_become_one_are_told_apart_by_their_names(open_way: OpenWay) -> None:
    """Same name, same size, other bytes: where no call shows the bytes, a lost answer could not be cleared up."""
    with sandbox("servicetracker", SandboxConfig()) as url:
        async with Tracker(url) as tracker, open_way(source=url) as way:
            for number in range(2):
                client = await tracker.create("Account", Name="Twice Ltd")
                await tracker.create("Attachment", ParentId=client, Name="photo.png", Body=b"photo %d" % number)
            await way.up_to("mapping")
            document = await way.document()
            merging = Dedupe(mode=DedupeMode.MERGE, keys=(("Name",),))
            loads = [
                one.model_copy(update={"dedupe": merging}) if one.key == "accounts" else one for one in document.loads
            ]
            await way.confirm(document.model_copy(update={"loads": tuple(loads)}))
            await way.run("provision")
            await way.run("full")
            files = [line for line in await way.destination.dump() if line["module"] == "Attachments"]
            assert len({line["parent"]["id"] for line in files}) == 1
            assert (len(files), len({line["file_name"] for line in files})) == (2, 2)
