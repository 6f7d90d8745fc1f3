"""Years of two digits: read where one century is plausible, asked about where two are."""

import pytest

from connectors.clinic.source import ClinicSource
from connectors.column_values import date_reader, resolved_kind, resolved_order, resolved_pivot
from connectors.column_votes import ColumnProfile, ColumnVote, Kind
from connectors.errors import ContractBroken
from tests.connectors.shelf_kit import Shelf, upload_context, whole

NOW = 2026


def voted(name: str, *values: str) -> ColumnProfile:
    vote = ColumnVote(name, name, 0, NOW)
    vote.add(list(values))
    return vote.profile()


def read(profile: ColumnProfile, answer: str, *values: str) -> list[str]:
    order, pivot = resolved_order(profile, ""), resolved_pivot(profile, answer)
    assert order is not None
    assert pivot is not None
    return [date_reader(order, pivot)(value) for value in values]


BIRTHS = ("31/12/24", "31/12/15", "31/12/27", "31/12/85")


@pytest.mark.parametrize("name", ["Date of Birth", "DOB", "birth_date", "BirthDate", "Geburtsdatum", "né le"])
def test_a_day_of_birth_that_both_centuries_could_have_is_asked_about(name: str) -> None:
    profile = voted(name, *BIRTHS)
    assert profile.kind is Kind.TEXT
    (question,) = profile.questions()
    assert (question.code, question.choices) == ("century", ("this-century", "last-century"))
    assert question.suggested == "this-century"
    assert question.examples == ("24: 1924 or 2024",)
    assert resolved_pivot(profile, "") is None
    assert resolved_kind(profile, "", "this-century") is Kind.DATE
    # 2015: nobody is a hundred and eleven; 1927: nobody is born next year
    plain = ["2015-12-31", "1927-12-31", "1985-12-31"]
    assert read(profile, "this-century", *BIRTHS) == ["2024-12-31", *plain]
    assert read(profile, "last-century", *BIRTHS) == ["1924-12-31", *plain]


def test_births_with_one_plausible_reading_each_need_no_question() -> None:
    profile = voted("DOB", "13/04/55", "31/12/99", "31/12/03")
    assert (profile.kind, profile.questions()) == (Kind.DATE, [])
    assert [one.code for one in profile.findings] == ["two-digit-years"]
    assert read(profile, "", "13/04/55", "31/12/99", "31/12/03") == ["1955-04-13", "1999-12-31", "2003-12-31"]


def test_days_of_business_go_by_the_rule_and_are_told() -> None:
    profile = voted("Booking Date", "31/12/24", "30/11/85", "13/04/35")
    assert (profile.kind, profile.questions()) == (Kind.DATE, [])
    assert [(one.code, one.count) for one in profile.findings] == [("two-digit-years", 3)]
    assert read(profile, "", "31/12/24", "30/11/85", "13/04/35") == ["2024-12-31", "1985-11-30", "2035-04-13"]


def test_what_expires_may_lie_far_ahead() -> None:
    assert read(voted("Policy valid until", "31/12/58"), "", "31/12/58") == ["2058-12-31"]


def test_a_column_without_a_telling_name_is_judged_by_its_years() -> None:
    """Nobody made an appointment in 1952: these are days of birth, so 24 is asked about."""
    assert [one.code for one in voted("Datum 2", "31/12/24", "30/11/52").questions()] == ["century"]
    assert voted("Datum 2", "31/12/24", "30/11/98").questions() == []


def test_order_and_century_are_asked_both_at_once() -> None:
    profile = voted("DOB", "03/04/24", "05/06/71")
    assert [one.code for one in profile.questions()] == ["date-order", "century"]
    assert resolved_kind(profile, "day-first") is Kind.TEXT
    assert resolved_kind(profile, "day-first", "last-century") is Kind.DATE


PATIENTS = b"patient_id,first_name,last_name,date_of_birth\nP1,Ada,Young,31/12/24\nP2,Bo,Old,30/11/52\n"


async def test_patients_wait_for_the_answer_and_are_read_by_it() -> None:
    shelf = Shelf({"patients.csv": PATIENTS})
    with pytest.raises(ContractBroken, match="century"):
        await ClinicSource(upload_context(shelf)).check()
    for answer, born in (("last-century", "1924-12-31"), ("this-century", "2024-12-31")):
        answered = Shelf({"patients.csv": PATIENTS}, {"patients.csv": {("date_of_birth", "century"): answer}})
        rows = await whole(ClinicSource(upload_context(answered)), "patients")
        assert [row["birth_date"] for row in rows.values()] == [born, "1952-11-30"]
