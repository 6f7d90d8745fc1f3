"""Files, links, products and quotes (Freshsales fact sheet sections 6, 8 and 17)."""

import hashlib

import orjson
import pytest

from tests.sandboxes.freshsales.fresh_kit import Fresh, Json, Start


async def upload(fresh: Fresh, key: int, content: bytes = b"bytes", **more: str) -> int:
    data = {"targetable_id": str(key), "targetable_type": "Contact", **more}
    answer = await fresh.post("documents", data=data, files={"file": ("a.txt", content)})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"id", "msg", "url"}
    return int(answer.json()["id"])


async def test_section_8_a_file_keeps_name_and_bytes(fresh: Fresh) -> None:
    key = await fresh.contact()
    made = await upload(fresh, key, b"\x00\xff" * 1000, file_name="../ünique.bin")
    answer = await fresh.good("GET", f"contacts/{key}/document_associations")
    assert answer["documents"][0] | {"created_at": ""} == {
        "id": made, "name": "ünique.bin", "is_shared": False, "created_at": "", "content_file_name": "ünique.bin",
        "content_file_size": 2000,
    }  # fmt: skip
    assert answer["meta"] == {"total": 1, "total_pages": 1}
    lines = (await fresh.get("/_sandbox/dump?module=file")).text.splitlines()
    assert orjson.loads(lines[0])["data"]["sha256"] == hashlib.sha256(b"\x00\xff" * 1000).hexdigest()


async def test_section_8_no_download_and_no_delete(fresh: Fresh) -> None:
    made = await upload(fresh, await fresh.contact())
    for method in ("GET", "DELETE"):
        assert (await fresh.call(method, f"documents/{made}")).status_code == 404


async def test_section_8_size_and_target_of_a_file(start: Start) -> None:
    fresh = await start(file_limit_mb=1)
    key = await fresh.contact()
    data = {"targetable_id": str(key), "targetable_type": "Contact"}
    for size in (1024 * 1024 + 1, 3 * 1024 * 1024):
        big = await fresh.post("documents", data=data, files={"file": ("a.txt", b"x" * size)})
        assert (big.status_code, "1 MB" in big.text) == (400, True)
    for target in ({"targetable_id": "1", "targetable_type": "Contact"}, {"targetable_id": str(key)},
                   {"targetable_id": str(key), "targetable_type": "cm_x"}):  # fmt: skip
        assert (await fresh.post("documents", data=target, files={"file": ("a.txt", b"x")})).status_code == 400
    assert (await fresh.post("documents", data=data)).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=b"}
    assert (await fresh.post("documents", content=b"--b\r\nnonsense", headers=broken)).status_code == 400


async def test_section_8_links_are_bare(fresh: Fresh) -> None:
    key = await fresh.contact()
    body = {"url": "https://x.example/a", "targetable_id": key, "targetable_type": "Contact", "name": "Plan"}
    assert set(await fresh.good("POST", "document_links", body)) == {"id", "msg", "url"}
    assert (await fresh.post("document_links", {"document_link": body})).status_code == 400
    assert await fresh.refused("POST", "document_links", {**body, "url": "javascript:alert(1)"})
    (link,) = (await fresh.good("GET", f"contacts/{key}/document_associations"))["document_links"]
    assert (link["url"], link["name"]) == ("https://x.example/a", "Plan")


async def product(fresh: Fresh, **more: object) -> Json:
    answer: Json = await fresh.good("POST", "cpq/products", {"product": {"name": "Filter", **more}})
    return dict(answer["product"])


async def test_section_6_product_and_prices(fresh: Fresh) -> None:
    made = await product(fresh, category="Parts", sku_number="S-1", is_active=True)
    assert (made["category"], made["pricing_type"], made["base_currency_amount"]) == ("Parts", 0, None)
    path = f"cpq/products/{made['id']}?include=product_pricings"
    prices = [{"currency_code": "USD", "unit_price": 1000}, {"currency_code": "EUR", "unit_price": "9.5"}]
    body = {"product": {"pricing_type": 1, "product_pricings": prices}}
    shown = (await fresh.good("PUT", path, body))["product"]
    assert shown["base_currency_amount"] == 1000
    assert [(row["currency_code"], row["unit_price"]) for row in shown["product_pricings"]] == [
        ("USD", 1000), ("EUR", 9.5),
    ]  # fmt: skip
    gone = [{"id": shown["product_pricings"][0]["id"], "_destroy": True}]
    shown = (await fresh.good("PUT", path, {"product": {"product_pricings": gone}}))["product"]
    assert [row["currency_code"] for row in shown["product_pricings"]] == ["EUR"]
    wrong = {"product": {"product_pricings": [{"currency_code": "XXX", "unit_price": 1}]}}
    assert await fresh.refused("PUT", path, wrong) == ["Currency code is invalid"]
    assert await fresh.refused("POST", "cpq/products", {"product": {"category": "x"}}) == ["Name can't be empty"]


