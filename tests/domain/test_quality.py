"""The preflight scan."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.proposing import propose
from app.domain.quality import HashSet, QualityScan
from tests.domain.tenants import load_blueprint, source_inventory, zoho_inventory

SOURCE, ZOHO = source_inventory(), zoho_inventory()
DOCUMENT = propose(load_blueprint(), SOURCE, ZOHO)


def scan(*records, key=b"secret"):
    made = QualityScan(DOCUMENT, SOURCE, ZOHO, key=key)
    for name, record in records:
        made.add(name, record)
    return made.finish()


def finding(report, code, name, field=None):
    found = [one for one in report.findings if (one.code, one.object) == (code, name) and field in {None, one.field}]
    assert len(found) == 1, report.findings
    return found[0]


def account(number, **more):
    return "Account", {"Id": f"001{number:015}", "Name": f"Client {number}", **more}


def test_clean_records_have_no_findings_and_full_rates():
    report = scan(account(1, Phone="+44 20 7946 0000"), account(2, ParentId=account(1)[1]["Id"]))
    assert report.findings == ()
    fill = {(one.object, one.field): one for one in report.fill}
    assert fill["Account", "Name"].rate == 1
    assert fill["Account", "Phone"].rate == 0.5
    assert fill["Account", "Fax"].filled == 0
    assert report.records == {"Account": 2}


@pytest.mark.parametrize("parent_first", [True, False])
def test_orphans_are_counted_whatever_the_order(parent_first):
    parent, child = account(1), ("Contact", {"Id": "c1", "LastName": "A", "AccountId": account(1)[1]["Id"]})
    lost = "Contact", {"Id": "c2", "LastName": "B", "AccountId": "001missing"}
    records = [parent, child, lost] if parent_first else [lost, child, parent]
    report = scan(*records)
    found = finding(report, "orphan", "Contact")
    assert (found.field, found.count, found.examples) == ("AccountId", 1, ("c2",))


def test_a_polymorphic_reference_is_found_in_any_of_its_objects():
    task = {"Subject": "x", "WhatId": account(1)[1]["Id"]}
    report = scan(account(1), ("Task", {"Id": "t1", **task}), ("Task", {"Id": "t2", "Subject": "x", "WhatId": "02i?"}))
    assert finding(report, "orphan", "Task").examples == ("t2",)


def test_duplicates_ignore_case_and_blanks_and_name_the_later_ones():
    report = scan(
        ("Contact", {"Id": "c1", "Email": "ann@example.com"}),
        ("Contact", {"Id": "c2", "Email": " ANN@example.com"}),
        ("Contact", {"Id": "c3", "Email": "bob@example.com"}),
        account(1, Name="Ⅳ Garden  Café"),
        account(2, Name="ⅳ garden café "),
    )
    assert finding(report, "duplicate_email", "Contact").examples == ("c2",)
    assert finding(report, "duplicate_name", "Account").count == 1


@pytest.mark.parametrize("number", ["n/a", "555 0100 x3", "ask Bob", "12"])
def test_odd_phones(number):
    assert finding(scan(account(1, Phone=number)), "bad_phone", "Account", "Phone").count == 1


@pytest.mark.parametrize("address", ["no at sign", "a@b", "two@@example.com", "a b@example.com"])
def test_bad_emails(address):
    assert finding(scan(("Contact", {"Id": "c1", "Email": address})), "bad_email", "Contact").count == 1


def test_dates_that_cannot_be_meant():
    report = scan(
        account(1, Customer_Since__c="1900-01-01"),
        account(2, Customer_Since__c="2023-02-30"),
        ("ServiceContract", {"Id": "k1", "Name": "K", "StartDate": "2024-05-01", "EndDate": "2024-04-01"}),
    )
    assert finding(report, "odd_date", "Account").examples == (account(1)[1]["Id"],)
    assert finding(report, "bad_date", "Account").examples == (account(2)[1]["Id"],)
    assert finding(report, "ends_before_start", "ServiceContract").count == 1


def test_text_longer_than_its_target():
    report = scan(account(1, Name="x" * 201), account(2, Name="y" * 200))
    found = finding(report, "too_long", "Account")
    assert (found.field, found.limit, found.count) == ("Name → Accounts.Account_Name", 200, 1)


def test_unknown_statuses_are_counted_by_value_and_sealed():
    statuses = ["Open", "in progress ", "Awaiting Parts", "Awaiting Parts", "Lost"]
    report = scan(*(("WorkOrder", {"Id": f"w{at}", "Status": one}) for at, one in enumerate(statuses)))
    found = finding(report, "unknown_value", "WorkOrder", "Status")
    assert found.values == {"Awaiting Parts": 2, "Lost": 1}
    assert found.sealed
    assert found.examples == ("w2", "w3", "w4")
    assert all(not one.values for one in report.public().findings)
    assert report.public().findings[0].count == 3


def test_examples_and_values_stay_bounded():
    records = [("WorkOrder", {"Id": f"w{number}", "Status": f"S{number}"}) for number in range(1_000)]
    found = finding(scan(*records), "unknown_value", "WorkOrder")
    assert (found.count, len(found.examples), len(found.values)) == (1_000, 5, 200)


def test_what_refers_to_a_deleted_record_is_an_orphan_but_a_merged_one_leads_on():
    report = scan(
        account(1, IsDeleted=True),
        account(2, IsDeleted=True, MasterRecordId=account(3)[1]["Id"]),
        account(3),
        ("Contact", {"Id": "c1", "AccountId": account(1)[1]["Id"]}),
        ("Contact", {"Id": "c2", "AccountId": account(2)[1]["Id"]}),
    )
    assert finding(report, "orphan", "Contact").examples == ("c1",)
    assert finding(report, "deleted", "Account").count == 1
    assert finding(report, "merged", "Account").count == 1
    assert report.records["Account"] == 1


def test_an_unknown_object_is_refused():
    with pytest.raises(KeyError):
        scan(("Nothing", {"Id": "1"}))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=300))
def test_the_hash_set_is_a_set(numbers):
    made, known = HashSet(), set()
    for number in numbers:
        assert made.add(number) is (number not in known)
        known.add(number)
    assert len(made) == len(known)
    assert all(number in made for number in known)
    assert not any(number in made for number in {(one + 1) % 2**64 for one in known} - known)


def test_a_large_hash_set_is_small():
    made, draw = HashSet(), random.Random(1)
    for _ in range(50_000):
        made.add(draw.getrandbits(64))
    assert made._slots.itemsize * len(made._slots) <= 50_000 * 32
