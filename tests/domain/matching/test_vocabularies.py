"""Tables with a vocabulary of their own: keys called after their table, words in another order, sales called jobs."""

import pytest

from app.domain.matching.columns import Column, Schema, Table
from app.domain.matching.concepts import concepts, meanings
from app.domain.matching.names import spell_out, split
from app.domain.matching.objects import guess_kind
from app.domain.matching.own_keys import named_after
from app.domain.matching.proposal import answer, propose_tables
from app.domain.matching.sides import Reading
from app.domain.matching.systems import find_system
from app.domain.schema import FieldType as T


def table(name: str, *columns: Column | str) -> Table:
    return Table(name, "", tuple(one if isinstance(one, Column) else Column(one) for one in columns))


def proposed(source: Table, to: str = "zoho_crm") -> dict:
    system = find_system(to)
    assert system is not None
    return answer(propose_tables(Schema("", (source,)), system.schema()))["objects"][0]


def field(made: dict, name: str) -> dict:
    return next(one for one in made["fields"] if one["source_field"] == name)


def top(name: str, kind: str) -> str:
    found, _ = meanings((spell_out(split(name)),), kind, frozenset())
    return max(found, key=lambda one: found[one], default="")


@pytest.mark.parametrize(
    ("column", "of", "kind", "how"),
    [
        ("AD_User_ID", "AD_User", "contact", "whole"),
        ("Idcliente", "clientes", "account", "whole"),
        ("AptNum", "appointment", "event", "short"),
        ("AUFTR_NR", "AUFTRAEGE", "deal", "short"),
        ("OpprId", "OOPR", "deal", "short"),
        ("user_id", "tickets", "case", ""),
        ("company_uuid", "companycontact", "contact", ""),
        ("Name", "clientes", "account", ""),
    ],
)
def test_a_key_is_called_like_its_table(column: str, of: str, kind: str, how: str) -> None:
    assert named_after(column, Table(of), kind) == how


@pytest.mark.parametrize(
    ("name", "kind", "meaning"),
    [
        ("LName", "contact", "last_name"),
        ("D_O_B", "contact", "birthdate"),
        ("DateTimeArrived", "event", "check_in"),
        ("modified_timestamp", "account", "modified_time"),
        ("created_by_staff_uuid", "deal", "created_by"),
        ("parent_company_uuid", "account", "parent_account"),
        ("address_city", "account", "city"),
        ("employer_city", "contact", "somebody_else"),
        ("has_boiler", "account", "flag"),
        ("visit_count", "account", "count"),
        ("job_type", "deal", "deal_type"),
        ("doctor_id", "contact", "owner"),
    ],
)
def test_what_a_name_means(name: str, kind: str, meaning: str) -> None:
    assert top(name, kind) == meaning


def test_the_first_of_several_keys_is_no_key() -> None:
    found, _ = meanings((spell_out(split("KEY1")),), "contact", frozenset())
    assert found.get("id", 0.0) < 0.8


def test_every_phrase_means_something_and_none_is_a_filler_alone() -> None:
    book = concepts()
    assert all(phrase and found for phrase, found in book.general.items())
    assert book.of(("type",), "product") == book.of(("type",), "vendor") == book.general.get(("type",), [])


def test_a_job_with_a_price_is_a_sale_and_without_one_a_meeting() -> None:
    priced = table("job", "uuid", "client", "status", "total_price", "start_time")
    plain = table("job", "uuid", "client", "technician", "start_time", "end_time")
    assert guess_kind(priced, None, Reading()).kind == "deal"
    assert guess_kind(plain, None, Reading()).kind == "event"


def test_a_company_with_a_contact_is_no_person() -> None:
    firm = table("customer", "name", "contact_first_name", "contact_last_name", "city")
    assert guess_kind(firm, None, Reading()).kind == "account"


def test_a_status_beside_a_stage_is_left_alone() -> None:
    made = proposed(table("deals", "id", "title", "value", "stage", "status"))
    assert field(made, "stage")["target"] == "Stage"
    assert field(made, "status")["target"] != "Stage"


def test_opt_in_is_never_preselected_for_opt_out() -> None:
    made = proposed(table("contacts", "id", "last_name", "email", Column("email_opt_in", type=T.BOOLEAN)))
    one = field(made, "email_opt_in")
    assert one["band"] != "preselected"
    assert any("says yes where the other says no" in reason for reason in one["reasons"])
    same = proposed(table("contacts", "id", "last_name", "email", Column("email_opt_out", type=T.BOOLEAN)))
    assert field(same, "email_opt_out")["target"] == "Email_Opt_Out"
    assert not any("says yes" in reason for reason in field(same, "email_opt_out")["reasons"])


def test_what_the_destination_alone_fills_is_proposed_to_nobody() -> None:
    made = proposed(table("appointments", "id", "title", "start", "end", "status"))
    assert field(made, "status")["target"] is None


def test_day_and_hour_make_one_moment() -> None:
    made = proposed(table("appointments", "id", "title", Column("date", type=T.DATE), "start_time"))
    aims = {one["target"] for one in made["fields"] if one["source_field"] in {"date", "start_time"}}
    assert "Start_DateTime" in aims
    joined = next(one for one in made["fields"] if (one["transform"] or {}).get("name") == "join")
    assert joined["target"] == "Start_DateTime"


def test_a_field_without_a_counterpart_is_told_so_plainly() -> None:
    made = proposed(table("accounts", "id", "name", "pmt_terms", "credit_limit", "zzqqx"))
    known, odd = field(made, "pmt_terms")["reasons"], field(made, "zzqqx")["reasons"]
    assert known[0].startswith('"pmt_terms" reads as "payment terms", and no field of Accounts holds that')
    assert field(made, "credit_limit")["reasons"][0].startswith('No field of Accounts holds "credit_limit"')
    assert not any(one.startswith(("Nearest", "Against")) for one in known)
    assert odd[0].startswith("No field of Accounts is likely enough")


def test_a_part_that_means_something_is_named_as_the_ground() -> None:
    made = proposed(table("accounts", "id", "name", "zzqqx_tags"))
    one = field(made, "zzqqx_tags")
    assert one["target"] == "Tag"
    assert one["band"] == "choose"
    assert 'A part of "zzqqx_tags" means "tags".' in one["reasons"]
