"""What single values of an RSoft export mean: kinds of activity, names of people, lengths of calls, related records."""

import re
from datetime import datetime, timedelta
from types import MappingProxyType

from app.domain.texts import name_parts

KINDS = MappingProxyType(
    {
        "call": ("call", "phone call", "telephone", "ivr call", "ivr", "autodialer call"),
        "email": ("email", "e-mail", "mail"),
        "sms": ("sms", "text message"),
        "meeting": ("meeting", "appointment", "visit", "site visit", "demo"),
        "note": ("note", "remark", "comment", "remarks"),
        "task": ("task", "to do", "todo", "follow up", "follow-up"),
    }
)
"""Kinds of activity by what exports call them; anything else is kept as a note that names its kind."""
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
RELATED = MappingProxyType(
    {"contact": "contacts", "lead": "leads", "deal": "deals", "company": "companies", "ticket": "tickets"}
)
"""Objects that activities and tags can belong to, by the singular that exports write."""
FORECASTS = MappingProxyType(
    {
        "open": "Open",
        "won": "Closed Won",
        "closed won": "Closed Won",
        "lost": "Closed Lost",
        "closed lost": "Closed Lost",
    }
)
_OTHER_WORDS = MappingProxyType({"account": "companies", "opportunity": "deals", "customer": "contacts"})
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_MINUTES = re.compile(
    r"(\d{1,5}(?:\.\d{1,2})?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?\.?", re.ASCII | re.IGNORECASE
)
_PER_MINUTE = {"s": 1 / 60, "m": 1.0, "h": 60.0, "": 1.0}


def activity_kind(text: str) -> str:
    """call | email | sms | meeting | note | task, or "other"."""
    return _KIND_OF.get(" ".join(text.split()).casefold(), "other")


def object_behind(text: str) -> str:
    """The object that a word such as "Contact" or "Deals" stands for, "" when it stands for none."""
    word = text.strip().casefold()
    for form in (word, word.removesuffix("s"), word[:-3] + "y" if word.endswith("ies") else word):
        if found := RELATED.get(form) or _OTHER_WORDS.get(form):
            return found
    return ""


def person_parts(first: str, last: str, whole: str) -> tuple[str, str]:
    """(given, family) name. One name alone is the family name, since destinations insist on that one."""
    first, last = " ".join(first.split()), " ".join(last.split())
    if not first and not last:
        return name_parts(whole) if whole.strip() else ("", "")
    return (first, last) if last else ("", first)


def minutes(text: str) -> str:
    """The length of a call in minutes as a decimal text: "12", "5 min", "90 sec", "00:04:30"; "" for anything else."""
    bare = text.strip()
    if clock := _CLOCK.fullmatch(bare):
        one, two, three = (int(part or 0) for part in clock.groups())
        seconds = one * 3600 + two * 60 + three if clock[3] else one * 60 + two
        return _short(seconds / 60)
    if plain := _MINUTES.fullmatch(bare):
        return _short(float(plain[1]) * _PER_MINUTE[(plain[2] or "")[:1].lower()])
    return ""


def later(start: str, length: str) -> str:
    """The canonical moment `length` minutes after another one; what is no moment stays."""
    try:
        return (datetime.fromisoformat(start) + timedelta(minutes=float(length or 0))).isoformat()
    except (ValueError, OverflowError):
        return start


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
