"""The pure pieces: canonical values, CSV pages, cursors, field drafts, the registry."""

import pytest

from app.domain.schema import FieldType
from connectors.base import ChangeKind, SchemaChange
from connectors.errors import ContractBroken
from connectors.registry import BLUEPRINTS, PLATFORMS, UnknownPair, load_blueprint
from connectors.servicetracker.reading import Cursor, read_cursor, write_cursor
from connectors.servicetracker.rows import (
    canonical_boolean,
    canonical_date,
    canonical_datetime,
    canonical_multi,
    canonical_number,
    read_csv,
)
from connectors.servicetracker.soql import quoted, split_fields
from connectors.zoho_crm.drafts import clean_label, clean_module_label, field_body


class TestCanonicalValues:
    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ("12.50", "12.5"), ("100.0", "100"), ("100", "100"), ("0.10", "0.1"), (7, "7"), ("-0", "0"), ("-0.00", "0"),
            ("1.5E3", "1500"), ("1e-7", "0.0000001"), ("-12.345", "-12.345"),
            ("123456789012345678.99", "123456789012345678.99"),
        ],
    )  # fmt: skip
    def test_numbers(self, given: object, wanted: str) -> None:
        assert canonical_number(given) == wanted

    @pytest.mark.parametrize("given", ["", "1,5", "NaN", "1e9999", "٣", "0x1", True, None, 1.5, "1" * 500, " 1"])
    def test_no_numbers(self, given: object) -> None:
        with pytest.raises(ValueError, match="not a number"):
            canonical_number(given)

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ("2024-01-31T09:15:00.000+0000", "2024-01-31T09:15:00+00:00"),
            ("2024-01-31T09:15:00.000Z", "2024-01-31T09:15:00+00:00"),
            ("2024-01-31T09:15:00.123Z", "2024-01-31T09:15:00.123000+00:00"),
            ("2024-01-31T09:15:00+02:00", "2024-01-31T07:15:00+00:00"),
        ],
    )
    def test_moments(self, given: str, wanted: str) -> None:
        assert canonical_datetime(given) == wanted

    @pytest.mark.parametrize(
        "given", ["2024-01-31", "2024-01-31T09:15:00", "2024-13-31T09:15:00Z", 5, "x.000Z", "." * 20 + ".000Z"]
    )
    def test_no_moments(self, given: object) -> None:
        with pytest.raises((ValueError, TypeError)):
            canonical_datetime(given)

    def test_the_rest(self) -> None:
        assert canonical_multi("a;b;;c") == ["a", "b", "c"]
        assert canonical_boolean("true") is True
        assert canonical_boolean(False) is False
        assert canonical_date("1900-01-01") == "1900-01-01"
        for wrong in ("1.1.2024", "2024-1-1", 20240101):
            with pytest.raises(ValueError, match="not a date"):
                canonical_date(wrong)


class TestCsv:
    def test_text_is_kept_verbatim(self) -> None:
        text = 'Id,Name\r\n"1","a ""quoted"" \r\nline, with \x00 and 日本 "\n"2",""\n'
        rows = list(read_csv(text.encode(), "Account"))
        assert rows == [{"Id": "1", "Name": 'a "quoted" \r\nline, with \x00 and 日本 '}, {"Id": "2", "Name": ""}]

    @pytest.mark.parametrize("body", [b'Id,Name\n"1"\n', b'Id\n"1","2"\n', b'Id\n"open', b"Id\n\xff\n"])
    def test_a_torn_table(self, body: bytes) -> None:
        with pytest.raises(ContractBroken):
            list(read_csv(body, "Account"))

    def test_a_text_longer_than_the_csv_modules_own_limit(self) -> None:
        assert len(next(read_csv(b"Id\n" + b"x" * 200_000 + b"\n", "Account"))["Id"]) == 200_000

    def test_an_empty_page(self) -> None:
        assert list(read_csv(b"", "Account")) == []


