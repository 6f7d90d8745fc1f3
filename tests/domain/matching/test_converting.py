"""Transforms by types and samples, value maps, and losses stated beforehand."""

import pytest

from app.domain.matching.columns import Column
from app.domain.matching.converting import convert, date_order, decimal_locale
from app.domain.matching.options import map_options
from app.domain.schema import FieldType as T


def column(kind: T, *samples: str, **more: object) -> Column:
    return Column("f", "", kind, samples=samples, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "order"),
    [
        (("31/12/2026", "01/02/2026"), "day"),
        (("12/31/2026",), "month"),
        (("01/02/2026", "03/04/2026"), "ambiguous"),
        (("01.02.2026",), "day"),
        (("2026-02-01",), ""),
        ((), ""),
    ],
)
def test_the_order_of_dates_is_read_or_asked_for(samples, order) -> None:
    assert date_order(samples) == order


@pytest.mark.parametrize(
    ("samples", "locale"),
    [
        (("1.234,56", "12,5"), "de_DE"), (("1,234.56",), "en_US"), (("1234.56",), ""), (("12,345,678",), "en_US"),
        (("3,5",), "de_DE"), ((), ""),
    ],
)  # fmt: skip
def test_the_decimal_sign_is_read(samples, locale) -> None:
    assert decimal_locale(samples) == locale


@pytest.mark.parametrize(
    ("source", "target", "name", "args"),
    [
        (column(T.TEXT, "31.12.2026"), column(T.DATE), "date", {"formats": ["%d.%m.%Y"]}),
        (column(T.TEXT, "01/02/2026"), column(T.DATE), "date", {"ask": "day or month first"}),
        (column(T.TEXT, "1.234,50"), column(T.CURRENCY), "currency", {"locale": "de_DE"}),
        (column(T.TEXT, "a;b", "c"), column(T.MULTIPICKLIST), "multipicklist", {"separator": ";"}),
        (column(T.MULTIPICKLIST), column(T.TEXT), "join", {"separator": "; "}),
        (column(T.TEXT), column(T.PHONE), "phone", {}),
        (column(T.LOOKUP), column(T.USER), "lookup", {"by": "email"}),
        (column(T.TEXT), column(T.LOOKUP, reference="Accounts"), "lookup", {"by": "external_id", "object": "Accounts"}),
        (column(T.TEXT), column(T.TEXT), "copy", {}),
        (column(T.INTEGER), column(T.TEXT), "text", {}),
    ],
)
def test_the_transform_follows_from_types_and_values(source, target, name, args) -> None:
    transform, _ = convert(source, target)
    assert (transform["name"], transform["args"]) == (name, args)


@pytest.mark.parametrize(
    ("source", "target", "kind", "count"),
    [
        (column(T.TEXT, "abcdef", "ab"), column(T.TEXT, length=3), "truncated", 1),
        (column(T.DECIMAL, "1.5", "2.0", "3"), column(T.INTEGER), "rounded", 1),
        (column(T.DECIMAL, "1.555", "2.50"), column(T.CURRENCY, scale=2), "rounded", 1),
        (column(T.DATETIME, "2026-01-01T10:30:00", "2026-01-01T00:00:00"), column(T.DATE), "time_dropped", 1),
        (column(T.TEXT, "nobody", "a@example.com"), column(T.EMAIL), "invalid_email", 1),
        (column(T.TEXT, "about ten", "10"), column(T.INTEGER), "not_a_number", 1),
        (column(T.TEXTAREA, "one\ntwo", "three"), column(T.TEXT), "lines_joined", 1),
    ],
)
def test_losses_are_counted_with_examples(source, target, kind, count) -> None:
    transform, _ = convert(source, target)
    (loss,) = transform["loss"]
    assert (loss["kind"], loss["count"], loss["of"]) == (kind, count, len(source.samples))
    assert loss["examples"] == [source.samples[0]]


def test_a_longer_source_field_is_a_loss_to_come() -> None:
    transform, _ = convert(column(T.TEXT, length=500), column(T.TEXT, length=100))
    assert transform["loss"][0]["kind"] == "truncated"


def test_value_maps_say_what_is_unmapped_and_what_collapses() -> None:
    source = column(T.PICKLIST, picklist=("New", "Urgent", "Critical", "Purple"))
    transform, table = convert(source, column(T.PICKLIST, picklist=("High", "Highest", "Normal", "New")))
    assert table == {"New": "New", "Urgent": "Highest", "Critical": "Highest", "Purple": None}
    assert {loss["kind"]: loss["examples"] for loss in transform["loss"]} == {
        "unmapped": ["Purple"], "collapsed": ["Urgent", "Critical"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "targets", "wanted"),
    [
        ("closed won", ("Closed Won", "Closed Lost"), "Closed Won"),
        ("Proposal Sent", ("Qualification", "Proposal/Price Quote"), "Proposal/Price Quote"),
        ("Medium", ("High", "Normal", "Low"), "Normal"),
        ("Word of mouth", ("Cold Call", "External Referral"), "External Referral"),
        ("Gewonnen", ("Won", "Lost"), "Won"),
        ("En cours", ("In Progress", "Completed"), "In Progress"),
        ("Prosepct", ("Prospect", "Customer"), "Prospect"),
        ("Herr", ("Mr.", "Ms."), "Mr."),
        ("Bank of Elbonia", ("Retail", "Utilities"), None),
        ("Other", ("Retail", "Utilities"), None),
        ("Hot", ("High", "Low"), None),
        ("", ("High",), None),
    ],
)
def test_options_are_matched_by_text_meaning_and_likeness_and_never_forced(option, targets, wanted) -> None:
    assert map_options([option], targets)[0].target == wanted
