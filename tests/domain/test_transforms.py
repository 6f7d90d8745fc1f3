"""Every transform of the table: what it makes of good, odd and hostile values, and what it reports."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.arguments import placeholders
from app.domain.issues import SEVERITY, IssueCode, Noted, Severity
from app.domain.schema import FieldSpec, FieldType
from app.domain.texts import cut, html_to_text, parse_text_block, text_block
from app.domain.transforms import TRANSFORMS, Arity, Fitting, needed

C = IssueCode


def run(name: str, value: Any, *, target: FieldSpec | None = None, **args: Any) -> tuple[Any, tuple[IssueCode, ...]]:
    """(value, codes) of one transform; a list of values for one that reads several sources named a, b, c."""
    entry = TRANSFORMS[name]
    parsed = entry.args.model_validate(args)
    sources = tuple("abc"[: len(value)]) if entry.arity is Arity.MANY else ("a",)
    made = entry.prepare(parsed, Fitting(sources, target or FieldSpec(name="t"), "servicetracker", "WorkOrder"))(value)
    return (made.value, made.codes) if isinstance(made, Noted) else (made, ())


TEXT_CASES = [
    ("copy", "  a\x00 ", {}, "  a\x00 ", ()),
    ("text", True, {}, "true", ()),
    ("text", ["a", "b"], {}, "a; b", ()),
    ("strip", " a ", {}, "a", (C.NORMALISED,)),
    ("strip", "   ", {}, None, (C.NORMALISED,)),
    ("strip", "a", {}, "a", ()),
    ("upper", "straße", {}, "STRASSE", (C.NORMALISED,)),
    ("lower", "ABC", {}, "abc", (C.NORMALISED,)),
    ("truncate", "abcdef", {"length": 3}, "abc", (C.TRUNCATED,)),
    ("truncate", "abc", {"length": 3}, "abc", ()),
    ("prefix", "7", {"text": "WO-"}, "WO-7", ()),
    ("suffix", "7", {"text": " h"}, "7 h", ()),
    ("first_name", "Ana María López", {}, "Ana María", ()),
    ("last_name", "Ana María López", {}, "López", ()),
    ("last_name", "Vincent van Gogh", {}, "van Gogh", ()),
    ("last_name", "López, Ana", {}, "López", ()),
    ("first_name", "López, Ana", {}, "Ana", ()),
    ("last_name", "John Smith Jr.", {}, "Smith Jr.", ()),
    ("last_name", "山田太郎", {}, "山田太郎", ()),
    ("first_name", "山田太郎", {}, None, ()),
    ("external_id", "0WO1", {}, "servicetracker:WorkOrder:0WO1", ()),
    ("external_id", "001", {"object": "Account", "part": "x"}, "servicetracker:Account:001:x", ()),
    ("email", " Ann@Example.ORG ", {}, "ann@example.org", (C.NORMALISED,)),
    ("email", "ann@example.org", {}, "ann@example.org", ()),
    ("email", "ann@", {}, None, (C.INVALID_EMAIL,)),
    ("email", "a b@example.org", {"invalid": "keep"}, "a b@example.org", (C.INVALID_EMAIL,)),
    ("email", "a@" + "b." * 100_000 + "c", {}, None, (C.INVALID_EMAIL,)),
    ("phone", "+44 (0)20 7946 0018", {}, "+442079460018", (C.NORMALISED,)),
    ("phone", "(415) 555-2671", {"region": "US"}, "+14155552671", (C.NORMALISED,)),
    ("phone", "+14155552671", {}, "+14155552671", ()),
    ("phone", "+1 415 555 2671 x3", {}, "+1 415-555-2671 ext. 3", (C.NORMALISED,)),
    ("phone", "555 0100 x3", {}, "555 0100 x3", (C.PHONE_NOT_PARSED,)),
    ("phone", "n/a", {"region": "US"}, "n/a", (C.PHONE_NOT_PARSED,)),
    ("url", "example.org/a", {}, "https://example.org/a", (C.NORMALISED,)),
    ("url", "http://example.org", {}, "http://example.org", ()),
    ("url", "javascript:alert(1)", {}, None, (C.INVALID_URL,)),
    ("url", "not a url", {"invalid": "keep"}, "not a url", (C.INVALID_URL,)),
    ("picklist", " a ", {}, "a", (C.NORMALISED,)),
    ("multipicklist", "a; b;;a", {}, ["a", "b"], ()),
    ("multipicklist", " ; ", {}, None, ()),
    ("boolean", "Yes ", {}, True, ()),
    ("boolean", "0", {}, False, ()),
    ("boolean", "perhaps", {}, None, (C.NOT_A_BOOLEAN,)),
    ("boolean", "ja", {"truths": ["ja"]}, True, ()),
]

NUMBER_CASES = [
    ("number", "12.50", {}, "12.50", ()),
    ("number", " -7 ", {}, "-7", ()),
    ("number", "1e3", {}, "1000", ()),
    ("number", "NaN", {}, None, (C.NOT_A_NUMBER,)),
    ("number", "Infinity", {}, None, (C.NOT_A_NUMBER,)),
    ("number", "1e400", {}, None, (C.OUT_OF_RANGE,)),
    ("number", "١٢", {}, None, (C.NOT_A_NUMBER,)),
    ("number", "1,234.5", {}, None, (C.NOT_A_NUMBER,)),
    ("number", "1,234.5", {"locale": "en_US"}, "1234.5", ()),
    ("number", "1.234,5", {"locale": "de_DE"}, "1234.5", ()),
    ("number", "9" * 10_000_000, {}, None, (C.NOT_A_NUMBER,)),
    ("number", "0.1", {}, "0.1", ()),
    ("currency", "$ 1250.10", {}, "1250.10", ()),
    ("currency", "USD 5", {}, "5", ()),
    ("currency", "(5.00)", {}, "-5.00", ()),
    ("integer", "12.4", {}, "12", (C.ROUNDED,)),
    ("integer", "12.0", {}, "12", ()),
    ("percent", "12.5%", {}, "12.5", ()),
    ("percent", "0.125", {"fraction": True}, "12.500", ()),
    ("duration", "90", {}, "1.5", ()),
    ("duration", "100", {}, "1.67", (C.ROUNDED,)),
    ("duration", "90", {"to": "clock"}, "01:30", ()),
    ("duration", "1.5", {"unit": "hours", "to": "text"}, "1 h 30 min", ()),
    ("duration", "-5", {"to": "clock"}, None, (C.OUT_OF_RANGE,)),
    ("duration", "soon", {}, None, (C.NOT_A_NUMBER,)),
]

PARIS = "Europe/Paris"
TIME_CASES = [
    ("date", "2024-05-01", {}, "2024-05-01", ()),
    ("date", "2024-03-30T23:30:00+00:00", {"zone": PARIS}, "2024-03-31", (C.TIME_DROPPED,)),
    ("date", "2024-03-31T22:00:00+00:00", {"zone": PARIS}, "2024-04-01", ()),
    ("date", "1900-01-01", {}, "1900-01-01", ()),
    ("date", "1900-01-01", {"sentinels": ["1900-01-01"]}, None, (C.SENTINEL_BLANKED,)),
    ("date", "31/12/2023", {"formats": ["%m/%d/%Y", "%d/%m/%Y"]}, "2023-12-31", ()),
    ("date", "31/12/2023", {}, None, (C.NOT_A_DATE,)),
    ("date", "2023-02-30", {}, None, (C.NOT_A_DATE,)),
    ("datetime", "2024-03-31", {"zone": PARIS, "at": "02:30"}, "2024-03-31T01:30:00+00:00", (C.TIME_ASSUMED,)),
    ("datetime", "2024-10-27T02:30:00", {"zone": PARIS}, "2024-10-27T00:30:00+00:00", ()),
    ("datetime", "2024-01-01T00:00:00-05:00", {}, "2024-01-01T05:00:00+00:00", ()),
    ("datetime", "0001-01-01T00:00:00+14:00", {}, None, (C.NOT_A_DATE,)),
    ("datetime", "yesterday", {}, None, (C.NOT_A_DATE,)),
]

MANY_CASES = [
    ("join", ["a", None, ""], {}, "a", ()),
    ("join", [None, ""], {}, None, ()),
    ("join", ["a", "b", "c"], {"separator": " / "}, "a / b / c", ()),
    ("concat", ["a", "b"], {}, "ab", ()),
    ("full_name", ["Ann", "Lee"], {}, "Ann Lee", ()),
    ("address", ["1 Road", None, "Lyon"], {}, "1 Road\nLyon", ()),
    ("first_of", [None, False, "x"], {}, False, ()),
    ("first_of", ["", [], "x"], {}, "x", ()),
    ("template", ["7", "Boiler"], {"template": "{a} – {b}"}, "7 – Boiler", ()),
    ("template", ["7", None], {"template": "{a} – {b}"}, "7", ()),
    ("template", ["7", None], {"template": "{a} – {b}", "tidy": False}, "7 – ", ()),
    ("template", [None, ""], {"template": "{a} – {b}"}, None, ()),
    ("template", ["{b}", "x"], {"template": "{{{a}}} {b}"}, "{{b}} x", ()),
]


@pytest.mark.parametrize(
    ("name", "value", "args", "made", "codes"), TEXT_CASES + NUMBER_CASES + TIME_CASES + MANY_CASES
)
def test_transform(name: str, value: Any, args: dict[str, Any], made: Any, codes: tuple[IssueCode, ...]) -> None:
    assert run(name, value, **args) == (made, codes)


def test_every_transform_is_covered_and_describes_itself() -> None:
    tested = {case[0] for case in TEXT_CASES + NUMBER_CASES + TIME_CASES + MANY_CASES}
    assert set(TRANSFORMS) - tested == {"html_to_text", "text_block", "const"}
    for entry in TRANSFORMS.values():
        assert entry.describe()["targets"], entry.name


def test_every_code_has_a_severity() -> None:
    assert set(SEVERITY) == set(IssueCode)
    assert SEVERITY[C.TRUNCATED] is Severity.WARNING


def test_clock_does_not_go_into_a_number_field() -> None:
    with pytest.raises(ValueError, match="no number"):
        run("duration", "90", to="clock", target=FieldSpec(name="t", type=FieldType.DECIMAL))


class TestHtml:
    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ("<p>One<br>two</p><ul><li>a</li><li>b</li></ul>", "One\ntwo\n\n- a\n- b"),
            ("R&amp;D &#8211; x", "R&D – x"),
            ('<a href="https://x.org/y">site</a>', "site (https://x.org/y)"),
            ('<a href="https://x.org">https://x.org</a>', "https://x.org"),
            ("a<script>alert(1)</script>b<!-- c -->d", "abd"),
            ("<b>bold</b> <i class='x'>it</i>", "bold it"),
        ],
    )
    def test_keeps_the_text(self, source: str, text: str) -> None:
        assert html_to_text(source) == Noted(text, (C.HTML_REMOVED,))

    @pytest.mark.parametrize("source", ["a < b > c", "<ann@example.org>", "AT&T; x", "plain", "x <- y", "<unclosed"])
    def test_leaves_what_is_no_html(self, source: str) -> None:
        assert html_to_text(source) == source

    @pytest.mark.parametrize("piece", ["<", "<a ", '<a "', "<!--", "<script>", "<p", "&", "<a href='", "<p></p>", "<a"])
    def test_takes_a_megabyte_of_anything(self, piece: str) -> None:
        """A scan that is not linear needs hours for these and would never come to the assertion."""
        text = piece * (1_000_000 // len(piece))
        made = html_to_text(text)
        assert made == (Noted(None, (C.HTML_REMOVED,)) if piece in {"<p></p>", "<script>"} else text)


class TestBlock:
    facts = st.dictionaries(st.sampled_from(["Created", "Author", "Owner (old)"]), st.text(min_size=1), min_size=1)

    @given(body=st.text(), facts=facts)
    def test_is_read_back(self, body: str, facts: dict[str, str]) -> None:
        made = text_block(body, "Original record", facts, None)
        assert parse_text_block(made, "Original record") == (body, facts)

    @given(facts=facts)
    def test_is_read_back_when_the_values_look_like_blocks(self, facts: dict[str, str]) -> None:
        odd = {label: f"--- T ---\n{value}\n--- end ---\\n" for label, value in facts.items()}
        body = "--- T ---\nCreated: x\n--- end ---"
        assert parse_text_block(text_block(body, "T", odd, None), "T") == (body, odd)

    def test_the_body_gives_way_to_the_facts(self) -> None:
        made = text_block("x" * 100, "T", {"Created": "now"}, 60)
        assert made.codes == (C.TRUNCATED,)
        assert len(made.value) == 60
        body, facts = parse_text_block(made.value, "T")
        assert set(body) == {"x"}
        assert facts == {"Created": "now"}

    def test_text_without_a_block_is_body(self) -> None:
        assert parse_text_block("hello --- end ---", "T") == ("hello --- end ---", {})

    def test_sources_come_from_the_arguments(self) -> None:
        args = {"body": "Notes", "facts": {"Created": "CreatedDate", "Author": "Owner.Name"}}
        parsed = TRANSFORMS["text_block"].args.model_validate(args)
        assert needed(parsed, ()) == ("Notes", "CreatedDate", "Owner.Name")

    def test_labels_name_the_sources_in_order(self) -> None:
        made, codes = run("text_block", [True, "said\nso", None], labels=["Was open", "", "Author"])
        assert made == "said\nso\n\n--- Original record ---\nWas open: true\n--- end ---"
        assert codes == ()
        assert parse_text_block(made) == ("said\nso", {"Was open": "true"})
        assert run("text_block", ["only text", None], labels=["", "Author"]) == ("only text", ())
        assert run("text_block", [None, ""], labels=["", "Author"]) == (None, ())

    def test_one_source_may_stand_under_two_labels(self) -> None:
        step = TRANSFORMS["text_block"].prepare(
            TRANSFORMS["text_block"].args.model_validate({"labels": ["", "Title"]}),
            Fitting(("Subject", "Subject"), FieldSpec(name="t")),
        )
        assert parse_text_block(step(["x", "x"])) == ("x", {"Title": "x"})

    @given(body=st.text(), facts=facts)
    def test_is_read_back_with_the_mark_below_it(self, body: str, facts: dict[str, str]) -> None:
        mark = "2026-03-05 19:30 UTC by Ann [servicetracker:Task:00T1]"
        made = f"{text_block(body, 'Original record', facts, None)}\n\n{mark}"
        assert parse_text_block(made) == (body, facts)

    @pytest.mark.parametrize(
        "args",
        [
            {},
            {"labels": ["", "a", "a"]},
            {"labels": ["", ""]},
            {"labels": ["x: y"]},
            {"labels": ["A"], "facts": {"A": "a"}},
            {"labels": ["A"], "body": "a"},
        ],
    )
    def test_refuses_odd_arguments(self, args: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            TRANSFORMS["text_block"].args.model_validate(args)

    def test_refuses_a_label_without_a_source(self) -> None:
        with pytest.raises(ValueError, match="2 labels for 1 sources"):
            run("text_block", ["a"], labels=["", "Author"])


class TestCut:
    @given(st.text(), st.integers(1, 20))
    def test_is_a_prefix_within_the_length(self, text: str, length: int) -> None:
        made = cut(text, length)
        assert text.startswith(made)
        assert len(made) <= length
        assert bool(made) == bool(text)

    def test_does_not_end_inside_a_letter_or_emoji(self) -> None:
        assert cut("ae\u0301", 2) == "a"
        assert cut("a👩\u200d👧", 3) == "a"


@pytest.mark.parametrize("template", ["{}", "{a!r}", "{a:>5}", "{a[0]}", "{", "{a} {{b}", "{a{b}}"])
def test_templates_are_plain(template: str) -> None:
    with pytest.raises(ValueError):
        placeholders(template)
