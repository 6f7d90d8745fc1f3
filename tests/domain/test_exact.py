"""JSON at its word: what a schema calls a boolean or a number is one, wherever it stands."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from app.domain.exact import Exact, ExactJson
from app.domain.mapping import MappingDocument


class Part(Exact):
    size: int | None = None
    wanted: bool = False


class Whole(ExactJson, BaseModel):
    number: Annotated[int, Field(ge=0, le=5)] = 1
    share: float | None = None
    counts: dict[str, Annotated[int, Field(ge=0)]] = {}
    parts: list[Part] = []
    any_of: tuple[str | bool | None, ...] = ()


def test_what_is_right_passes() -> None:
    read = Whole.model_validate(
        {
            "number": 1.0,
            "share": 1,
            "counts": {"a": 2},
            "parts": [{"size": 3, "wanted": True}],
            "any_of": [True, "x", None],
        }
    )
    assert (read.number, read.share, read.counts, read.parts[0].size) == (1, 1.0, {"a": 2}, 3)
    assert read.any_of == (True, "x", None)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"number": "1"}, ("number",)),
        ({"number": True}, ("number",)),
        ({"number": 1.5}, ("number",)),
        ({"share": "0.5"}, ("share",)),
        ({"share": False}, ("share",)),
        ({"counts": {"a": "2"}}, ("counts", "a")),
        ({"parts": [{"wanted": 1}]}, ("parts", 0, "wanted")),
        ({"parts": [{"wanted": "true"}]}, ("parts", 0, "wanted")),
        ({"parts": [{"size": "3"}]}, ("parts", 0, "size")),
    ],
)
def test_what_only_looks_right_is_named(wrong: dict[str, Any], place: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Whole.model_validate(wrong)
    assert [each["loc"] for each in refused.value.errors()] == [place]


def test_the_described_schema_is_the_same() -> None:
    class Plain(BaseModel):
        number: Annotated[int, Field(ge=0, le=5)] = 1

    assert Whole.model_json_schema()["properties"]["number"] == Plain.model_json_schema()["properties"]["number"]


def test_a_mapping_is_exact_in_its_parts() -> None:
    field = {"object": "A", "key": "b", "label": "B", "external": 0}
    with pytest.raises(ValidationError, match="valid boolean"):
        MappingDocument.model_validate({"source": "a", "destination": "b", "plan": {"fields": [field]}})
