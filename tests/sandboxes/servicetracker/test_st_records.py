"""Single records: read, write, external ids, bytes, deletions, changes (source fact sheet sections 1.2, 1.6, 1.7)."""

import asyncio
import base64
import hashlib

import pytest

from connectors.servicetracker.sandbox.ids import IdMaker, full_id, suffix

BASE = "/services/data/v59.0"


def test_the_checksum_of_an_id() -> None:
    """Section 1.3: 15 characters become 18; the pair is the vendor's published example."""
    assert suffix("001D000000IRFma") == "IAH"
    assert full_id("001D000000IRFma") == full_id("001D000000IRFmaIAH") == "001D000000IRFmaIAH"
    assert full_id("001D000000IRFm") is None
    made = [IdMaker("001")(number) for number in (1, 61, 62, 3_843, 3_844, 238_328, 916_132_831)]
    assert all(full_id(one[:15]) == one for one in made)
    assert made == sorted(made)


async def test_a_record_is_created_read_changed_and_deleted(empty) -> None:
    """Section 1.2: 201 with id, 204, 204; section 1.3: datetimes as +0000, numbers as numbers."""
    answer = await empty.http.post(
        f"{BASE}/sobjects/Account",
        json={"Name": "Quiet Mill", "Credit_Limit__c": 1250.5, "On_Stop__c": True, "BillingCity": "Mossdale"},
    )
    assert (answer.status_code, set(answer.json())) == (201, {"id", "success", "errors"})
    record_id = answer.json()["id"]
    record = (await empty.get(f"/sobjects/Account/{record_id}")).json()
    assert record["attributes"] == {"type": "Account", "url": f"{BASE}/sobjects/Account/{record_id}"}
    assert record["SystemModstamp"] == record["CreatedDate"] == "2026-07-01T12:00:00.000+0000"
    assert (record["Credit_Limit__c"], record["On_Stop__c"], record["IsDeleted"]) == (1250.5, True, False)
    assert record["BillingAddress"]["city"] == "Mossdale"
    assert record["ShippingAddress"] is None

    empty.clock.advance(minutes=5)
    changed = await empty.http.patch(
        f"{BASE}/sobjects/Account/{record_id}", json={"Phone": "555 0100", "BillingCity": ""}
    )
    assert (changed.status_code, changed.content) == (204, b"")
    few = (await empty.get(f"/sobjects/Account/{record_id[:15]}?fields=Phone,SystemModstamp,BillingCity")).json()
    assert few["Phone"] == "555 0100"
    assert few["SystemModstamp"] == "2026-07-01T12:05:00.000+0000"
    assert few["BillingCity"] is None
    assert "Name" not in few

    assert (await empty.http.delete(f"{BASE}/sobjects/Account/{record_id}")).status_code == 204
    gone = await empty.get(f"/sobjects/Account/{record_id}")
    assert (gone.status_code, gone.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert await empty.ids(f"SELECT Id FROM Account WHERE Id = '{record_id}'") == []
    assert await empty.ids(f"SELECT Id FROM Account WHERE Id = '{record_id}'", everything=True) == [record_id]


@pytest.mark.parametrize(
    ("sobject", "values", "code", "fields"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ("Account", {"Name": ""}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ("Account", {"Name": "A", "Colour": "red"}, "INVALID_FIELD", None),
        ("Account", {"Name": "A" * 256}, "STRING_TOO_LONG", ["Name"]),
        (
            "Account",
            {"Name": "A", "CreatedDate": "2024-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["CreatedDate"],
        ),
        ("Account", {"Name": "A", "Email__c": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email__c"]),
        ("Account", {"Name": "A", "Credit_Limit__c": "much"}, "JSON_PARSER_ERROR", ["Credit_Limit__c"]),
        ("Account", {"Name": "A", "Credit_Limit__c": 10**17}, "NUMBER_OUTSIDE_VALID_RANGE", ["Credit_Limit__c"]),
        ("Account", {"Name": "A", "On_Stop__c": "perhaps"}, "JSON_PARSER_ERROR", ["On_Stop__c"]),
        ("Account", {"Name": "A", "Customer_Since__c": "31/12/2020"}, "JSON_PARSER_ERROR", ["Customer_Since__c"]),
        ("Account", {"Name": "A", "Customer_Since__c": "2023-02-30"}, "JSON_PARSER_ERROR", ["Customer_Since__c"]),
        ("Account", {"Name": "A", "ParentId": "001"}, "MALFORMED_ID", ["ParentId"]),
        ("Account", {"Name": "A", "ParentId": IdMaker("003")(1)}, "MALFORMED_ID", ["ParentId"]),
        ("Account", {"Name": "A", "ParentId": IdMaker("001")(99)}, "INVALID_CROSS_REFERENCE_KEY", ["ParentId"]),
        ("Account", {"Name": "A", "Customer_Since__c": "2023-02-03x"}, "JSON_PARSER_ERROR", ["Customer_Since__c"]),
        ("Account", {"Name": ["A"]}, "JSON_PARSER_ERROR", ["Name"]),
        ("WorkOrder", {"WorkOrderNumber": "1"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["WorkOrderNumber"]),
        ("Attachment", {"Name": "a", "Body": "%%"}, "JSON_PARSER_ERROR", ["Body"]),
    ],
)
async def test_writes_that_are_refused(empty, sobject, values, code, fields) -> None:
    """Section 1.6: 400, an array, the code and the fields; nothing is stored."""
    answer = await empty.http.post(f"{BASE}/sobjects/{sobject}", json=values)
    (error,) = answer.json()
    assert (answer.status_code, error["errorCode"], error.get("fields")) == (400, code, fields)
    assert await empty.ids(f"SELECT Id FROM {sobject}", everything=True) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"Name": NaN}', b"\xff", b"[" * 100_000])
async def test_bodies_that_are_no_json_object(empty, body: bytes) -> None:
    answer = await empty.http.post(f"{BASE}/sobjects/Account", content=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


async def test_half_a_character_is_no_text(empty) -> None:
    answer = await empty.http.post(f"{BASE}/sobjects/Account", content=rb'{"Name": "\ud800"}')
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("names", ["COUNT()", "Name) FROM Account", "Colour", ",", "Owner.Colour", "Shop.Name"])
async def test_fields_of_a_record_that_are_none(empty, names: str) -> None:
    record_id = await empty.create("Account", Name="A")
    answer = await empty.get(f"/sobjects/Account/{record_id}", params={"fields": names})
    assert answer.status_code == 400
    assert isinstance(answer.json(), list)


async def test_writes_and_reads_side_by_side(empty) -> None:
    """Each record gets an id and a number of its own, whoever else is reading."""
    calls = [empty.create("WorkOrder", Subject=str(number)) for number in range(30)]
    reads = [empty.rows("SELECT Id FROM WorkOrder") for _ in range(30)]
    made = (await asyncio.gather(*calls, *reads))[:30]
    rows = await empty.rows("SELECT Id, WorkOrderNumber FROM WorkOrder")
    assert {one["Id"] for one in rows} == set(made)
    assert [one["WorkOrderNumber"] for one in rows] == [f"{number:08d}" for number in range(1, 31)]


async def test_unknown_and_malformed_ids(empty) -> None:
    """Section 1.6: MALFORMED_ID is 400, an unknown record 404 NOT_FOUND."""
    for call in (empty.http.get, empty.http.delete):
        answer = await call(f"{BASE}/sobjects/Account/xyz")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MALFORMED_ID")
        answer = await call(f"{BASE}/sobjects/Account/{IdMaker('001')(12345)}")
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


async def test_unlisted_picklist_values_are_stored(empty) -> None:
    """Section 2: expect extra status values."""
    record_id = await empty.create("WorkOrder", Status="Awaiting Parts")
    assert (await empty.get(f"/sobjects/WorkOrder/{record_id}")).json()["Status"] == "Awaiting Parts"


async def test_numbers_and_names_the_platform_gives(empty) -> None:
    first, second = await empty.create("WorkOrder"), await empty.create("WorkOrder", Status="On Hold")
    rows = await empty.rows("SELECT Id, WorkOrderNumber, Status FROM WorkOrder ORDER BY WorkOrderNumber")
    assert [(one["Id"], one["WorkOrderNumber"], one["Status"]) for one in rows] == [
        (first, "00000001", "Open"),
        (second, "00000002", "On Hold"),
    ]
    contact = await empty.create("Contact", LastName="Nine", FirstName="Ada")
    await empty.http.patch(f"{BASE}/sobjects/Contact/{contact}", json={"FirstName": None})
    assert (await empty.get(f"/sobjects/Contact/{contact}")).json()["Name"] == "Nine"


async def test_records_by_external_id(empty) -> None:
    """Section 1.2: one record, 404 for none, 300 with a list of URLs for several."""
    one = await empty.create("Account", Name="One", AccountNumber="A/1 b")
    assert (await empty.get("/sobjects/Account/AccountNumber/A%2F1%20b")).json()["Id"] == one
    none = await empty.get("/sobjects/Account/AccountNumber/A2")
    assert (none.status_code, none.json()[0]["errorCode"]) == (404, "NOT_FOUND")
    other = await empty.create("Account", Name="Two", AccountNumber="A/1 b")
    several = await empty.get("/sobjects/Account/AccountNumber/A%2F1%20b")
    assert several.status_code == 300
    assert several.json() == [f"{BASE}/sobjects/Account/{one}", f"{BASE}/sobjects/Account/{other}"]
    assert (await empty.get("/sobjects/Account/Phone/555")).status_code == 404


async def test_generated_bytes(readonly) -> None:
    """Sections 1.2 and 1.8: raw bytes of attachments, file versions and signatures; queries hold a URL."""
    for sobject, field, size, kind in (
        ("Attachment", "Body", "BodyLength", "ContentType"),
        ("ContentVersion", "VersionData", "ContentSize", "FileType"),
        ("DigitalSignature", "DocumentBody", None, "DocumentContentType"),
    ):
        names = ", ".join(filter(None, ("Id", field, size, kind, "Checksum" if sobject == "ContentVersion" else None)))
        for row in await readonly.rows(f"SELECT {names} FROM {sobject}"):
            assert row[field] == f"{BASE}/sobjects/{sobject}/{row['Id']}/{field}"
            answer = await readonly.http.get(row[field])
            data = answer.content
            assert answer.headers["Content-Length"] == str(len(data))
            assert size is None or len(data) == row[size]
            if "Checksum" in row:
                assert hashlib.md5(data, usedforsecurity=False).hexdigest() == row["Checksum"]
            magic = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff", "pdf": b"%PDF-1.4"}
            for name, head in magic.items():
                if row[kind].lower().endswith(name):
                    assert data.startswith(head)
            assert (await readonly.http.get(row[field])).content == data


async def test_uploaded_bytes(empty) -> None:
    work = await empty.create("WorkOrder")
    data = bytes(range(256)) * 10
    text = base64.b64encode(data).decode()
    attachment = await empty.create("Attachment", ParentId=work, Name="a.bin", Body=text)
    assert (await empty.get(f"/sobjects/Attachment/{attachment}/Body")).content == data
    assert (await empty.get(f"/sobjects/Attachment/{attachment}")).json()["BodyLength"] == len(data)
    bare = await empty.create("Attachment", ParentId=work, Name="empty")
    assert (await empty.get(f"/sobjects/Attachment/{bare}/Body")).content == b""


async def test_file_versions_and_links(empty) -> None:
    """Section 1.8: a document, its versions with MD5 and number, a link to where it was published."""
    work = await empty.create("WorkOrder")
    first = await empty.create(
        "ContentVersion", PathOnClient="photos/roof.JPG", VersionData="QUJD", FirstPublishLocationId=work
    )
    document = (await empty.rows("SELECT Id, Title, FileExtension, LatestPublishedVersionId FROM ContentDocument"))[0]
    assert (document["Title"], document["FileExtension"]) == ("roof", "jpg")
    links = await empty.rows(
        f"SELECT LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '{document['Id']}'"
    )
    assert links == [{"LinkedEntityId": work}]
    second = await empty.create(
        "ContentVersion", PathOnClient="roof.jpg", VersionData="QUI=", ContentDocumentId=document["Id"]
    )
    rows = await empty.rows("SELECT Id, VersionNumber, IsLatest, Checksum FROM ContentVersion ORDER BY VersionNumber")
    assert [(one["Id"], one["VersionNumber"], one["IsLatest"]) for one in rows] == [
        (first, "1", False),
        (second, "2", True),
    ]
    assert rows[0]["Checksum"] == hashlib.md5(b"ABC", usedforsecurity=False).hexdigest()
    assert (await empty.rows("SELECT LatestPublishedVersionId FROM ContentDocument"))[0][
        "LatestPublishedVersionId"
    ] == second


async def test_deleted_and_updated(empty) -> None:
    """Section 1.7: ids with their moment; reach of 15 and 30 days; at least a minute; latestDateCovered."""
    kept, gone = await empty.create("Account", Name="Kept"), await empty.create("Account", Name="Gone")
    empty.clock.advance(minutes=10)
    await empty.http.delete(f"{BASE}/sobjects/Account/{gone}")
    empty.clock.advance(minutes=10)
    window = {"start": "2026-07-01T12:05:00+00:00", "end": "2026-07-01T12:20:00+00:00"}
    body = (await empty.get("/sobjects/Account/deleted/", params=window)).json()
    assert body == {
        "deletedRecords": [{"id": gone, "deletedDate": "2026-07-01T12:10:00.000+0000"}],
        "earliestDateAvailable": "2026-06-16T12:20:00.000+0000",
        "latestDateCovered": "2026-07-01T12:20:00.000+0000",
    }
    window["start"] = "2026-07-01T12:00:00Z"
    body = (await empty.get("/sobjects/Account/updated/", params=window)).json()
    assert body == {"ids": [kept], "latestDateCovered": "2026-07-01T12:20:00.000+0000"}


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"start": "yesterday", "end": "today"},
        {"start": "2026-07-01T11:59:30Z", "end": "2026-07-01T12:00:00Z"},
        {"start": "2026-06-15T00:00:00Z", "end": "2026-07-01T12:00:00Z"},
    ],
)
async def test_windows_that_are_refused(empty, window: dict[str, str]) -> None:
    answer = await empty.get("/sobjects/Account/deleted", params=window)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


async def test_collections_of_records(empty) -> None:
    """Section 1.2: up to 200 records in a call, each with a result of its own."""
    url = f"{BASE}/composite/sobjects"
    good, bad = {"attributes": {"type": "Account"}, "Name": "A"}, {"attributes": {"type": "Account"}}
    results = (await empty.http.post(url, json={"records": [good, bad, {"attributes": {"type": "X"}}]})).json()
    assert [one["success"] for one in results] == [True, False, False]
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    results = (await empty.http.post(url, json={"allOrNone": True, "records": [good, bad]})).json()
    assert [one["success"] for one in results] == [False, False]
    assert len(await empty.ids("SELECT Id FROM Account")) == 1
    hostile = [5, {"attributes": []}, {"attributes": {"type": []}}, {"attributes": {"type": "Account"}, "Name": {}}]
    results = (await empty.http.post(url, json={"records": hostile})).json()
    assert [one["success"] for one in results] == [False] * 4
    for records in ([], [good] * 201, "x"):
        assert (await empty.http.post(url, json={"records": records})).status_code == 400
