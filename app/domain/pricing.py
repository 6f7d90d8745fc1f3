"""The quote: a price by rules over category, objects, plan, grade and options, never per record.

Equal requests under equal rules give an equal quote with an equal fingerprint.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from pydantic import Field

from app.domain.blueprint import Blueprint, Timeline
from app.domain.grading import Complexity, DestinationFacts, grade
from app.domain.plurals import counted
from app.domain.pricing_rules import CURRENT, PriceRules
from app.domain.schema import Frozen

MAX_COUNT = 10**12


class QuoteRefused(ValueError):
    """The request cannot be priced; `code` is stable, the message says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class QuoteRequest(Frozen):
    """What a client asks a price for. `counts` are records per source object, `options` how often each is taken."""

    category: str
    source: str
    destination: str
    source_edition: str = ""
    destination_edition: str = ""
    counts: dict[str, int] = Field(default={}, max_length=1_000)
    options: dict[str, int] = Field(default={}, max_length=50)


class QuoteLine(Frozen):
    """One position; `amount` in minor units, negative for a reduction."""

    code: str
    label: str
    amount: int


class Quote(Frozen):
    """A price with its grounds. `total` is None while an operator has to set it (`needs_review`)."""

    rules_version: str
    blueprint_version: str
    currency: str
    lines: tuple[QuoteLine, ...]
    total: int | None
    complexity: Complexity
    timeline: Timeline
    records: int
    needs_review: bool
    review_reason: str = ""
    valid_days: int
    fingerprint: str

    def valid_until(self, issued_at: datetime) -> datetime:
        """The moment the price ends."""
        return issued_at + timedelta(days=self.valid_days)


def quote(
    request: QuoteRequest,
    blueprint: Blueprint,
    *,
    facts: DestinationFacts | None = None,
    rules: PriceRules = CURRENT,
) -> Quote:
    """The price of a request. Raises QuoteRefused for an unknown category or option, or counts out of range."""
    _check(request, blueprint, rules)
    records = sum(request.counts.values())
    complexity = grade(blueprint, request.counts, facts)
    lines = _lines(request, blueprint, complexity, rules)
    review = records > rules.review_above
    reason = f"More than {rules.review_above:,} records are priced by an operator." if review else ""
    return Quote(
        rules_version=rules.version,
        blueprint_version=blueprint.version,
        currency=rules.currency,
        lines=() if review else tuple(lines),
        total=None if review else sum(line.amount for line in lines),
        complexity=complexity,
        timeline=blueprint.timeline,
        records=records,
        needs_review=review,
        review_reason=reason,
        valid_days=rules.valid_days,
        fingerprint=_fingerprint(request, blueprint, rules, facts),
    )


def _check(request: QuoteRequest, blueprint: Blueprint, rules: PriceRules) -> None:
    if (request.source, request.destination) != (blueprint.source, blueprint.destination):
        raise QuoteRefused("pair_mismatch", f"The blueprint is not for {request.source} → {request.destination}.")
    if request.category not in rules.categories:
        known = ", ".join(sorted(rules.categories))
        raise QuoteRefused("unknown_category", f"There is no category {request.category!r}; known: {known}.")
    for name, count in request.counts.items():
        if not 0 <= count <= MAX_COUNT:
            raise QuoteRefused("bad_count", f"The count of {name} must be between 0 and {MAX_COUNT}.")
    for name, times in request.options.items():
        option = rules.options.get(name)
        if option is None:
            known = ", ".join(sorted(rules.options))
            raise QuoteRefused("unknown_option", f"There is no option {name!r}; known: {known}.")
        if not 0 <= times <= option.maximum:
            raise QuoteRefused("bad_option", f"{name} can be taken up to {option.maximum} times.")


def _lines(
    request: QuoteRequest, blueprint: Blueprint, complexity: Complexity, rules: PriceRules
) -> Sequence[QuoteLine]:
    category = rules.categories[request.category]
    lines = [QuoteLine(code="base", label=f"Migration, {category.label}", amount=category.base)]
    further = max(0, len(blueprint.rows) - category.objects_included)
    if further:
        label = f"{counted(further, 'object')} beyond {category.objects_included}"
        lines.append(QuoteLine(code="objects", label=label, amount=further * category.per_object))
    surcharge = rules.editions.get(f"{request.destination}:{request.destination_edition.strip().lower()}", 0)
    if surcharge:
        label = f"Narrow limits of {request.destination_edition.strip().capitalize()}"
        lines.append(QuoteLine(code="edition", label=label, amount=surcharge))
    work = sum(line.amount for line in lines)
    factor = rules.grades[complexity.grade.value]
    change = _rounded(work * (factor - 10_000), 10_000 * rules.rounding) * rules.rounding
    if change:
        label = f"Complexity {complexity.grade.value}"
        lines.append(QuoteLine(code="complexity", label=label, amount=change))
    for name in sorted(request.options):
        option, times = rules.options[name], request.options[name]
        if times:
            label = option.label if times == 1 else f"{option.label} × {times}"
            lines.append(QuoteLine(code=f"option:{name}", label=label, amount=times * option.amount))
    return lines


def _rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, halves away from zero, without floats."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def _fingerprint(request: QuoteRequest, blueprint: Blueprint, rules: PriceRules, facts: DestinationFacts | None) -> str:
    """A hash over all that the price depends on; option and count order do not matter."""
    ordered = request.model_copy(
        update={"counts": dict(sorted(request.counts.items())), "options": dict(sorted(request.options.items()))}
    )
    parts = (
        ordered.model_dump_json(),
        blueprint.version,
        rules.version,
        (facts or DestinationFacts()).model_dump_json(),
    )
    return sha256("\n".join(parts).encode()).hexdigest()
