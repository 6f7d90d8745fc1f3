"""What a run waits for when only an administrator of the destination can go on."""

from collections.abc import Sequence

from app.domain.plurals import counted


class AdminNeeded(Exception):
    """The destination lacks things that no call can make. `missing` are instructions, fit for the person who reads
    them; nothing is written before a resumed run finds them done.
    """

    code = "admin-needed"

    def __init__(self, missing: Sequence[str]) -> None:
        told = counted(len(missing), "thing", ("has", "have"))
        super().__init__(f"{told} to be done by an administrator of the destination")
        self.missing = tuple(missing)
