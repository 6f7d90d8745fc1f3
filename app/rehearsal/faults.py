"""Every fault a rehearsal can inject: its name, where it strikes, and how hard. Pure data.

Rates are per 10,000 answers (network, stand-ins); moments are counts of answers that passed the destination's proxy.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Place(StrEnum):
    """Where a fault strikes."""

    NETWORK = "network"
    """Between our workers and a vendor: the TCP proxy does it."""
    DESTINATION = "destination"
    """Inside the destination's stand-in, by its fault switches."""
    SOURCE = "source"
    """Inside the source's stand-in."""
    PROCESS = "process"
    """To our own processes and servers."""
    SCHEMA = "schema"
    """By the hand of the destination's administrator, in its settings, while the full run writes."""


class Fault(BaseModel):
    """One kind of fault. `values` are switches of the proxy or of a stand-in; `times` how often an event happens.

    `by_platform` are the switches where stand-ins call them differently; a platform that is not listed there knows
    none, unless `values` hold for all. `preparing`: it strikes while the destination is made ready.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    place: Place
    text: str
    values: dict[str, int] = {}
    times: int = 1
    by_platform: dict[str, dict[str, int]] = {}
    preparing: bool = False

    def switches(self, platform: str) -> dict[str, int]:
        """What to set on the stand-in of `platform`; empty when it cannot do this."""
        return self.by_platform.get(platform, self.values)


FAULTS: tuple[Fault, ...] = (
    Fault(name="delay", place=Place.NETWORK, text="answers come late", values={"delay": 500, "delay_ms": 150}),
    Fault(name="reset", place=Place.NETWORK, text="the connection is reset before the call", values={"reset": 200}),
    Fault(name="cut", place=Place.NETWORK, text="the answer breaks off", values={"cut": 150, "cut_bytes": 40}),
    Fault(name="drop_answer", place=Place.NETWORK, text="the call is done, its answer lost", values={"drop": 200}),
    Fault(name="stall", place=Place.NETWORK, text="the answer never comes", values={"stall": 40, "stall_ms": 4_000}),
    Fault(name="too_many", place=Place.DESTINATION, text="429 out of turn", values={"fail429": 300}),
    Fault(name="server_error", place=Place.DESTINATION, text="5xx before the work", values={"fail5xx": 200}),
    Fault(
        name="error_after", place=Place.DESTINATION, text="5xx although the work is done", values={"fail5xx_after": 200}
    ),
    Fault(name="commit_drop", place=Place.DESTINATION, text="committed, then cut off", values={"drop": 200}),
    Fault(
        name="rejects",
        place=Place.DESTINATION,
        text="single records refused in a batch",
        by_platform={"zoho_crm": {"reject_record": 50}, "freshsales": {"reject_record": 50}},
    ),
    Fault(
        name="batch_refused",
        place=Place.DESTINATION,
        text="a batch refused as a whole because of one record",
        by_platform={"zoho_crm": {"refuse_batch": 30}},
    ),
    Fault(
        name="token_expiry",
        place=Place.DESTINATION,
        text="access tokens end early",
        by_platform={"zoho_crm": {"expire_tokens": 25}},  # ten new ones in ten minutes is all that Zoho gives
    ),
    Fault(name="search_lag", place=Place.DESTINATION, text="search lags behind", values={"search_lag_seconds": 1}),
    Fault(name="source_error", place=Place.SOURCE, text="5xx of the source", values={"fail5xx": 200}),
    Fault(
        name="locator_gone",
        place=Place.SOURCE,
        text="the source forgets its query cursor",
        by_platform={"servicetracker": {"locator_gone": 300}},
    ),
    Fault(name="quota_gone", place=Place.PROCESS, text="the account's budget is spent for a while"),
    Fault(name="worker_kill", place=Place.PROCESS, text="SIGKILL to the busy worker", times=2),
    Fault(name="worker_stop", place=Place.PROCESS, text="SIGSTOP to the busy worker past its lease"),
    Fault(name="queue_flush", place=Place.PROCESS, text="FLUSHALL on the queue"),
    Fault(name="queue_restart", place=Place.PROCESS, text="the queue's server restarts"),
    Fault(name="database_kill", place=Place.PROCESS, text="all database sessions are ended", times=2),
    Fault(name="database_restart", place=Place.PROCESS, text="the database restarts after a crash"),
    Fault(
        name="duplicates_accepted",
        place=Place.DESTINATION,
        text="no field can be made unique: every object accepts duplicates",
        values={"no_unique_slots": 10_000},
        preparing=True,
    ),
    Fault(name="field_gone", place=Place.SCHEMA, text="a field that is written is taken away"),
    Fault(name="module_gone", place=Place.SCHEMA, text="a custom module is taken away"),
    Fault(name="options_gone", place=Place.SCHEMA, text="a picklist is narrowed to one value"),
    Fault(name="field_required", place=Place.SCHEMA, text="a field becomes mandatory"),
)

BY_NAME = {fault.name: fault for fault in FAULTS}


class UnknownFault(ValueError):
    """A name that is no fault."""


def chosen(text: str) -> tuple[Fault, ...]:
    """The faults behind "all", "none" or "name,name". Raises UnknownFault naming those that exist."""
    if text.strip() in ("", "none"):
        return ()
    if text.strip() == "all":
        return FAULTS
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UnknownFault(f"unknown fault {', '.join(unknown)}; there are: all, none, {', '.join(BY_NAME)}")
    return tuple(BY_NAME[name] for name in dict.fromkeys(names))
