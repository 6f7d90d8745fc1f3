"""Quotes as callers see them."""

from app.models import Quote
from app.quotes import service
from app.quotes.schemas import CreateQuote, LineView, QuoteState, QuoteView
from app.runtime import Runtime


def show(quote: Quote, runtime: Runtime) -> QuoteView:
    """The quote as it stands now."""
    result = quote.result
    return QuoteView(
        **{name: quote.request[name] for name in CreateQuote.model_fields},
        id=quote.id,
        state=QuoteState(service.state_at(quote, runtime.now())),
        records=result["records"],
        amount_minor=quote.amount_minor,
        currency=quote.currency,
        lines=[
            LineView(code=each["code"], label=each["label"], amount_minor=each["amount"]) for each in result["lines"]
        ],
        complexity=result["complexity"],
        timeline=result["timeline"],
        review_reason=result["review_reason"],
        note=result.get("note", ""),
        rules_version=quote.rules_version,
        blueprint_version=result["blueprint_version"],
        fingerprint=result["fingerprint"],
        created_at=quote.created_at,
        valid_until=quote.valid_until,
    )
