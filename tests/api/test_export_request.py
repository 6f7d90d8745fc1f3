"""A source without an API: what has to be asked of its vendor can be read by everybody."""

import httpx

from connectors.registry import PLATFORMS


async def test_the_letter_to_the_vendor_is_served(http: httpx.AsyncClient) -> None:
    """It lists every table that the reader knows, the inventory of custom fields, and how long an answer takes."""
    body = (await http.get("/v1/platforms/octopuspro")).json()
    assert body["roles"] == ["source"]
    assert body["credentials"] == []
    letter = body["facts"]["export_request"]
    assert letter == PLATFORMS["octopuspro"].facts["export_request"]
    for word in (
        *("Customers", "Bookings", "Field workers", "Invoices", "Payments", "Quotes", "Services"),
        *("list of all custom fields of customers and of bookings", "five to ten working", "passwords out"),
    ):
        assert word in " ".join(letter.split()), word


async def test_the_pair_pages_say_what_is_promised(http: httpx.AsyncClient) -> None:
    for destination in ("freshsales", "zoho_crm"):
        page = (await http.get(f"/v1/pairs/octopuspro/{destination}")).json()
        assert (page["grade"], page["timeline"], page["one_to_one"], page["rows"]) == ("B", "2–4 weeks", 8, 9)
        assert [one["source_object"] for one in page["objects"]][:3] == ["Customer", "Booking", "Field Worker"]
        assert {one["compatibility"] for one in page["objects"]} == {"full"}
