"""What a worker remembers of its own run is bounded, and never anything else than PostgreSQL would answer."""

import orjson
import pytest

from app.runs.handover import Handover
from app.runs.ledger import account_of
from app.runs.resolved import ResolvedIds

PAGE = 600


def offered(handover: Handover, *numbers: int) -> None:
    """Puts one page of records."""
    ids = [f"{number:06d}" for number in numbers]
    handover.put("Client", ids, [orjson.dumps({"Id": one}) for one in ids])


def taken(handover: Handover, after: str, limit: int) -> list[str]:
    """Ids of the next records, as their texts say."""
    blocks = handover.take("Client", after, limit)
    assert all([row["Id"] for row in orjson.loads(block.text)] == list(block.ids) for block in blocks)
    return [one for block in blocks for one in block.ids]


@pytest.fixture
def handover() -> Handover:
    handover = Handover()
    handover.open("Client")
    return handover


def test_pages_come_out_in_key_order_and_once(handover: Handover) -> None:
    offered(handover, *range(PAGE))
    offered(handover, *range(PAGE, 2 * PAGE))
    first = taken(handover, "", 1000)
    assert first == [f"{number:06d}" for number in range(len(first))]
    assert 0 < len(first) <= 1000
    rest = taken(handover, first[-1], 5000)
    assert first + rest == [f"{number:06d}" for number in range(2 * PAGE)]
    assert taken(handover, "", 5000) == []


def test_a_reader_elsewhere_gets_nothing_it_did_not_ask_for(handover: Handover) -> None:
    offered(handover, *range(PAGE))
    assert taken(handover, "000007", 5000) == []  # not where a block begins: PostgreSQL has to be asked
    offered(handover, *range(PAGE, 2 * PAGE))
    assert taken(handover, f"{PAGE - 1:06d}", 5000) == [f"{number:06d}" for number in range(PAGE, 2 * PAGE)]


def test_it_counts_what_it_was_offered_also_what_it_cannot_hold() -> None:
    handover = Handover(limit=1)
    assert handover.count("Client") is None
    handover.open("Client")
    offered(handover, *range(PAGE))
    offered(handover, *range(PAGE, 2 * PAGE))
    assert (handover.holds("Client"), handover.count("Client")) == (False, 2 * PAGE)
    offered(handover, 7)  # a record that came before: only PostgreSQL knows how many there are
    assert handover.count("Client") is None


def test_an_object_that_was_not_opened_is_not_handed_over() -> None:
    handover = Handover()
    offered(handover, *range(PAGE))
    assert taken(handover, "", 5000) == []


@pytest.mark.parametrize("later", [(3, 700), (700, 650), (PAGE - 1,)])
def test_records_out_of_key_order_end_it(handover: Handover, later: tuple[int, ...]) -> None:
    offered(handover, *range(PAGE))
    offered(handover, *later)
    assert taken(handover, "", 5000) == []
    offered(handover, *range(1000, 1000 + PAGE))
    assert taken(handover, "", 5000) == []


def test_what_does_not_fit_is_left_to_the_database() -> None:
    handover = Handover(limit=40_000)
    handover.open("Client")
    offered(handover, *range(PAGE))
    head = taken(handover, "", 5000)
    assert 0 < len(head) < PAGE
    offered(handover, *range(PAGE, 2 * PAGE))
    assert taken(handover, head[-1], 5000) == []  # the records between were not kept
    assert len(taken(handover, f"{PAGE - 1:06d}", 5000)) > 0


def test_ids_are_remembered_for_a_while_only() -> None:
    known = ResolvedIds(size=10)
    for number in range(100):
        known.remember("clients", {f"c{number}": str(number)})
    every = {f"c{number}" for number in range(100)}
    found, missing = known.known("clients", every)
    assert found["c99"] == "99"
    assert "c0" in missing
    assert len(found) <= 20
    assert found.keys() | missing == every
    assert known.known("contacts", every) == ({}, every)


def test_what_a_page_was_given_does_not_shrink() -> None:
    known = ResolvedIds(size=10)
    known.remember("clients", {f"c{number}": str(number) for number in range(10)})
    given, _ = known.known("clients", {"c0"})
    known.remember("clients", {f"d{number}": str(number) for number in range(10)})
    assert given["c0"] == "0"
    assert known.known("clients", {"c0"})[1] == {"c0"}


def test_the_account_sums_outcomes_reasons_and_changes() -> None:
    account = account_of(
        [
            ("created", "", "", 5),
            ("created", "", "Phone:normalised Email:invalid_email", 2),
            ("held", "unmapped_value:Stage", "Phone:normalised", 3),
        ]
    )
    assert account.counts["created"] == 7
    assert account.counts["held"] == 3
    assert account.counts["updated"] == 0
    assert account.reasons == {"held:unmapped_value:Stage": 3}
    assert account.changes == {"Phone:normalised": 5, "Email:invalid_email": 2}
