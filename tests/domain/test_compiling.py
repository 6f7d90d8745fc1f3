"""The compiled load: values under API names, verdicts, lookups, owners, updates and conditions."""

from decimal import Decimal

import orjson
import pytest

from app.domain.compiling import MappingInvalid, PageContext
from app.domain.issues import IssueCode, Verdict
from app.domain.json_texts import json_text
from app.domain.mapping import (
    Condition,
    FieldRule,
    LookupEmit,
    LookupRule,
    Missing,
    Unmapped,
    ValueMap,
)
from app.domain.schema import Encoding
from tests.domain.compiling_kit import build_load, one


class TestValues:
    @pytest.mark.parametrize(
        ("target", "source", "value", "written"),
        [
            ("Name", "Subject", "Boiler ", "Boiler "),
            ("Name", "Subject", "مرحبا 👩‍👩‍👧", "مرحبا 👩‍👩‍👧"),
            ("Name", "Subject", "a\r\n\tb", "a\r\n\tb"),
            ("Amount", "Total", "12.50", Decimal("12.50")),
            ("Amount", "Total", "9999999999999999.99", Decimal("9999999999999999.99")),
            ("Amount", "Total", "-0.01", Decimal("-0.01")),
            ("Amount", "Total", "1.5E+3", Decimal(1500)),
            ("Amount", "Total", "7.1000000", Decimal("7.1")),
            ("Amount", "Total", 0, Decimal(0)),
            ("Pieces", "Count", "12.0", 12),
            ("Flag", "Done", False, False),
            ("Flag", "Done", True, True),
            ("Day", "Due", "1900-01-01", "1900-01-01"),
            ("At", "Start", "2024-03-31T01:00:00+00:00", "2024-03-31T01:00:00+00:00"),
            ("At", "Start", "2024-03-31T01:00:00Z", "2024-03-31T01:00:00+00:00"),
            ("At", "Start", "2024-03-31T03:00:00+02:00", "2024-03-31T01:00:00+00:00"),
            ("Many", "Tags", ["a", "b", "a"], ["a", "b"]),
            ("Stage", "Status", "Qualification", "Qualification"),
            ("Text", "Done", False, "false"),
            ("Text", "Tags", ["a", "b"], "a; b"),
            ("Text", "Total", "12.50", "12.50"),
        ],
    )
    def test_copies_without_an_issue(self, target: str, source: str, value: object, written: object) -> None:
        assert one(FieldRule(target=target, sources=(source,)), **{source: value}) == (written, [], "")

    @pytest.mark.parametrize(
        ("target", "source", "value", "written", "code"),
        [
            ("Name", "Subject", "a\x00b", "ab", IssueCode.CONTROL_CHARACTERS_REMOVED),
            ("Name", "Subject", "a\ud800", "a", IssueCode.CONTROL_CHARACTERS_REMOVED),
            ("Name", "Subject", "\x00", None, IssueCode.CONTROL_CHARACTERS_REMOVED),
            ("Amount", "Total", "1.005", Decimal("1.00"), IssueCode.ROUNDED),
            ("Amount", "Total", "NaN", None, IssueCode.NOT_A_NUMBER),
            ("Amount", "Total", "1e400", None, IssueCode.NOT_A_NUMBER),
            ("Pieces", "Count", "12.5", 12, IssueCode.ROUNDED),
            ("At", "Start", "2024-03-31T01:00:00.123000+00:00", "2024-03-31T01:00:00+00:00", IssueCode.ROUNDED),
            ("At", "Start", "2024-02-30T00:00:00+00:00", None, IssueCode.NOT_A_DATE),
            ("Day", "Due", "2023-02-29", None, IssueCode.NOT_A_DATE),
            ("Stage", "Status", "closed won ", "Closed Won", IssueCode.NORMALISED),
            ("Stage", "Status", "Awaiting Parts", "Awaiting Parts", IssueCode.VALUE_ADDED),
        ],
    )
    def test_reports_what_it_changes(
        self, target: str, source: str, value: object, written: object, code: IssueCode
    ) -> None:
        assert one(FieldRule(target=target, sources=(source,)), **{source: value}) == (written, [code], "")

    def test_encodings_follow_the_platform(self) -> None:
        plain = Encoding(reference="integer", datetime_offset=False, milliseconds=True, multi=";", number="string")
        page = PageContext(ids={"clients": {"c": "42"}})
        at = FieldRule(target="At", sources=("Start",))
        assert one(at, encoding=plain, Start="2024-01-02T03:04:05+00:00")[0] == "2024-01-02T03:04:05.000Z"
        assert one(FieldRule(target="Many", sources=("Tags",)), encoding=plain, Tags=["a", "b"])[0] == "a;b"
        assert one(FieldRule(target="Amount", sources=("Total",)), encoding=plain, Total="12.50")[0] == "12.50"
        rule = FieldRule(target="Account_Name", sources=("Client",), lookup=LookupRule(loads=("clients",)))
        assert one(rule, page, plain, Client="c")[0] == 42

    def test_api_names_and_external_id(self) -> None:
        rule = FieldRule(target="Title__c", sources=("Subject",))
        compiled = build_load(rule, names={"Title__c": "Name"}, key_field="Key", part="status:3")
        assert compiled.build({"Id": "0WO1", "Subject": "x"}, PageContext()).payload == {
            "Key": "servicetracker:WorkOrder:0WO1:status:3",
            "Name": "x",
        }
        assert compiled.fields == {"Title__c": "Name"}
        assert compiled.source_fields == ("Id", "Subject")

    def test_a_record_without_id_is_quarantined(self) -> None:
        built = build_load(key_field="Key").build({}, PageContext())
        assert (built.payload, built.verdict, built.reason) == ({}, Verdict.QUARANTINED, "missing_required:Id")