class TestQueries:
    def test_literals_are_quoted(self) -> None:
        assert quoted("O'Brien \\ Co") == "'O\\'Brien \\\\ Co'"

    def test_field_lists_stay_short_and_complete(self) -> None:
        names = [f"Field_{n}__c" for n in range(1500)]
        lists = split_fields(["Id", *names])
        assert all(one[0] == "Id" and sum(len(name) + 2 for name in one) < 6_100 for one in lists)
        assert [name for one in lists for name in one[1:]] == names

    def test_cursors_survive_and_others_are_refused(self) -> None:
        cursor = Cursor(after="001", job="750", locator="MTA")
        assert read_cursor(write_cursor(cursor)) == cursor
        assert read_cursor(None) == Cursor()
        for text in ("{", "[]", '{"after":5}', "\ud800"):
            with pytest.raises(ContractBroken):
                read_cursor(text)


def draft(kind: FieldType, **attributes: object) -> dict[str, object]:
    change = SchemaChange(
        kind=ChangeKind.FIELD, object="Deals", name="X__c", label="X", attributes={"type": kind.value, **attributes}
    )  # type: ignore[arg-type]
    return field_body(change, {"Assets_C": "Assets"})


class TestDrafts:
    @pytest.mark.parametrize(
        ("kind", "attributes", "wanted"),
        [
            (FieldType.TEXT, {"length": 80}, {"data_type": "text", "length": 80}),
            (FieldType.TEXT, {"length": 500}, {"data_type": "textarea", "length": 2000}),
            (FieldType.TEXTAREA, {"length": 40_000}, {"data_type": "textarea", "length": 32_000}),
            (FieldType.URL, {"length": 255}, {"data_type": "website", "length": 255}),
            (FieldType.EMAIL, {"length": 255}, {"data_type": "email", "length": 100}),
            (FieldType.INTEGER, {"length": 12}, {"data_type": "bigint", "length": 12}),
            (
                FieldType.CURRENCY,
                {"length": 18, "scale": 2},
                {"data_type": "currency", "length": 16, "decimal_place": 2},
            ),
            (FieldType.PERCENT, {}, {"data_type": "percent", "length": 5}),
            (FieldType.PICKLIST, {"picklist": []}, {"data_type": "text"}),
            (FieldType.TEXT, {"unique": True}, {"unique": {"case_sensitive": False}}),
            (FieldType.TEXT, {"unique": True, "external": True}, {"external": {"type": "org", "show": True}}),
            (FieldType.AUTONUMBER, {}, {"data_type": "text", "length": 255}),
        ],
    )
    def test_types(self, kind: FieldType, attributes: dict[str, object], wanted: dict[str, object]) -> None:
        made = draft(kind, **attributes)
        assert {key: made.get(key) for key in wanted} == wanted

    def test_a_lookup_points_at_the_api_name(self) -> None:
        assert draft(FieldType.LOOKUP, references="Assets_C")["lookup"] == {
            "module": {"api_name": "Assets"}, "display_label": "Deals X",
        }  # fmt: skip

    def test_labels_are_cleaned(self) -> None:
        assert clean_label("Price <b>€</b> & more") == "Price b /b more"
        assert clean_module_label("Work_Order Parts & Services Company") == "Work Order Parts Services"


class TestRegistry:
    def test_every_pair_joins_platforms_that_can_do_it(self) -> None:
        for source, destination in BLUEPRINTS:
            assert PLATFORMS[source].source is not None
            assert PLATFORMS[destination].destination is not None
            blueprint = load_blueprint(source, destination)
            assert (blueprint.source, blueprint.destination) == (source, destination)

    def test_slugs_are_their_keys(self) -> None:
        assert all(slug == platform.slug for slug, platform in PLATFORMS.items())

    def test_an_unknown_pair(self) -> None:
        with pytest.raises(UnknownPair):
            load_blueprint("zoho_crm", "servicetracker")
