"""What a stand-in keeps beside a record and no call shows counts neither against ledger nor rollback."""

from collections.abc import Iterator
from typing import Any

from app.demo.dumps import count_disagreements, differences, read_dump
from connectors.registry import PLATFORMS


class Lines:
    """A client whose stand-in tells these records."""

    def __init__(self, *lines: bytes) -> None:
        self._lines = lines

    def lines(self, path: str, **query: str) -> Iterator[bytes]:
        assert (path, query) == ("/_sandbox/dump", {"module": "*"})
        return iter(self._lines)


def dump(*lines: bytes) -> Any:
    return read_dump(Lines(*lines))  # type: ignore[arg-type]


CALL = b'{"module": "phone_call", "id": 7}'
NOTE = b'{"module": "note", "id": 8}'


def test_the_log_of_a_call_is_no_record_of_its_own() -> None:
    before, after = dump(), dump(CALL, NOTE, b"")
    assert after.size == 1
    assert count_disagreements(before, after, {"note": frozenset({"8"})}) == []
    assert count_disagreements(before, after, {}) == [
        "note: 1 records at the destination that the ledger does not know"
    ]
    assert differences(before, dump(CALL)) == []
    assert differences(before, after) == ["note 8 is left"]


def test_the_manifest_says_what_cannot_be_read_back() -> None:
    facts = PLATFORMS["freshsales"].object_facts("phone_calls")
    assert (facts.unreadable, facts.deletable) == (("call_direction",), False)
    assert "section 9" in facts.source