class TestVerdicts:
    def test_too_long_quarantines_unless_the_rule_cuts(self) -> None:
        rule = FieldRule(target="Name", sources=("Subject",))
        assert one(rule, Subject="x" * 21) == (None, [IssueCode.TOO_LONG], "too_long:Name")
        cutting = rule.model_copy(update={"args": {"truncate": True}})
        assert one(cutting, Subject="x" * 21) == ("x" * 20, [IssueCode.TRUNCATED], "")
        assert one(cutting, Subject="x" * 10_000_000) == ("x" * 20, [IssueCode.TRUNCATED], "")

    def test_too_many_digits_quarantine(self) -> None:
        rule = FieldRule(target="Amount", sources=("Total",))
        assert one(rule, Total="1" + "0" * 16)[2] == "out_of_range:Amount"
        assert one(rule, Total="9" * 16 + ".999")[2] == "out_of_range:Amount"

    def test_missing_required_names_the_logical_field(self) -> None:
        compiled = build_load(FieldRule(target="Must__c", sources=("Subject",)), names={"Must__c": "Needed"})
        built = compiled.build({"Id": "1", "Subject": ""}, PageContext())
        assert (built.payload, built.verdict, built.reason) == ({}, Verdict.QUARANTINED, "missing_required:Must__c")

    def test_a_default_fills_a_blank_and_says_so(self) -> None:
        rule = FieldRule(target="Needed", sources=("Subject",), default="n/a")
        assert one(rule) == ("n/a", [IssueCode.DEFAULT_USED], "")
        assert one(rule, Subject="x") == ("x", [], "")

    def test_a_default_list_is_not_shared_between_records(self) -> None:
        compiled = build_load(FieldRule(target="Many", default=["a"]))
        first = compiled.build({"Id": "1"}, PageContext()).payload["Many"]
        first.append("b")
        assert compiled.build({"Id": "2"}, PageContext()).payload["Many"] == ["a"]

    def test_a_restricted_picklist_holds(self) -> None:
        rule = FieldRule(target="Closed", sources=("Status",))
        assert one(rule, Status="Odd")[2] == "unmapped_value:Closed"

    @pytest.mark.parametrize(
        ("unmapped", "default", "expected"),
        [
            (Unmapped.HOLD, None, (None, [IssueCode.UNMAPPED_VALUE], "unmapped_value:Text")),
            (Unmapped.KEEP, None, ("Odd", [IssueCode.UNMAPPED_VALUE], "")),
            (Unmapped.DEFAULT, "Other", ("Other", [IssueCode.UNMAPPED_VALUE], "")),
            (Unmapped.BLANK, None, (None, [IssueCode.UNMAPPED_VALUE], "")),
        ],
    )
    def test_unmapped_values(self, unmapped: Unmapped, default: str | None, expected: object) -> None:
        maps = {"m": ValueMap(entries={"Open": "Qualification"}, unmapped=unmapped, default=default)}
        compiled = build_load(FieldRule(target="Text", sources=("Status",), value_map="m"), value_maps=maps)
        built = compiled.build({"Id": "1", "Status": "Odd"}, PageContext())
        assert (built.payload.get("Text"), [issue.code for issue in built.issues], built.reason) == expected

    def test_value_maps_compare_trimmed_and_folded(self) -> None:
        rule = FieldRule(target="Stage", sources=("Status",), value_map="m")
        assert one(rule, Status="Open") == ("Qualification", [], "")
        assert one(rule, Status=" oPEN ") == ("Qualification", [IssueCode.NORMALISED], "")
        assert one(rule, Status="Gone") == (None, [], "")

    def test_the_first_stop_wins_and_every_issue_is_kept(self) -> None:
        built = build_load(
            FieldRule(target="Closed", sources=("Status",)), FieldRule(target="Name", sources=("Subject",))
        ).build({"Id": "1", "Status": "Odd", "Subject": "x" * 30}, PageContext())
        assert (built.verdict, built.reason) == (Verdict.HELD, "unmapped_value:Closed")
        assert [(issue.field, issue.code) for issue in built.issues] == [
            ("Closed", IssueCode.UNMAPPED_VALUE),
            ("Name", IssueCode.TOO_LONG),
        ]

    def test_a_stop_is_not_reported_as_a_missing_value_too(self) -> None:
        built = build_load(FieldRule(target="Needed", sources=("Subject",), default="d")).build(
            {"Id": "1", "Subject": "x" * 30}, PageContext()
        )
        assert [issue.code for issue in built.issues] == [IssueCode.TOO_LONG]

    @pytest.mark.parametrize("default", ["x" * 21, "a\x00"])
    def test_a_default_that_would_change_is_refused(self, default: str) -> None:
        with pytest.raises(MappingInvalid, match="default does not fit"):
            build_load(FieldRule(target="Name", sources=("Subject",), default=default))


