"""Prints microseconds a record of the compiled build function for a work order of 12 mapped fields.

Run by hand: `python -m tests.bench.compile_bench [records]`.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

import orjson

from app.domain.compiling import CompiledLoad, PageContext, compile_load
from app.domain.mapping import FieldRule, Load, LookupRule, ValueMap
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec, PicklistValue, Record

STAGES = {"Open": "Qualification", "In Progress": "Negotiation", "On Hold": "On Hold", "Completed": "Closed Won"}
KINDS = FieldType
PAGE = 100


def work_orders() -> ObjectSpec:
    """The source object, as wide as the mapping needs."""
    kinds = {
        "WorkOrderNumber": KINDS.AUTONUMBER,
        "Subject": KINDS.TEXT,
        "Description": KINDS.TEXTAREA,
        "Status": KINDS.PICKLIST,
        "Priority": KINDS.PICKLIST,
        "StartDate": KINDS.DATETIME,
        "EndDate": KINDS.DATETIME,
        "GrandTotal": KINDS.CURRENCY,
        "Labor_Hours__c": KINDS.DECIMAL,
        "Safety_Checked__c": KINDS.BOOLEAN,
        "AccountId": KINDS.LOOKUP,
        "OwnerId": KINDS.USER,
    }
    key = FieldSpec(name="Id", type=KINDS.ID, primary_key=True)
    return ObjectSpec(
        name="WorkOrder", fields=(key, *(FieldSpec(name=name, type=kind) for name, kind in kinds.items()))
    )


def deals() -> ObjectSpec:
    """The destination object."""
    stages = tuple(PicklistValue(value=stage) for stage in STAGES.values())
    levels = tuple(PicklistValue(value=level) for level in ("Low", "Medium", "High"))
    return ObjectSpec(
        name="Deals",
        fields=(
            FieldSpec(name="Deal_Name", length=120, required=True),
            FieldSpec(name="Number", length=80),
            FieldSpec(name="Description", type=KINDS.TEXTAREA, length=32_000),
            FieldSpec(name="Stage", type=KINDS.PICKLIST, picklist=stages, required=True),
            FieldSpec(name="Priority", type=KINDS.PICKLIST, picklist=levels),
            FieldSpec(name="Start", type=KINDS.DATETIME),
            FieldSpec(name="Closing_Date", type=KINDS.DATE),
            FieldSpec(name="Amount", type=KINDS.CURRENCY, length=16, scale=2),
            FieldSpec(name="Hours", type=KINDS.DECIMAL, length=16, scale=2),
            FieldSpec(name="Checked", type=KINDS.BOOLEAN),
            FieldSpec(name="Account_Name", type=KINDS.LOOKUP),
            FieldSpec(name="Owner", type=KINDS.USER),
        ),
    )


def load() -> CompiledLoad:
    """The compiled load that is measured."""
    rules = (
        FieldRule(target="Deal_Name", sources=("Subject",)),
        FieldRule(target="Number", sources=("WorkOrderNumber",)),
        FieldRule(target="Description", sources=("Description",)),
        FieldRule(target="Stage", sources=("Status",), value_map="stages"),
        FieldRule(target="Priority", sources=("Priority",)),
        FieldRule(target="Start", sources=("StartDate",)),
        FieldRule(target="Closing_Date", sources=("EndDate",), transform="date"),
        FieldRule(target="Amount", sources=("GrandTotal",)),
        FieldRule(target="Hours", sources=("Labor_Hours__c",)),
        FieldRule(target="Checked", sources=("Safety_Checked__c",)),
        FieldRule(target="Account_Name", sources=("AccountId",), lookup=LookupRule(loads=("clients",))),
        FieldRule(target="Owner", sources=("OwnerId",), owner=True),
    )
    return compile_load(
        Load(key="deals", source_object="WorkOrder", target_object="Deals", fields=rules),
        source=work_orders(),
        target=deals(),
        names={},
        objects={},
        encoding=Encoding(),
        value_maps={"stages": ValueMap(entries=STAGES)},
        platform="servicetracker",
        key_field="Source_System_ID",
    )


def records(count: int) -> list[Record]:
    """Work orders over three years, every one with all fields."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    states = list(STAGES)
    return [
        {
            "Id": f"0WO{index:015d}",
            "WorkOrderNumber": f"{index:08d}",
            "Subject": f"Boiler service, unit {index % 977}",
            "Description": "Annual check of burner and flue.\nReplace filter if worn.",
            "Status": states[index % 4],
            "Priority": ("Low", "Medium", "High")[index % 3],
            "StartDate": (start + timedelta(minutes=17 * index)).isoformat(),
            "EndDate": f"{(start + timedelta(days=index % 1000)).date()}T00:00:00+00:00",
            "GrandTotal": f"{index % 9000}.{index % 100:02d}",
            "Labor_Hours__c": f"{index % 12}.5",
            "Safety_Checked__c": index % 2 == 0,
            "AccountId": f"001{index % 5000:015d}",
            "OwnerId": f"005{index % 12:015d}",
        }
        for index in range(count)
    ]


def main(count: int) -> None:
    """Builds `count` records five times, a page at a time, and prints the best, with and without encoding."""
    compiled = load()
    page = PageContext(
        ids={"clients": {f"001{index:015d}": str(4_150_868_000_000_000_000 + index) for index in range(5000)}},
        users={f"005{index:015d}": str(4_150_868_000_000_900_000 + index) for index in range(12)},
    )
    rows = records(count)
    best_build = best_both = float("inf")
    for _ in range(5):
        building = encoding = 0.0
        for start in range(0, count, PAGE):
            began = time.perf_counter()
            made = [compiled.build(row, page) for row in rows[start : start + PAGE]]
            between = time.perf_counter()
            orjson.dumps([item.payload for item in made])
            encoding += time.perf_counter() - between
            building += between - began
            assert all(item.verdict is None and not item.issues and len(item.payload) == 13 for item in made)
        best_build, best_both = min(best_build, building), min(best_both, building + encoding)
    sys.stdout.write(
        f"{count} records of 12 fields: build {best_build / count * 1e6:.2f} us, "
        f"with orjson {best_both / count * 1e6:.2f} us a record\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
