"""The generated company: the same for the same seed, in the promised shares, with the promised dirt (section 2)."""

import hashlib
import json
import re
from collections import Counter

import pytest

SHARES = {
    "Account": 8,
    "Contact": 14,
    "Site__c": 6,
    "WorkOrder": 18,
    "Asset": 9,
    "ServiceContract": 4,
    "Product2": 3,
    "ProductConsumed": 12,
    "Task": 12,
    "Event": 4,
    "ServiceAppointment": 3,
    "Note": 2,
    "Invoice__c": 4,
    "Lead": 1,
    "Renewal_Rule__c": 0.5,
}


async def digest(account) -> str:
    async with account.http.stream("GET", "/_sandbox/dump") as answer:
        found = hashlib.sha256()
        async for block in answer.aiter_bytes():
            found.update(block)
    return found.hexdigest()


@pytest.fixture(scope="module")
async def rows(large) -> dict[str, list[dict]]:
    """Every stored row, by object."""
    gathered: dict[str, list[dict]] = {}
    for line in (await large.http.get("/_sandbox/dump")).text.split("\n"):
        if line:
            record = json.loads(line)
            gathered.setdefault(record.pop("_object"), []).append(record)
    return gathered


async def test_the_same_seed_gives_the_same_account(open_account) -> None:
    digests = []
    for settings in ({"seed": 7}, {"seed": 7}, {"seed": 8}):
        async with open_account(scale=300, **settings) as account:
            digests.append(await digest(account))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


async def test_the_clock_does_not_change_the_account(open_account) -> None:
    async with open_account(scale=100) as account:
        first = await digest(account)
        account.clock.advance(days=400)
        await account.http.post("/_sandbox/reset")
        assert await digest(account) == first


async def test_shares(rows) -> None:
    for name, percent in SHARES.items():
        assert len(rows[name]) == 5_000 * percent // 100
    files = sum(len(rows[name]) for name in ("Attachment", "ContentDocument", "ContentVersion", "DigitalSignature"))
    assert 110 <= files + len(rows["ContentDocumentLink"]) <= 160
    assert 10 <= len(rows["ServiceResource"]) <= 30
    kinds = Counter(one["UserType"] for one in rows["User"])
    assert 8 <= kinds["Standard"] <= 15
    assert kinds["CspLitePortal"] == 50
    assert len(rows["Automation_Rule__c"]) == 10
    assert 4_500 <= sum(map(len, rows.values())) <= 5_500


@pytest.mark.parametrize("scale", [1, 100, 150])
async def test_small_accounts_are_whole(open_account, scale: int) -> None:
    async with open_account(scale=scale) as account:
        counts = (await account.http.get("/_sandbox/stats")).json()["records"]
        assert all(counts.values())


def ids(rows, name: str) -> set[str]:
    return {one["Id"] for one in rows[name]}


def share(found: int, of: list) -> float:
    return found / len(of)


async def test_orphans(rows) -> None:
    """About one in a hundred points to a client that was deleted or never existed; all else holds together."""
    living = {one["Id"] for one in rows["Account"] if not one["IsDeleted"]}
    for name in ("WorkOrder", "Contact", "Asset"):
        orphans = [one["AccountId"] for one in rows[name] if one["AccountId"] not in living]
        assert 0.007 <= share(len(orphans), rows[name]) <= 0.013
        assert any(one in ids(rows, "Account") for one in orphans)
        assert any(one not in ids(rows, "Account") for one in orphans)
    prefixes = {one["Id"][:3]: name for name, found in rows.items() for one in found[:1]}
    known = {name: ids(rows, name) for name in rows}
    loose = {"AccountId", "Client__c"}
    for name, found in rows.items():
        for one in found:
            for field, value in one.items():
                if field.endswith(("Id", "__c")) and field not in loose and value != one["Id"]:
                    target = prefixes.get(str(value)[:3])
                    if target and re.fullmatch(r"[0-9A-Za-z]{18}", str(value)):
                        assert value in known[target], (name, field, value)


async def test_duplicates(rows) -> None:
    """Families share an e-mail, twins a name too; clients share a name."""
    contacts = [one for one in rows["Contact"] if one["Email"]]
    by_email = Counter(one["Email"].strip().lower() for one in contacts)
    assert 0.005 <= share(sum(count - 1 for count in by_email.values()), contacts) <= 0.02
    by_person = Counter((one["Email"], one["Name"]) for one in contacts)
    twins = sum(count - 1 for count in by_person.values())
    assert twins >= 1
    assert sum(count - 1 for count in by_email.values()) > twins
    names = Counter(one["Name"] for one in rows["Account"])
    assert 0.004 <= share(sum(count - 1 for count in names.values()), rows["Account"]) <= 0.03


async def test_odd_values(rows) -> None:
    plain = re.compile(r"\+1 \d{3,4} 555 01\d\d")
    odd = [one for one in rows["Contact"] if one["Phone"] and not plain.fullmatch(one["Phone"])]
    assert 0.01 <= share(len(odd), rows["Contact"]) <= 0.03
    emails = [one["Email"] for one in rows["Contact"] if one["Email"]]
    assert any(one != one.strip() for one in emails)
    assert any(one != one.lower() and one == one.strip() for one in emails)
    assert any(one.count("@") != 1 for one in emails)
    statuses = Counter(one["Status"] for one in rows["WorkOrder"])
    unknown = set(statuses) - {"Open", "In Progress", "On Hold", "Completed", "Invoiced"}
    assert unknown
    assert 0.003 <= sum(statuses[one] for one in unknown) / 900 <= 0.008
    assert any(len(one["Subject"]) == 255 for one in rows["WorkOrder"])
    assert any(len(one["Description"] or "") == 40_000 for one in rows["WorkOrder"])
    assert any("<p>" in (one["Body"] or "") for one in rows["Note"])
    names = " ".join(one["Name"] for one in rows["Contact"])
    assert re.search(r"[\u4e00-\u9fff]", names)
    assert re.search(r"[\u0590-\u06ff]", names)
    texts = " ".join(one["Description"] or "" for one in rows["WorkOrder"])
    assert "🔥" in texts
    assert "\r\n" in texts
    assert any(one["Subject"] != one["Subject"].strip() for one in rows["WorkOrder"])
    assert any(one["LastName"] != one["LastName"].strip() for one in rows["Contact"])