async def test_section_5_a_line_takes_the_price_of_the_book(fresh: Fresh) -> None:
    made = await product(fresh, pricing_type=1, product_pricings=[{"currency_code": "USD", "unit_price": 20}])
    key = await fresh.deal()
    deal = (await fresh.good("PUT", f"deals/{key}", {"deal": {"products": [{"id": made["id"], "quantity": 3}]}}))[
        "deal"
    ]
    assert (deal["amount"], deal["products"][0]["unit_price"]) == ("60.0", "20.0")


@pytest.mark.parametrize("words", ["success", "msg"])
async def test_section_17_products_are_restored_by_api(start: Start, words: str) -> None:
    fresh = await start(product_delete=words)
    key = (await product(fresh))["id"]
    expected = {"success": "200"} if words == "success" else {"msg": {"id": key, "code": "success"}}
    assert await fresh.good("DELETE", f"cpq/products/{key}") == expected
    assert (await fresh.get(f"cpq/products/{key}")).status_code == 404
    assert (await fresh.good("PUT", f"cpq/products/{key}/restore"))["product"]["is_deleted"] is False
    await fresh.good("POST", "cpq/products_bulk_delete", {"selected_ids": [key]})
    assert (await fresh.good("GET", "cpq/products"))["products"] == []
    await fresh.good("POST", "cpq/products_bulk_restore", {"selected_ids": [key]})
    await fresh.good("PUT", "cpq/products_bulk_update", {"ids": [key], "product": {"category": "New"}})
    (row,) = (await fresh.good("GET", "cpq/products"))["products"]
    assert row["category"] == "New"
    rule = {"filter_rule": [{"attribute": "name", "operator": "is_in", "value": "filter"}]}
    assert [row["id"] for row in (await fresh.good("POST", "cpq/products/filterize", rule))["products"]] == [key]


async def test_section_2_products_are_found_by_custom_fields(fresh: Fresh) -> None:
    name = await fresh.field("product", "Legacy")
    key = (await product(fresh, custom_field={name: "K-7"}))["id"]
    for value, ids in (("k-7", [key]), ("K-8", [])):
        rule = {"filter_rule": [{"attribute": name, "operator": "is_in", "value": [value]}]}
        found = (await fresh.good("POST", "cpq/products/filterize", rule))["products"]
        assert [row["id"] for row in found] == ids


async def test_section_6_quotes(fresh: Fresh) -> None:
    deal, made = await fresh.deal(), await product(fresh)
    assert await fresh.refused("POST", "cpq/cpq_documents", {"cpq_document": {"display_name": "Q"}}) == [
        "Deal can't be empty"
    ]
    body = {"deal_id": deal, "document_type": "Quote", "display_name": "Q", "valid_till": "2026-05-01", "amount": 5}
    quote = (await fresh.good("POST", "cpq/cpq_documents", {"cpq_document": body}))["cpq_document"]
    assert (quote["document_number"], quote["amount"], quote["signatures"]) == ("DOC-1", "5.0", [])
    path = f"cpq/cpq_documents/{quote['id']}"
    lines = {"cpq_document": {"products": [{"id": made["id"], "unit_price": 7}]}}
    assert (await fresh.good("PUT", f"{path}?include=products", lines))["cpq_document"]["amount"] == "7.0"
    assert (await fresh.good("GET", f"{path}/related_products"))["products"][0]["id"] == made["id"]
    assert await fresh.good("DELETE", path) == {"msg": {"id": quote["id"], "code": "success"}}
    assert (await fresh.get(path)).status_code == 404
    assert (await fresh.good("PUT", f"{path}/restore"))["cpq_document"]["id"] == quote["id"]
    assert (await fresh.good("DELETE", f"{path}/forget"))["msg"]["code"] == "success"
