"""Fact sheet section 18: bulk write and bulk read."""

import asyncio
import csv
import io
import zipfile
from typing import Any

import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Json, Zoho


def zipped(text: str, name: str = "rows.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, text)
    return out.getvalue()


async def upload(zoho: Zoho, content: bytes) -> Any:
    org = (await zoho.get("org")).json()["org"][0]["zgid"]
    headers = {"feature": "bulk-write", "X-CRM-ORG": org}
    return await zoho.post("upload", files={"file": ("rows.zip", content)}, headers=headers)


async def write(
    zoho: Zoho, module: str, text: str, mappings: list[Json], operation: str = "insert", **more: Any
) -> Json:
    """Runs a bulk write to its end and answers the job."""
    uploaded = (await upload(zoho, zipped(text))).json()
    assert (uploaded["code"], uploaded["message"]) == ("FILE_UPLOAD_SUCCESS", "file uploaded.")
    file_id = uploaded["details"]["file_id"]
    resource = {"type": "data", "module": {"api_name": module}, "file_id": file_id, "field_mappings": mappings, **more}
    made = await zoho.post("/crm/bulk/v8/write", {"operation": operation, "resource": [resource], "ignore_empty": True})
    assert made.status_code == 201, made.text
    return await ended(zoho, f"/crm/bulk/v8/write/{made.json()['details']['id']}")


async def ended(zoho: Zoho, path: str) -> Json:
    for _ in range(200):
        job: Json = (await zoho.get(path)).json()
        inner = job["data"][0] if "data" in job else job
        if inner.get("status") in ("COMPLETED", "FAILED") or inner.get("state") == "COMPLETED":
            return inner
        await asyncio.sleep(0.005)
    raise AssertionError("the job did not end")


async def rows_of(zoho: Zoho, url: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(io.BytesIO((await zoho.get(url)).content)) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    return list(csv.DictReader(io.StringIO(text)))


async def test_section_18_insert_and_result_file(zoho: Zoho) -> None:
    (account,) = await zoho.create("Accounts", {"Account_Name": "Harbor"})
    text = "Name,Mail,Birth,Account,Out\nA,a@example.com,05/06/1990,Harbor,true\nB,nobody,,,\n,c@example.com,,,\n"
    mappings = [
        {"api_name": "Last_Name", "index": 0}, {"api_name": "Email", "index": 1}, {"api_name": "Date_of_Birth",
        "index": 2},
        {"api_name": "Account_Name", "index": 3, "find_by": "Account_Name"}, {"api_name": "Email_Opt_Out", "index": 4},
        {"api_name": "Title", "default_value": {"value": "Moved"}},
    ]  # fmt: skip
    job = await write(zoho, "Contacts", text, mappings)
    counts = job["resource"][0]["file"]
    assert (job["status"], counts["added_count"], counts["skipped_count"], counts["total_count"]) == (
        "COMPLETED",
        1,
        2,
        3,
    )
    rows = await rows_of(zoho, job["result"]["download_url"])
    assert list(rows[0]) == ["Name", "Mail", "Birth", "STATUS", "RECORD_ID", "ERRORS"]
    assert [row["STATUS"] for row in rows] == ["ADDED", "SKIPPED", "SKIPPED"]
    assert [row["ERRORS"] for row in rows[1:]] == ["INVALID_DATA-Email", "MANDATORY_NOT_FOUND-Last_Name"]
    stored = await zoho.record("Contacts", rows[0]["RECORD_ID"])
    assert (stored["Date_of_Birth"], stored["Account_Name"]["id"], stored["Title"]) == ("1990-05-06", account, "Moved")
    assert stored["Email_Opt_Out"] is True


async def test_section_18_upsert_and_update_find_by_a_unique_field(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Source Id", external={"type": "org"})
    await zoho.create("Leads", {"Last_Name": "Old", "Source_Id": "1"})
    mappings = [{"api_name": "Source_Id", "index": 0}, {"api_name": "Last_Name", "index": 1}]
    job = await write(zoho, "Leads", "k,n\n1,New\n2,Fresh\n", mappings, "upsert", find_by="Source_Id")
    counts = job["resource"][0]["file"]
    assert (counts["updated_count"], counts["added_count"]) == (1, 1)
    job = await write(zoho, "Leads", "k,n\n2,Changed\n3,None\n", mappings, "update", find_by="Source_Id")
    counts = job["resource"][0]["file"]
    assert (counts["updated_count"], counts["skipped_count"]) == (1, 1)
    names = (await zoho.get("Leads?fields=Last_Name&sort_order=asc")).json()["data"]
    assert [row["Last_Name"] for row in names] == ["New", "Changed"]


@pytest.mark.parametrize("module", ["Events", "Calls", "Notes", "Quotes"])
async def test_section_18_modules_outside_the_list(zoho: Zoho, module: str) -> None:
    body = {"operation": "insert", "resource": [{"module": {"api_name": module}}]}
    assert (await zoho.post("/crm/bulk/v8/write", body)).json()["code"] == "NOT_SUPPORTED"


async def test_section_18_upload_and_job_errors(zoho: Zoho) -> None:
    assert (await upload(zoho, b"no zip")).json()["code"] == "INVALID_FILE_FORMAT"
    assert (await zoho.post("upload", files={"file": ("a.zip", zipped("a"))})).status_code == 400
    missing = await zoho.get("/crm/bulk/v8/write/1")
    assert (missing.status_code, missing.json()["code"]) == (404, "RESOURCE_NOT_FOUND")
    rows = "n\n" + "x\n" * 25_001
    job = await write(zoho, "Leads", rows, [{"api_name": "Last_Name", "index": 0}])
    assert (job["status"], job["resource"][0]["code"]) == ("FAILED", "ROW_LIMIT_EXCEEDED")
    wide = ",".join(str(n) for n in range(201)) + "\n"
    job = await write(zoho, "Leads", wide, [{"api_name": "Last_Name", "index": 0}])
    assert job["resource"][0]["code"] == "HEADER_LIMIT_EXCEEDED"


async def test_section_18_bulk_read_with_criteria(zoho: Zoho) -> None:
    owner = await zoho.user("admin@example.com")
    one, two, _ = await zoho.create("Leads", *({"Last_Name": f"L{n}", "No_of_Employees": n} for n in range(1, 4)))
    condition = {"field": {"api_name": "No_of_Employees"}, "comparator": "less_than", "value": 3}
    query = {"module": {"api_name": "Leads"}, "fields": ["id", "Last_Name", "Owner"], "criteria": condition}
    made = await zoho.post("/crm/bulk/v8/read", {"query": query})
    assert (made.status_code, made.json()["data"][0]["code"]) == (201, "ADDED_SUCCESSFULLY")
    job = await ended(zoho, f"/crm/bulk/v8/read/{made.json()['data'][0]['details']['id']}")
    assert (job["result"]["count"], job["result"]["per_page"], job["result"]["more_records"]) == (2, 200_000, False)
    rows = await rows_of(zoho, job["result"]["download_url"])
    assert rows == [{"Id": one, "Last_Name": "L1", "Owner": owner}, {"Id": two, "Last_Name": "L2", "Owner": owner}]
    assert (await zoho.post("/crm/bulk/v8/read", {"query": {**query, "fields": ["Nope"]}})).status_code == 400