async def test_odd_dates(rows) -> None:
    assert any(one["Customer_Since__c"] == "1900-01-01" for one in rows["Account"])
    assert any(one["StartDate"] == "1900-01-01T00:00:00.000Z" for one in rows["WorkOrder"])
    assert any(
        one["StartDate"] in {"2025-03-30T01:00:00.000Z", "2025-10-26T00:30:00.000Z"} for one in rows["WorkOrder"]
    )
    backwards = [one for one in rows["ServiceContract"] if one["EndDate"] and one["EndDate"] < one["StartDate"]]
    assert 1 <= len(backwards) <= 5
    for found in rows.values():
        assert all(one["CreatedDate"] <= one["SystemModstamp"] < "2026-07-01" for one in found)


async def test_deleted_and_merged(rows) -> None:
    for name in ("Account", "Contact"):
        living = {one["Id"] for one in rows[name] if not one["IsDeleted"]}
        merged = [one for one in rows[name] if one["MasterRecordId"]]
        assert merged
        assert all(one["IsDeleted"] and one["MasterRecordId"] in living for one in merged)
        assert any(one["IsDeleted"] and not one["MasterRecordId"] for one in rows[name])


async def test_people_and_owners(rows) -> None:
    """Staff that has a counterpart at the destination, staff that has none, shared and inactive ones."""
    staff = {one["Email"]: one for one in rows["User"] if one["UserType"] == "Standard"}
    assert {f"owner{number}@example.com" for number in (1, 2, 3, 4)} | {"dispatch@example.com"} <= set(staff)
    assert "pat.unmatched@example.org" in staff
    assert len([email for email in staff if email.lower() == "owner2@example.com"]) == 2
    assert not staff["inactive@example.com"]["IsActive"]
    owners = {one["OwnerId"] for one in rows["WorkOrder"]}
    assert {staff["inactive@example.com"]["Id"], staff["OWNER2@Example.com"]["Id"]} <= owners
    portal = [one for one in rows["User"] if one["UserType"] == "CspLitePortal"]
    assert len({one["Username"] for one in portal}) == len(portal)
    contacts = {one["Id"]: one for one in rows["Contact"]}
    same = [one for one in portal if one["Email"] == (contacts[one["ContactId"]]["Email"] or one["Email"])]
    assert len(same) > 0.9 * len(portal)
    technicians = rows["ServiceResource"]
    related = [one for one in technicians if one["RelatedRecordId"]]
    assert len(related) == len(technicians) // 2
    assert any(one["Email__c"] and not one["RelatedRecordId"] for one in technicians)
    assert any(not one["Email__c"] and not one["RelatedRecordId"] for one in technicians)
    assert any(not one["IsActive"] for one in technicians)
    assert any(one["Technician__c"] is None for one in rows["WorkOrder"])


async def test_addresses_are_of_reserved_domains(rows) -> None:
    for name, field in (("User", "Email"), ("Account", "Email__c"), ("Contact", "Email"), ("Lead", "Email")):
        for one in rows[name]:
            for domain in re.findall(r"@([a-z0-9.-]+\.[a-z]+)", (one[field] or "").lower()):
                assert domain in {"example.com", "example.org", "example.net"}


async def test_files(rows, readonly, large) -> None:
    """A 26 MB attachment from a scale of 1,000 on, an empty one, twins, hostile names, files on several records."""
    attachments = rows["Attachment"]
    assert max(one["BodyLength"] for one in attachments) == 26 * 1024 * 1024
    assert any(one["BodyLength"] == 0 for one in attachments)
    assert Counter((one["ParentId"], one["Name"]) for one in attachments).most_common(1)[0][1] == 2
    assert any("../" in one["Name"] for one in attachments)
    assert any("\\" in one["Name"] for one in attachments)
    assert any(not one["Name"].isascii() for one in attachments)
    per_file = Counter(one["ContentDocumentId"] for one in rows["ContentDocumentLink"])
    assert max(per_file.values()) >= 2
    assert any(one["VersionNumber"] == "2" and one["IsLatest"] for one in rows["ContentVersion"])
    small = await readonly.rows("SELECT BodyLength FROM Attachment")
    assert max(one["BodyLength"] for one in small) < 1_000_000
    huge = next(one for one in attachments if one["BodyLength"] > 25_000_000)
    size = 0
    async with large.http.stream("GET", f"/services/data/v59.0/sobjects/Attachment/{huge['Id']}/Body") as answer:
        assert answer.headers["Content-Type"] == "video/mp4"
        async for block in answer.aiter_bytes():
            size += len(block)
    assert size == 26 * 1024 * 1024


async def test_recurring_visits(rows) -> None:
    groups = Counter(one["Recurrence_Group__c"] for one in rows["Event"] if one["Is_Recurring__c"])
    assert set(groups.values()) == {4}