class TestReferences:
    RULE = FieldRule(target="Account_Name", sources=("Client",), lookup=LookupRule(loads=("sites", "clients")))

    def test_the_first_load_that_knows_the_id_wins(self) -> None:
        both = PageContext(ids={"clients": {"c": "1"}, "sites": {"c": "2"}})
        assert one(self.RULE, both, Client="c") == ({"id": "2"}, [], "")
        assert one(self.RULE, PageContext(ids={"clients": {"c": "1"}}), Client="c") == ({"id": "1"}, [], "")

    def test_missing_is_blank_or_held(self) -> None:
        assert one(self.RULE, Client="c") == (None, [IssueCode.LOOKUP_MISSING], "")
        holding = LookupRule(loads=("clients",), on_missing=Missing.HOLD)
        rule = self.RULE.model_copy(update={"lookup": holding})
        assert one(rule, Client="c") == (None, [IssueCode.LOOKUP_MISSING], "lookup_missing:Account_Name")
        assert one(rule) == (None, [], "")

    def test_the_object_of_a_polymorphic_reference(self) -> None:
        lookup = LookupRule(loads=("assets", "clients"), emit=LookupEmit.OBJECT)
        rule = FieldRule(target="$se_module", sources=("What",), lookup=lookup)
        compiled = build_load(rule, objects={"assets": "Assets_C", "clients": "Accounts"})
        page = PageContext(ids={"clients": {"c": "1"}})
        assert compiled.build({"Id": "1", "What": "c"}, page).payload == {"$se_module": "Accounts"}
        assert compiled.reference_needs == (("What", ("assets", "clients")),)

    def test_dotted_sources_follow_a_reference(self) -> None:
        compiled = build_load(
            FieldRule(target="Name", sources=("What.City",)),
            FieldRule(target="Account_Name", sources=("What.Parent",), lookup=LookupRule(loads=("clients",))),
        )
        assert compiled.related_needs == (("What", "Asset"), ("What", "Account"))
        related = {"Account": {"a": {"Id": "a", "City": "Lyon", "Parent": "p"}}}
        page = PageContext(ids={"clients": {"p": "9"}}, related=related)
        record = {"Id": "1", "What": "a"}
        assert compiled.build(record, page).payload == {"Name": "Lyon", "Account_Name": {"id": "9"}}
        orphan = compiled.build({"Id": "1", "What": "x"}, page)
        assert orphan.payload == {}
        assert {issue.code for issue in orphan.issues} == {IssueCode.LOOKUP_MISSING}

    def test_owners_by_email_then_by_user_then_fallback(self) -> None:
        rule = FieldRule(target="Owner", sources=("Email", "OwnerId"), owner=True)
        page = PageContext(users={"u": "7"}, emails={"ann@x.org": "8"}, fallback_owner="1")
        assert one(rule, page, Email=" Ann@X.org", OwnerId="u") == ({"id": "8"}, [], "")
        assert one(rule, page, Email="bob@x.org", OwnerId="u") == ({"id": "7"}, [], "")
        assert one(rule, page, OwnerId="v") == ({"id": "1"}, [IssueCode.OWNER_FALLBACK], "")
        assert one(rule, OwnerId="v") == (None, [IssueCode.OWNER_UNRESOLVED], "")
        compiled = build_load(rule)
        assert (compiled.user_fields, compiled.email_fields) == (("OwnerId",), ("Email",))

    @pytest.mark.parametrize("value", [["c"], {"id": "c"}, 7, True, ""])
    def test_a_reference_of_another_type_is_a_blank(self, value: object) -> None:
        assert one(self.RULE, PageContext(ids={"clients": {"c": "1"}}), Client=value)[0] is None


