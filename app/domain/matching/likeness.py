"""Names of fields as words: splitting, common abbreviations, and how alike two names are."""

import re
import unicodedata
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

_SUFFIX = re.compile(r"__(c|r|s|pc|e)$", re.IGNORECASE)
_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^\w]+|_+")
_SYNONYMS = {
    "qty": "quantity", "num": "number", "no": "number", "nr": "number", "tel": "phone", "telephone": "phone",
    "mobile": "mobile", "cell": "mobile", "mail": "email", "addr": "address", "desc": "description", "amt": "amount",
    "zip": "postal", "postcode": "postal", "postalcode": "postal", "plz": "postal", "dob": "birthdate",
    "birthday": "birthdate", "company": "account", "client": "account", "customer": "account",
    "organisation": "account", "organization": "account", "surname": "last", "forename": "first",
    "given": "first", "family": "last",
    "url": "website", "web": "website", "site": "website", "start": "start", "begin": "start", "finish": "end",
    "stop": "end", "labour": "labor", "cost": "cost", "price": "price", "memo": "notes", "comment": "notes",
    "comments": "notes", "remark": "notes", "remarks": "notes", "province": "state", "county": "state", "town": "city",
}  # fmt: skip
_FILLERS = frozenset({"id", "name", "of", "the", "field", "custom", "value", "code"})


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The lower-case words of an API name or a label, abbreviations spelt out: "QtyOnHand__c" → quantity, on, hand."""
    bare = _SUFFIX.sub("", unicodedata.normalize("NFKC", name).strip())
    parts = (part.casefold() for part in _BORDER.split(bare) if part)
    return tuple(_SYNONYMS.get(part, part) for part in parts)


def likeness(left: str, right: str) -> float:
    """How alike two names are, 0 to 1; equal word sets count as 1 whatever their order."""
    ours, theirs = words(left), words(right)
    if not ours or not theirs:
        return 0.0
    if sorted(ours) == sorted(theirs):
        return 1.0
    core_ours = [word for word in ours if word not in _FILLERS] or list(ours)
    core_theirs = [word for word in theirs if word not in _FILLERS] or list(theirs)
    if sorted(core_ours) == sorted(core_theirs):
        return 0.93
    one, other = " ".join(core_ours), " ".join(core_theirs)
    whole = max(fuzz.token_sort_ratio(one, other) / 100, JaroWinkler.normalized_similarity(one, other))
    shared = len(set(core_ours) & set(core_theirs)) / len(set(core_ours) | set(core_theirs))
    return round(min(0.9, 0.55 * whole + 0.45 * shared), 6)
