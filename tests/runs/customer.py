"""The customer's people at a Zoho destination: what they enter and edit, what they find, what a rollback tells."""

from typing import Any

from tests.runs.road import Road


async def create(way: Road, module: str, **values: Any) -> str:
    """What a person makes in the product's pages; the record's id."""
    before = {line.get("id") for line in await way.destination.dump()}
    body = {"action": "create_record", "module": module, "values": values, "as": "owner1@example.com"}
    assert (await way.destination.post("admin", body))["status"] == "success"
    [made] = {line.get("id") for line in await way.destination.dump()} - before
    return str(made)


async def edit(way: Road, module: str, record_id: str, **values: Any) -> None:
    """What a person does in the product's pages."""
    body = {"action": "edit_record", "module": module, "id": record_id, "values": values, "as": "owner1@example.com"}
    assert (await way.destination.post("admin", body))["status"] == "success"


async def theirs(way: Road, former: str, **values: Any) -> str:
    """An account of the customer's that carries a former id already, so that the run takes it over; its id there."""
    named = {"Account_Name": f"Theirs {former}", "Source_System_ID": f"servicetracker:Account:{former}"}
    return await create(way, "Accounts", **{**named, **values})


def filled(data: dict[str, Any]) -> dict[str, Any]:
    """A record without its blanks."""
    return {key: value for key, value in data.items() if value not in (None, "", [])}


async def by_id(way: Road) -> dict[str, dict[str, Any]]:
    """All records that stand there, without their blanks."""
    return {line["id"]: filled(line["data"]) for line in await way.destination.dump() if "data" in line}


async def rollback_report(way: Road) -> dict[str, Any]:
    """The report of the latest rollback."""
    reports = await way.reports(way.runs["rollback"])
    found: dict[str, Any] = next(body for kind, _, body in reports if kind == "rollback")["rollback"]
    return found
