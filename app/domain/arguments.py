"""The arguments of transforms, checked before anything runs; their JSON schema is what an editor shows."""

from datetime import time
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, model_validator

from app.domain.moments import zone_of
from app.domain.schema import Frozen
from app.domain.texts import LABEL


def _zone(name: str) -> str:
    zone_of(name)
    return name


def _template(text: str) -> str:
    placeholders(text)
    return text


def _label(text: str) -> str:
    if not LABEL.fullmatch(text):
        raise ValueError(f"{text!r} is not a label: a letter or digit, then up to 39 of letters, digits, blanks, ()/-")
    return text


def placeholders(template: str) -> tuple[str, ...]:
    """The source fields a template names, in order. Raises ValueError for anything but plain `{Field}`."""
    names = []
    for _, name, form, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name or form or conversion or "[" in name or "{" in name:
            raise ValueError("a placeholder is a source field in braces and nothing else")
        names.append(name)
    return tuple(dict.fromkeys(names))


Zone = Annotated[str, AfterValidator(_zone)]
Label = Annotated[str, AfterValidator(_label)]
Separator = Annotated[str, Field(max_length=20)]
Sentinels = tuple[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")], ...]
InvalidValue = Literal["blank", "keep"]
Unit = Literal["seconds", "minutes", "hours", "days"]


class Args(Frozen):
    """What every transform takes: `truncate` cuts a text that is too long for the destination instead of refusing."""

    truncate: bool = False


class LengthArgs(Args):
    length: int = Field(gt=0, le=1_000_000)


class SeparatorArgs(Args):
    separator: Separator = ", "


class LinesArgs(Args):
    separator: Separator = "\n"


class BlankArgs(Args):
    separator: Separator = " "


class NoneArgs(Args):
    separator: Separator = ""


class PicklistArgs(Args):
    """`stages` describe the pipeline stages the choices belong to, `pipeline_field` names the field of the same load
    that holds the pipeline; provisioning reads them, records do not change.
    """

    stages: tuple[dict[str, JsonValue], ...] = ()
    pipeline_field: str = "Pipeline"


class ListArgs(Args):
    separator: Annotated[str, Field(min_length=1, max_length=20)] = ";"


class TemplateArgs(Args):
    """`tidy` removes the dashes and commas that a blank placeholder leaves at either end."""

    template: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_template)]
    tidy: bool = True


class ConstArgs(Args):
    value: JsonValue


class AffixArgs(Args):
    text: str = Field(min_length=1, max_length=1000)


class EmailArgs(Args):
    invalid: InvalidValue = "blank"


class PhoneArgs(Args):
    """`region` is the ISO 3166 country assumed for numbers without a country code; "" assumes none."""

    region: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    format: Literal["e164", "international", "national"] = "e164"


class NumberArgs(Args):
    """`locale` (such as de_DE) says what separators mean; "" accepts a point only. `symbols` drops currency marks."""

    locale: Annotated[str, Field(pattern=r"^([a-z]{2,3}([_-][A-Za-z]{4})?([_-][A-Z]{2})?)?$")] = ""
    symbols: bool = False


class CurrencyArgs(NumberArgs):
    symbols: bool = True


class PercentArgs(NumberArgs):
    """`fraction`: the source says 0.125 for 12.5 per cent."""

    fraction: bool = False


class BooleanArgs(Args):
    truths: tuple[str, ...] = ("true", "yes", "y", "1", "on", "x")
    falsehoods: tuple[str, ...] = ("false", "no", "n", "0", "off")


class DateArgs(Args):
    """`zone` decides which day a date-time falls on; `formats` are strptime forms of text; `sentinels` mean blank."""

    zone: Zone = ""
    formats: tuple[str, ...] = ()
    sentinels: Sentinels = ()


class DatetimeArgs(Args):
    """`zone` is that of texts without offset and of dates, which become `at` on that day."""

    zone: Zone = ""
    at: time = time()
    sentinels: Sentinels = ()


class DurationArgs(Args):
    """`to`: another unit, "clock" (HH:MM) or "text" (1 h 30 min); `places` are decimals of a number."""

    unit: Unit = "minutes"
    to: Unit | Literal["clock", "text"] = "hours"
    places: int = Field(default=2, ge=0, le=9)


class BlockArgs(Args):
    """What a text block holds, in one of two forms.

    `labels` name the rule's sources in order, "" marks the free text above the block. Or `body` is the source field
    of the free text (may be none) and `facts` are labels and their source fields.
    """

    title: Label = "Original record"
    body: str = ""
    facts: dict[Label, str] = {}
    labels: tuple[Label | Literal[""], ...] = Field(default=(), max_length=40)

    @model_validator(mode="after")
    def _one_form(self) -> "BlockArgs":
        if bool(self.labels) == bool(self.facts) or (self.labels and self.body):
            raise ValueError("name the values either by labels, one a source, or by body and facts")
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands once, and so does the free text")
        return self


class ExternalIdArgs(Args):
    """`object` is the source object the id belongs to, the load's own when empty."""

    object: str = ""
    part: str = ""
