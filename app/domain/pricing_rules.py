"""The price list as data. Amounts are minor units of the currency, factors are basis points (10,000 = 1).

A change of any figure needs a new `version`: quotes name the version they were made with and can be made again.
"""

from pydantic import Field

from app.domain.schema import Frozen


class CategoryPrice(Frozen):
    """What a category costs: `base` covers `objects_included` objects, each further one costs `per_object`."""

    label: str
    base: int = Field(ge=0)
    objects_included: int = Field(ge=0)
    per_object: int = Field(ge=0)


class OptionPrice(Frozen):
    """A priced option; `maximum` is how often it can be taken."""

    label: str
    amount: int = Field(ge=0)
    maximum: int = Field(default=1, ge=1)


class PriceRules(Frozen):
    """One version of the price list. `review_above` is the number of records from which a person sets the price."""

    version: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    review_above: int = Field(ge=1)
    valid_days: int = Field(ge=1)
    categories: dict[str, CategoryPrice]
    editions: dict[str, int] = {}
    grades: dict[str, int]
    options: dict[str, OptionPrice]
    rounding: int = Field(default=100, ge=1)


CURRENT = PriceRules(
    version="2026-11",
    currency="USD",
    review_above=2_000_000,
    valid_days=30,
    categories={
        "crm": CategoryPrice(label="CRM", base=249_000, objects_included=8, per_object=12_000),
        "field_service": CategoryPrice(label="field service", base=279_000, objects_included=8, per_object=14_000),
        "practice_management": CategoryPrice(
            label="practice management", base=299_000, objects_included=8, per_object=16_000
        ),
    },
    editions={
        "zoho_crm:enterprise": 0,
        "zoho_crm:ultimate": 0,
        "zoho_crm:professional": 15_000,
        "zoho_crm:standard": 30_000,
        "freshsales:enterprise": 0,
        "freshsales:pro": 15_000,
        "freshsales:growth": 30_000,
    },
    grades={"A": 9_000, "B": 10_000, "C": 13_500, "D": 18_000},
    options={
        "delta_extension": OptionPrice(label="Delta window longer by one day", amount=15_000, maximum=7),
        "extra_sample": OptionPrice(label="One more sample run with its diff", amount=20_000, maximum=5),
        "hypercare": OptionPrice(label="Hypercare longer by one day", amount=18_000, maximum=14),
        "rehearsal": OptionPrice(label="Rehearsal in a trial organisation", amount=60_000),
        "files_archive": OptionPrice(label="Archive of all files with checksums", amount=35_000),
    },
)
"""The price list in force. Prices depend on objects, plan, grade and options, never on the number of records."""
