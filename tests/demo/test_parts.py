"""The demo's own judgement: it must notice what does not hold."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from app.demo import run_demo
from app.demo.agreeing import decide_values
from app.demo.client import Client, NoAnswer
from app.demo.counting import Row
from app.demo.dumps import Dump, count_disagreements, differences, read_dump
from app.demo.errors import DemoFailed
from app.demo.processes import MOST_FAILURES, Child, Children
from app.demo.receiver import Receiver, receiving
from app.demo.result import Result

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def dump(**modules: dict[str, str]) -> Dump:
    return Dump({name: {key: text.encode() for key, text in one.items()} for name, one in modules.items()})


class Line:
    """A destination of one record."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._record = record

    def lines(self, _path: str, **_query: str) -> list[bytes]:
        return [json.dumps(self._record).encode()]


class TestDifferences:
    def test_equal(self) -> None:
        assert differences(dump(Deals={"1": "a"}), dump(Deals={"1": "a"}, Leads={})) == []

    def test_each_kind_is_named(self) -> None:
        before, after = dump(Deals={"1": "a", "2": "b"}), dump(Deals={"2": "c", "3": "d"})
        assert differences(before, after) == ["Deals 1 is gone", "Deals 3 is left", "Deals 2 differs"]

    def test_what_differs_is_named_without_its_value(self) -> None:
        old = {"Phone": "+1 415 555 0100", "Fax": None, "Title": "Dr", "City": "Oslo"}
        now = {"Phone": "+1 415 555 0199", "Fax": "7", "Title": None, "City": "Oslo"}
        before, after = (
            read_dump(Line({"module": "Leads", "id": "1", "data": one}), fields=True)  # type: ignore[arg-type]
            for one in (old, now)
        )
        said = "Leads 1 differs in data.Fax was blank, data.Phone changed, data.Title is blank now"
        assert differences(before, after) == [said]

    def test_many_are_counted(self) -> None:
        found = differences(dump(), dump(Deals={str(number): "" for number in range(30)}))
        assert len(found) == 21
        assert found[-1] == "and 10 more"


class TestCountDisagreements:
    before = dump(Deals={"1": "a"}, Relations={})

    def test_agreement(self) -> None:
        after = dump(Deals={"1": "b", "2": "c"}, Relations={"link:1:2": "x"})
        assert count_disagreements(self.before, after, {"Deals": frozenset({"2"})}) == []

    def test_a_record_nobody_knows(self) -> None:
        after = dump(Deals={"1": "a", "2": "b"})
        assert count_disagreements(self.before, after, {}) == [
            "Deals: 1 records at the destination that the ledger does not know"
        ]

    def test_a_record_that_is_missing(self) -> None:
        found = count_disagreements(self.before, self.before, {"Tasks": frozenset({"7"})})
        assert found == ["Tasks: 1 records of the ledger that the destination does not have"]


class TestDecideValues:
    def document(self, unmapped: str = "hold") -> dict[str, object]:
        rule = {"value_map": "status", "sources": ["Status"]}
        load = {"enabled": True, "source_object": "WorkOrder", "fields": [rule, {"value_map": None, "sources": []}]}
        entries = {"Open": "Open", "On Hold": "On Hold"}
        return {"loads": [load], "value_maps": {"status": {"entries": entries, "unmapped": unmapped}}}

    def finding(self, **values: int) -> dict[str, object]:
        return {"code": "unknown_value", "object": "WorkOrder", "field": "Status", "values": values}

    def test_a_person_decides_each_unknown_value_once(self) -> None:
        document = self.document()
        unknown = {"Awaiting Parts": 2, "awaiting parts ": 1, " open": 1, "Strange": 1}
        decided = decide_values(document, [self.finding(**unknown)])
        assert decided == [("status", "Awaiting Parts", "On Hold"), ("status", "Strange", "Open")]
        assert document["value_maps"]["status"]["entries"]["Awaiting Parts"] == "On Hold"  # type: ignore[index]

    def test_a_map_that_holds_nothing_is_left_alone(self) -> None:
        assert decide_values(self.document("keep"), [self.finding(Strange=1)]) == []

    def test_other_findings_are_left_alone(self) -> None:
        assert decide_values(self.document(), [{**self.finding(Strange=1), "code": "too_long"}]) == []


class TestReceiver:
    def post(self, receiver: Receiver, body: bytes, secret: str, message_id: str = "evt_1") -> int:
        now = datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(message_id, now, body.decode()),
        }
        address = urlsplit(receiver.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=5)
        try:
            connection.request("POST", address.path, body=body, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def test_counts_a_message_once_however_often_it_comes(self) -> None:
        with receiving() as receiver:
            receiver.secret = SECRET
            body = json.dumps({"type": "run.completed"}).encode()
            assert [self.post(receiver, body, SECRET) for _ in range(2)] == [204, 204]
            assert list(receiver.messages) == ["evt_1"]
            assert receiver.refused == 0

    def test_refuses_a_wrong_signature(self) -> None:
        with receiving() as receiver:
            receiver.secret = SECRET
            assert self.post(receiver, b"{}", "whsec_" + "QUFB" * 11) == 401
            assert receiver.messages == {}
            assert receiver.refused == 1


class TestClient:
    def test_says_who_does_not_answer(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, not listening: refused
            with pytest.raises(NoAnswer, match="does not answer GET /livez"):
                Client(f"http://127.0.0.1:{taken.getsockname()[1]}").get("/livez")


@contextmanager
def children(folder: Path) -> Iterator[Children]:
    started = Children(folder, {})
    try:
        yield started
    finally:
        started.stop()


class TestChildren:
    def test_says_why_one_did_not_start(self, tmp_path: Path) -> None:
        with children(tmp_path) as started:
            child = started.start("broken", "sandbox", "zoho_crm", "--port", "0", "--edition", "Imaginary")
            with pytest.raises(DemoFailed, match=r"broken did not start:\n.*unknown Zoho CRM edition 'Imaginary'"):
                started.address(child, 60)

    def test_a_worker_that_fails_again_and_again_is_given_up(self, tmp_path: Path) -> None:
        with children(tmp_path) as started:
            worker = started.start("worker-1", "worker", "--no-such-option")
            said = []
            for _ in range(MOST_FAILURES - 1):
                self.wait_for(worker)
                said += started.mend()
            self.wait_for(worker)
            with pytest.raises(DemoFailed, match="worker-1 has ended with code 2"):
                started.mend()
            assert len(said) == MOST_FAILURES - 1
            assert "ended with code 2; started again as pid" in said[0]

    def wait_for(self, child: Child) -> None:
        assert child.process is not None
        child.process.wait(60)


class TestVerdict:
    def test_a_row_whose_ends_do_not_add_up_shows(self) -> None:
        row = Row("Account", "Accounts", read=3, created=1, held=1)
        result = Result("a:b")
        result.expect(row.read == row.ended, "one is missing")
        result.expect(True, "never said")
        assert result.faults == ["one is missing"]

    def test_an_unknown_pair_is_refused_with_those_that_exist(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = run_demo(
            pair="zoho_crm:servicetracker", scale=100, rollback=False, keep=False, json_path=None, source=None
        )
        assert code == 2
        assert "servicetracker:zoho_crm" in capsys.readouterr().err
