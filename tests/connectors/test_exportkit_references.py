"""References by id, then by exact normalised name; what is unknown or ambiguous is told and never guessed."""

import pytest

from app.domain.schema import FieldType
from connectors.errors import ContractBroken
from connectors.exportkit.names import Found, NameIndex, normal_name
from tests.connectors.shelf_kit import whole
from tests.connectors.test_exportkit import yard

FILES = {
    "clients.csv": "Client ID,Client Name\nc1,Alpha Pty  Ltd\nc2,Twin\nc3,twin\nc4,c1\n",
    "staff.csv": "Worker No,Full Name,Email,Status\nw1,Ann Lee,ANN@example.com ,Active\nw2,Bo Ray,,Archived\n",
    "jobs.csv": (
        "Job ID,Client,Worker\n1,c2,w2\n2,ALPHA pty ltd,ann@example.com\n3,Twin,Bo  Ray\n4,Nobody,Zed\n5,c1,\n"
    ),
}


async def test_ids_then_names_and_nothing_guessed() -> None:
    found = await whole(yard(FILES), "jobs")
    assert found == {
        "1": {"id": "1", "client": "c2", "worker": "w2"},
        "2": {"id": "2", "client": "c1", "worker": "w1"},
        "3": {"id": "3", "client": "Twin", "client__name": "Twin", "worker": "w2"},
        "4": {"id": "4", "client": "Nobody", "client__name": "Nobody", "worker": "Zed", "worker__name": "Zed"},
        "5": {"id": "5", "client": "c1"},  # an id goes before a name, even before that of another client
    }


async def test_what_is_not_told_is_counted() -> None:
    facts = (await yard(FILES).describe()).facts
    assert facts["unresolved"] == {
        "jobs.client": {"unknown": 1, "ambiguous": 1},
        "jobs.worker": {"unknown": 1},
    }


async def test_fields_and_users_as_a_describe_shows_them() -> None:
    inventory = await yard(FILES).describe()
    spec = inventory.object("jobs")
    assert spec is not None
    client, companion = spec.field("client"), spec.field("client__name")
    assert client is not None
    assert companion is not None
    assert (client.type, client.references, companion.type) == (FieldType.LOOKUP, ("clients",), FieldType.TEXT)
    assert [(one.id, one.name, one.email, one.active) for one in inventory.users] == [
        ("w1", "Ann Lee", "ann@example.com", True),
        ("w2", "Bo Ray", "", False),
    ]


async def test_without_the_other_file_a_reference_stays_as_it_is() -> None:
    found = await whole(yard({"jobs.csv": FILES["jobs.csv"]}), "jobs")
    assert found["2"] == {"id": "2", "client": "ALPHA pty ltd", "worker": "ann@example.com"}


def test_names_are_the_same_without_case_and_blanks_only() -> None:
    assert normal_name(" Ａcme\u00a0 GmbH ") == normal_name("acme gmbh")
    assert normal_name("Acme GmbH") != normal_name("Acme Gmbh & Co")


def test_the_index_is_bounded() -> None:
    index = NameIndex(limit=100)
    for number in range(100):
        index.add(f"id{number}", [f"Name {number}"])
    assert index.look("name 42", 1) == (Found.NAME, "id42")
    assert index.look("id42", 1) == (Found.ID, "id42")
    assert index.look("name 420", 1) == (Found.UNKNOWN, "")
    with pytest.raises(ContractBroken) as refused:
        index.add("one more", ["Another"])
    assert refused.value.code == "TOO_MANY_NAMES"
    assert "ids" in refused.value.detail


def test_a_name_given_twice_to_one_record_is_no_riddle() -> None:
    index = NameIndex()
    index.add("a", ["same", "same"])
    index.add("a", ["same"])
    assert index.look("same", 2) == (Found.NAME, "a")
    index.add("b", ["same"])
    assert index.look("same", 2) == (Found.AMBIGUOUS, "")
