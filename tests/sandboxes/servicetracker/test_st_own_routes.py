"""Our own routes: changes, statistics, dumps, a fresh start, and the CSV folder."""

import csv
import io
import json

import pytest

from connectors.servicetracker.sandbox.csv_folder import export_csv
from connectors.servicetracker.sandbox.schema import OBJECTS

ASKED = {"seed": 3, "updates": 8, "creates": 4, "deletes": 4, "merges": 2}


async def test_mutations(open_account) -> None:
    """Section 1.7: changes carry the stamp of the clock; a merge deletes the loser and re-parents its children."""
    async with open_account(scale=400) as account:
        mark = "2026-07-01T11:59:59Z"
        children = "SELECT COUNT() FROM Contact WHERE AccountId = '{}'"
        changes = (await account.http.post("/_sandbox/mutate", json=ASKED)).json()
        assert {kind: len(found) for kind, found in changes.items()} == {
            "updated": 8,
            "created": 4,
            "deleted": 4,
            "merged": 2,
        }
        for name in ("Account", "Contact", "WorkOrder", "Task"):
            stamped = set(await account.ids(f"SELECT Id FROM {name} WHERE SystemModstamp > {mark}", everything=True))
            told = {
                one["id"]
                for kind in ("updated", "created", "deleted")
                for one in changes[kind]
                if one["object"] == name
            }
            assert told <= stamped
            gone = {one["id"] for one in changes["deleted"] if one["object"] == name}
            assert gone <= set(await account.ids(f"SELECT Id FROM {name} WHERE IsDeleted = true", everything=True))
        merge = next(one for one in changes["merged"] if one["object"] == "Account")
        loser = await account.rows(
            f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{merge['loser']}'", everything=True
        )
        assert loser == [{"IsDeleted": True, "MasterRecordId": merge["winner"]}]
        assert (await account.ask(children.format(merge["loser"]))).json()["totalSize"] == 0
        assert (await account.ask(children.format(merge["winner"]))).json()["totalSize"] >= 1
        moved = await account.rows(f"SELECT SystemModstamp FROM Contact WHERE AccountId = '{merge['winner']}'")
        assert (
            sum(one["SystemModstamp"].startswith("2026-07-01") for one in moved)
            >= merge["reparented"]["Contact.AccountId"]
        )


async def test_mutations_are_seeded(open_account) -> None:
    answers = []
    for seed in (3, 3, 4):
        async with open_account(scale=200) as account:
            answers.append((await account.http.post("/_sandbox/mutate", json=ASKED | {"seed": seed})).json())
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


async def test_mutations_beyond_what_there_is(empty) -> None:
    changes = (await empty.http.post("/_sandbox/mutate", json={"updates": 5, "deletes": 5, "merges": 5})).json()
    assert changes == {"updated": [], "created": [], "deleted": [], "merged": []}


@pytest.mark.parametrize(
    "body", ["[]", "{", '{"updates": -1}', '{"updates": 1.5}', '{"update": 1}', '{"creates": 200000}']
)
async def test_mutations_that_are_refused(empty, body: str) -> None:
    assert (await empty.http.post("/_sandbox/mutate", content=body)).status_code == 400


async def test_statistics(empty) -> None:
    await empty.rows("SELECT Id FROM User")
    await empty.get("/sobjects/Account/describe")
    await empty.get("/nothing")
    stats = (await empty.http.get("/_sandbox/stats")).json()
    assert stats["requests"]["GET /services/data/v{version}/query"] == 1
    assert stats["requests"]["GET /services/data/v{version}/sobjects/{sobject}/describe"] == 1
    assert stats["rows"] == {"User": 11}
    assert stats["statuses"]["404"] == 1
    assert stats["bytes"] > 1_000
    assert stats["api_usage"] == {"used": 3, "limit": 111_000}
    assert stats["records"]["User"] == 11


async def test_dump_and_export_of_one_object(readonly) -> None:
    lines = (await readonly.http.get("/_sandbox/dump?object=Contact")).text.splitlines()
    assert {json.loads(line)["_object"] for line in lines} == {"Contact"}
    text = (await readonly.http.get("/_sandbox/export?object=Contact")).content.decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [one["Id"] for one in rows] == [json.loads(line)["Id"] for line in lines]
    assert {one["IsDeleted"] for one in rows} == {"true", "false"}
    for path in ("/_sandbox/dump?object=X", "/_sandbox/export"):
        assert (await readonly.http.get(path)).status_code == 404


