"""The compiled load: values under API names, verdicts, lookups, owners, updates, and what refuses to compile."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.compiling import CompiledLoad, MappingInvalid, PageContext, compile_load
from app.domain.issues import IssueCode, Verdict
from app.domain.mapping import (
    Condition,
    FieldRule,
    Load,
    LookupEmit,
    LookupRule,
    Missing,
    Unmapped,
    ValueMap,
)
from app.domain.resolving import ProblemCode
from app.domain.schema import Encoding, FieldSpec, FieldType, ObjectSpec, PicklistValue
from app.domain.values import exact_json

K = FieldType
SOURCE = ObjectSpec(
    name="WorkOrder",
    fields=(
        FieldSpec(name="Id", type=K.ID, primary_key=True),
        FieldSpec(name="Number", type=K.AUTONUMBER),
        FieldSpec(name="Subject"),
        FieldSpec(name="Notes", type=K.TEXTAREA),
        FieldSpec(name="Status", type=K.PICKLIST),
        FieldSpec(name="Tags", type=K.MULTIPICKLIST),
        FieldSpec(name="Start", type=K.DATETIME),
        FieldSpec(name="Due", type=K.DATE),
        FieldSpec(name="Total", type=K.CURRENCY),
        FieldSpec(name="Count", type=K.INTEGER),
        FieldSpec(name="Done", type=K.BOOLEAN),
        FieldSpec(name="Email", type=K.EMAIL),
        FieldSpec(name="Client", type=K.LOOKUP, references=("Account",)),
        FieldSpec(name="What", type=K.LOOKUP, references=("Asset", "Account")),
        FieldSpec(name="OwnerId", type=K.USER, references=("User",)),
    ),
)
STAGES = (PicklistValue(value="Qualification"), PicklistValue(value="Closed Won"))
TARGET = ObjectSpec(
    name="Deals",
    fields=(
        FieldSpec(name="Name", length=20),
        FieldSpec(name="Text", length=40),
        FieldSpec(name="Long", type=K.TEXTAREA, length=200),
        FieldSpec(name="Stage", type=K.PICKLIST, picklist=STAGES),
        FieldSpec(name="Closed", type=K.PICKLIST, picklist=STAGES, restricted=True),
        FieldSpec(name="Many", type=K.MULTIPICKLIST),
        FieldSpec(name="At", type=K.DATETIME),
        FieldSpec(name="Day", type=K.DATE),
        FieldSpec(name="Amount", type=K.CURRENCY, length=16, scale=2),
        FieldSpec(name="Pieces", type=K.INTEGER, length=9),
        FieldSpec(name="Flag", type=K.BOOLEAN),
        FieldSpec(name="Mail", type=K.EMAIL, length=100),
        FieldSpec(name="Account_Name", type=K.LOOKUP),
        FieldSpec(name="Owner", type=K.USER),
        FieldSpec(name="Created_Time", type=K.DATETIME, writable=False),
        FieldSpec(name="Needed", length=20, required=True),
    ),
)


def build_load(*rules: FieldRule, encoding: Encoding | None = None, **overrides: object) -> CompiledLoad:
    load = {"key": "deals", "source_object": "WorkOrder", "target_object": "Deals", "fields": rules}
    settings: dict[str, object] = {
        "names": {},
        "objects": {},
        "value_maps": {},
        "key_field": "",
        "related": None,
        "source": SOURCE,
        "target": TARGET,
    }
    for name, value in overrides.items():
        (settings if name in settings else load)[name] = value
    return compile_load(
        Load.model_validate(load),
        encoding=encoding or Encoding(),
        platform="servicetracker",
        **settings,  # type: ignore[arg-type]
    )


def one(rule: FieldRule, page: PageContext | None = None, encoding: Encoding | None = None, **record: object):
    """The value written, and the issue codes, of a single rule."""
    options = {"value_maps": {"m": ValueMap(entries={"Open": "Qualification", "Gone": ""})}}
    built = build_load(rule, encoding=encoding, **options).build({"Id": "1", **record}, page or PageContext())
    payload = exact_json(orjson.dumps(built.payload))
    return payload.get(rule.target), [issue.code for issue in built.issues], built.reason


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
        assert compiled.related_ids([record]) == {"Asset": {"a"}, "Account": {"a"}}
        assert compiled.reference_ids([record], related) == {"clients": {"p"}}
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
        assert orjson.loads(orjson.dumps(built.payload)) == {
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


class TestRefusal:
    @pytest.mark.parametrize(
        ("rule", "pointer", "code"),
        [
            (FieldRule(target="Nope", sources=("Subject",)), "/fields/0/target", ProblemCode.UNKNOWN_TARGET),
            (FieldRule(target="Created_Time", sources=("Start",)), "/fields/0/target", ProblemCode.NOT_WRITABLE),
            (FieldRule(target="Name", sources=("Nope",)), "/fields/0/sources/0", ProblemCode.UNKNOWN_FIELD),
            (FieldRule(target="Name", sources=("Subject.X",)), "/fields/0/sources/0", ProblemCode.NOT_A_REFERENCE),
            (FieldRule(target="Name", sources=("Client.A.B",)), "/fields/0/sources/0", ProblemCode.UNKNOWN_FIELD),
            (FieldRule(target="Name", transform="x"), "/fields/0/transform", ProblemCode.UNKNOWN_TRANSFORM),
            (FieldRule(target="Name", sources=("Subject",), args={"q": 1}), "/fields/0/args", ProblemCode.BAD_ARGS),
            (
                FieldRule(target="Name", transform="template", args={"template": "{0.x!r}"}),
                "/fields/0/args",
                ProblemCode.BAD_ARGS,
            ),
            (
                FieldRule(target="Day", sources=("Start",), transform="date", args={"zone": "Mars/Base"}),
                "/fields/0/args",
                ProblemCode.BAD_ARGS,
            ),
            (FieldRule(target="Name"), "/fields/0/sources", ProblemCode.NO_SOURCE),
            (
                FieldRule(target="Name", sources=("Subject", "Number")),
                "/fields/0/sources",
                ProblemCode.TOO_MANY_SOURCES,
            ),
            (FieldRule(target="Amount", sources=("Subject",)), "/fields/0/sources/0", ProblemCode.TYPE_MISMATCH),
            (FieldRule(target="Day", sources=("Start",)), "/fields/0/sources/0", ProblemCode.TYPE_MISMATCH),
            (FieldRule(target="Account_Name", sources=("Client",)), "/fields/0/lookup", ProblemCode.LOOKUP_NEEDED),
            (
                FieldRule(target="Name", sources=("Status",), value_map="x"),
                "/fields/0/value_map",
                ProblemCode.UNKNOWN_VALUE_MAP,
            ),
            (
                FieldRule(target="Amount", sources=("Total",), default="abc"),
                "/fields/0/default",
                ProblemCode.BAD_DEFAULT,
            ),
            (
                FieldRule(target="Day", sources=("Client",), lookup=LookupRule(loads=("a",))),
                "/fields/0/target",
                ProblemCode.TYPE_MISMATCH,
            ),
            (
                FieldRule(target="Text", sources=("Client",), lookup=LookupRule(loads=("a",), emit=LookupEmit.OBJECT)),
                "/fields/0/lookup/loads",
                ProblemCode.UNKNOWN_LOAD,
            ),
        ],
    )
    def test_names_the_place(self, rule: FieldRule, pointer: str, code: ProblemCode) -> None:
        with pytest.raises(MappingInvalid) as caught:
            build_load(rule)
        assert [(item.pointer, item.code) for item in caught.value.problems] == [(pointer, code)]

    def test_lists_every_problem(self) -> None:
        double = FieldRule(target="Name", sources=("Subject",))
        with pytest.raises(MappingInvalid) as caught:
            build_load(double, double, FieldRule(target="Nope"), when=(Condition(field="Zip"),))
        assert [item.pointer for item in caught.value.problems] == [
            "/fields/1/target",
            "/fields/2/target",
            "/when/0/field",
        ]

    def test_dotted_paths_are_checked_when_the_object_is_known(self) -> None:
        account = ObjectSpec(name="Account", fields=(FieldSpec(name="Since", type=K.DATE),))
        with pytest.raises(MappingInvalid, match="no field of Account"):
            build_load(FieldRule(target="Name", sources=("Client.City",)), related={"Account": account})
        with pytest.raises(MappingInvalid, match="does not turn date into currency"):
            build_load(FieldRule(target="Amount", sources=("Client.Since",)), related={"Account": account})


HOSTILE = st.text(min_size=1, max_size=30) | st.sampled_from(
    ["a'b", 'a"b', "a\nb", "\\", "{x}", "'] = 1\nimport os\n#", "__import__('os').abort()", "k1", "out"]
)


class TestSafety:
    @given(source=HOSTILE, target=HOSTILE, value=st.text(min_size=1, max_size=10), key=HOSTILE, platform=HOSTILE)
    def test_no_name_reaches_the_code(self, source: str, target: str, value: str, key: str, platform: str) -> None:
        source = source.replace(".", "_")
        target = target.lstrip("$") or "x"
        if key == target or source == "Id":
            return
        compiled = compile_load(
            Load(
                key=key,
                source_object=platform,
                target_object="T",
                part=key,
                fields=(FieldRule(target=target, sources=(source,), default="d"),),
            ),
            source=ObjectSpec(name="S", fields=(FieldSpec(name="Id", primary_key=True), FieldSpec(name=source))),
            target=ObjectSpec(name="T", fields=(FieldSpec(name=target),)),
            names={},
            objects={},
            encoding=Encoding(),
            value_maps={},
            platform=platform,
            key_field=key,
        )
        payload = compiled.build({"Id": "i", source: value}, PageContext()).payload
        assert payload[key] == f"{platform}:{platform}:i:{key}"
        kept = "".join(letter for letter in value if letter >= " " or letter in "\t\n\r")
        assert payload[target] == (kept or "d")

    @given(
        st.dictionaries(
            st.sampled_from([spec.name for spec in SOURCE.fields if spec.name != "Id"]),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
        )
    )
    def test_any_record_gives_json_or_a_verdict(self, record: dict[str, object]) -> None:
        built = EVERYTHING.build({"Id": "1", **record}, PageContext())
        orjson.dumps(built.payload)
        assert built.verdict is None or built.payload == {}
        again = EVERYTHING.build({"Id": "1", **record}, PageContext())
        assert orjson.dumps(again.payload) == orjson.dumps(built.payload)
        assert list(again.issues) == list(built.issues)


EVERYTHING = build_load(
    FieldRule(target="Name", sources=("Subject",), args={"truncate": True}),
    FieldRule(target="Text", transform="template", args={"template": "{Number} – {Status}", "truncate": True}),
    FieldRule(target="Long", sources=("Notes",), transform="html_to_text"),
    FieldRule(target="Stage", sources=("Status",), default="Qualification"),
    FieldRule(target="Many", sources=("Tags",)),
    FieldRule(target="At", sources=("Start",)),
    FieldRule(target="Day", sources=("Due",), transform="date", args={"zone": "Europe/Paris"}),
    FieldRule(target="Amount", sources=("Total",)),
    FieldRule(target="Pieces", sources=("Count",)),
    FieldRule(target="Flag", sources=("Done",)),
    FieldRule(target="Mail", sources=("Email",), transform="email"),
    FieldRule(target="Account_Name", sources=("Client", "What"), lookup=LookupRule(loads=("a", "b"))),
    FieldRule(target="Owner", sources=("OwnerId",), owner=True),
)
