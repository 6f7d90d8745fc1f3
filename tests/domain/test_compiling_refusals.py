"""What refuses to compile, and what names and values cannot do to the compiled function."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.compiling import MappingInvalid, PageContext, compile_load
from app.domain.json_texts import json_text
from app.domain.mapping import (
    Condition,
    FieldRule,
    Load,
    LookupEmit,
    LookupRule,
)
from app.domain.resolving import ProblemCode
from app.domain.schema import Encoding, FieldSpec, ObjectSpec
from tests.domain.compiling_kit import SOURCE, K, build_load


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
        json_text(built.payload)
        assert built.verdict is None or built.payload == {}
        again = EVERYTHING.build({"Id": "1", **record}, PageContext())
        assert json_text(again.payload) == json_text(built.payload)
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