async def test_a_fresh_start(open_account) -> None:
    async with open_account(scale=100) as account:
        before = (await account.http.get("/_sandbox/dump")).content
        await account.create("Account", Name="Extra")
        await account.http.post("/_sandbox/faults", json={"fail5xx": 1})
        assert (await account.http.post("/_sandbox/reset")).status_code == 200
        assert (await account.http.get("/_sandbox/dump")).content == before
        assert (await account.http.get("/_sandbox/faults")).json()["values"] == {}
        await account.http.post("/_sandbox/reset", json={"scale": 0})
        assert (await account.ask("SELECT COUNT() FROM Account")).json()["totalSize"] == 0
        assert (await account.http.post("/_sandbox/reset", json={"scale": -1})).status_code == 400


async def test_state_is_kept_between_starts(open_account, tmp_path) -> None:
    async with open_account(scale=100, state_dir=tmp_path) as account:
        made = await account.create("Account", Name="Kept")
    async with open_account(scale=100, state_dir=tmp_path) as account:
        assert await account.ids("SELECT Id FROM Account WHERE Name = 'Kept'") == [made]
        assert await account.create("Account", Name="Next") != made


async def test_a_fill_that_was_cut_short_is_started_over(open_account, tmp_path) -> None:
    async with open_account(scale=100, state_dir=tmp_path) as account:
        before = (await account.http.get("/_sandbox/dump")).content
        await account.box.run(account.box.store.set_meta, "filled", "no")
    async with open_account(scale=100, state_dir=tmp_path) as account:
        assert (await account.http.get("/_sandbox/dump")).content == before


async def test_out_as_csv_and_in_again(open_account, tmp_path) -> None:
    """The folder it writes fills another sandbox with the same rows and the same bytes."""
    async with open_account(scale=300) as account:
        work = (await account.ids("SELECT Id FROM WorkOrder LIMIT 1"))[0]
        await account.create("Attachment", ParentId=work, Name="up.bin", Body="AAEC/w==")
        written = await account.box.run(export_csv, account.box.store, tmp_path)
        first = (await account.http.get("/_sandbox/dump")).content
    assert written["Contact"] == 42
    async with open_account(csv_dir=tmp_path) as account:
        assert (await account.http.get("/_sandbox/dump")).content == first
        uploaded = (await account.rows("SELECT Id FROM Attachment WHERE Name = 'up.bin'"))[0]["Id"]
        assert (await account.get(f"/sobjects/Attachment/{uploaded}/Body")).content == b"\x00\x01\x02\xff"
        known = set(await account.ids("SELECT Id FROM Account", everything=True))
        assert await account.create("Account", Name="After") not in known
        exported = (await account.http.get("/_sandbox/export?object=Contact")).content
        assert exported == (tmp_path / "Contact.csv").read_bytes()


async def test_a_sparse_folder_is_completed(open_account, tmp_path) -> None:
    """Ids, numbers, flags and dates that the files leave out are filled in."""
    (tmp_path / "Account.csv").write_text("Name,Credit_Limit__c,Customer_Since__c\nOne,12.50,2020-02-29\nTwo,,\n")
    (tmp_path / "WorkOrder.csv").write_text("Subject,StartDate\nVisit,2024-05-01T10:00:00+02:00\n")
    async with open_account(csv_dir=tmp_path) as account:
        one, two = await account.rows(
            "SELECT Id, Name, Credit_Limit__c, IsDeleted, CreatedDate FROM Account ORDER BY Name"
        )
        assert (one["Credit_Limit__c"], one["IsDeleted"]) == (12.5, False)
        assert (two["Credit_Limit__c"], two["CreatedDate"]) == (None, "2026-07-01T12:00:00.000+0000")
        assert await account.rows("SELECT Email FROM User") == [{"Email": "integration@example.net"}]
        (work,) = await account.rows("SELECT WorkOrderNumber, StartDate FROM WorkOrder")
        assert work == {"WorkOrderNumber": "00000001", "StartDate": "2024-05-01T08:00:00.000+0000"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Shop.csv", "Name\nA\n", "no object Shop"),
        ("Account.csv", "Name,Colour\nA,red\n", "no field Colour"),
        ("Account.csv", "Name,Credit_Limit__c\nA,much\n", "line 2"),
        ("Account.csv", "Name,Phone\nA\n", "cells"),
        ("Account.csv", "Name,Phone\nA,1,2\n", "cells"),
        ("Account.csv", "Id,Name\n003000000000001,A\n", "no id of Account"),
        ("note.txt", "x", "no CSV files"),
    ],
)
async def test_folders_that_are_refused(open_account, tmp_path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        async with open_account(csv_dir=tmp_path):
            pass


def test_every_stored_field_is_a_column() -> None:
    for sobject in OBJECTS.values():
        assert len(set(sobject.columns)) == len(sobject.columns)
        assert len({one.name.lower() for one in sobject.fields}) == len(sobject.fields)