class TestUpdates:
    def test_blanks_clear_what_was_mapped(self) -> None:
        compiled = build_load(
            FieldRule(target="Name", sources=("Subject",)),
            FieldRule(target="Text", transform="const", args={"value": "x"}),
            FieldRule(target="Account_Name", sources=("Client",), lookup=LookupRule(loads=("clients",))),
            FieldRule(target="Owner", sources=("OwnerId",), owner=True),
            FieldRule(target="Amount", sources=("Total",), default=1),
        )
        built = compiled.build_update({"Id": "1"}, PageContext())
        assert orjson.loads(json_text(built.payload)) == {
            "Name": None,
            "Text": "x",
            "Account_Name": None,
            "Amount": 1,
        }
        assert "Name" not in compiled.build({"Id": "1"}, PageContext()).payload


class TestConditions:
    @pytest.mark.parametrize(
        ("condition", "record", "takes"),
        [
            (Condition(field="Done", any_of=(True,)), {"Done": True}, True),
            (Condition(field="Done", any_of=(True,)), {"Done": False}, False),
            (Condition(field="Done", none_of=(True,)), {}, True),
            (Condition(field="Client", any_of=(None,)), {}, True),
            (Condition(field="Client", none_of=(None,)), {"Client": ""}, False),
            (Condition(field="Status", any_of=("Open",)), {"Status": "open "}, True),
            (Condition(field="Tags", any_of=("b",)), {"Tags": ["a", "b"]}, True),
            (Condition(field="Tags", none_of=("b",)), {"Tags": ["a", "b"]}, False),
            (Condition(field="Client.Type", any_of=("Customer",)), {"Client": "c"}, True),
        ],
    )
    def test_takes(self, condition: Condition, record: dict[str, object], takes: bool) -> None:
        related = {"Account": {"c": {"Type": "Customer"}}}
        assert build_load(when=(condition,)).takes(record, related) is takes

    def test_without_conditions_everything_takes_part(self) -> None:
        assert build_load().takes({})
