"""Text conversions: cleaning, HTML to text, cutting, names, addresses of the net, and the block that carries facts."""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from app.domain.issues import IssueCode, Noted, note

# What JSON stores refuse: a lone surrogate has no UTF-8 form, NUL ends a text in PostgreSQL, the rest XML forbids.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
is_sound = re.compile("[\t\n\r -\ud7ff\ue000-\U0010ffff]*+").fullmatch
"""Matches a text in which every character can be sent; several times faster than looking for one that cannot."""
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*+"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]"
)
_URL = re.compile(r"https?://[^\s/?#\"<>\\]+(?:[/?#][^\s\"<>\\]*)?", re.IGNORECASE)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?(?:[/?#].*)?", re.DOTALL)


def text_of(value: Any) -> str:
    """The text of a canonical value: booleans as true/false, lists joined by "; "."""
    if value.__class__ is str:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "; ".join(text_of(item) for item in value)
    return str(value)


def clean(value: str) -> Any:
    """The text without characters that cannot be sent; line breaks, tabs and direction marks stay. Reports removal."""
    if is_sound(value):
        return value
    return Noted(_UNSENDABLE.sub("", value) or None, (IssueCode.CONTROL_CHARACTERS_REMOVED,))


def cut(value: str, length: int) -> str:
    """At most `length` characters, not ending inside a composed letter or a joined emoji."""
    if len(value) <= length:
        return value
    end = length
    while end > max(0, length - 16) and _extends(value, end):
        end -= 1
    return value[: end or length]


def _extends(text: str, at: int) -> bool:
    return unicodedata.category(text[at])[0] == "M" or text[at] == "\u200d" or text[at - 1 : at] == "\u200d"


def truncate(value: Any, length: int) -> Any:
    """Cut to `length` characters; reports TRUNCATED."""
    text = text_of(value)
    return text if len(text) <= length else Noted(cut(text, length) or None, (IssueCode.TRUNCATED,))


def strip(value: Any) -> Any:
    """Without blanks at both ends; reports NORMALISED when there were some."""
    return changed(text_of(value), text_of(value).strip())


def changed(before: str, after: str) -> Any:
    """`after`, reported as NORMALISED when it differs; an empty text is a blank."""
    return after if after == before else Noted(after or None, (IssueCode.NORMALISED,))


def email(value: Any, invalid: str) -> Any:
    """Trimmed and lower-cased. An address no mail system takes is blanked or kept (`invalid`) and reported."""
    text = text_of(value)
    if len(text) > 1000:
        return Noted(text if invalid == "keep" else None, (IssueCode.INVALID_EMAIL,))
    address = text.strip().lower()
    if len(address) > 254 or not _EMAIL.fullmatch(address):
        return Noted(text if invalid == "keep" else None, (IssueCode.INVALID_EMAIL,))
    return changed(text, address)


@lru_cache(maxsize=8192)
def phone(value: str, region: str, style: str) -> Any:
    """A number in E.164, international or national form; what cannot be parsed stays as it is and is reported.

    An extension survives: E.164 has no place for one, so such a number takes the international form.
    """
    import phonenumbers  # slow to load, and few mappings ask for it

    if len(value) > 250:
        return Noted(value, (IssueCode.PHONE_NOT_PARSED,))
    styles = phonenumbers.PhoneNumberFormat
    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException:
        return Noted(value, (IssueCode.PHONE_NOT_PARSED,))
    if not phonenumbers.is_possible_number(number):
        return Noted(value, (IssueCode.PHONE_NOT_PARSED,))
    form = {"e164": styles.E164, "national": styles.NATIONAL}.get(style, styles.INTERNATIONAL)
    if number.extension and form == styles.E164:
        form = styles.INTERNATIONAL
    return changed(value, phonenumbers.format_number(number, form))


def url(value: Any, invalid: str) -> Any:
    """An http(s) address; a bare host gets https://. Anything else is blanked or kept (`invalid`) and reported."""
    text = text_of(value)
    address = text.strip()
    if len(address) > 10_000:
        return Noted(text if invalid == "keep" else None, (IssueCode.INVALID_URL,))
    if _HOST.fullmatch(address):
        address = f"https://{address}"
    if not _URL.fullmatch(address):
        return Noted(text if invalid == "keep" else None, (IssueCode.INVALID_URL,))
    return changed(text, address)


# fmt: off
_PARTICLES = frozenset({
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "la", "le",
    "el", "al", "bin", "ibn", "ben", "ter", "ten", "zu", "zur", "st.", "st", "mac", "mc",
})
# fmt: on
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})


def name_parts(value: Any) -> tuple[str, str]:
    """(first, last) of a person's full name. "Last, First" is understood; one word alone is a last name."""
    text = " ".join(text_of(value).split())
    last, comma, first = text.partition(",")
    if comma and last.strip() and first.strip().lower() not in _SUFFIXES:
        return first.strip(), last.strip()
    words = text.split(" ")
    start = len(words) - 1
    if start > 0 and words[start].lower() in _SUFFIXES:
        start -= 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])


# fmt: off
_BLOCK_TAGS = frozenset({
    "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote",
    "pre", "hr", "section", "article", "header", "footer",
})
_INLINE_TAGS = frozenset({
    "a", "abbr", "b", "big", "body", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "dl", "dt", "em", "font", "head", "html", "i", "img", "ins", "kbd", "label", "link", "mark", "meta",
    "o:p", "s", "small", "span", "strike", "strong", "style", "script", "sub", "sup", "tbody", "td",
    "tfoot", "th", "thead", "title", "tt", "u", "var",
})
# fmt: on
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]*+)((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)/?>")
_HREF = re.compile(r"\bhref\s*=\s*[\"']?(https?://[^\"'\s>]+|mailto:[^\"'\s>]+)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def html_to_text(value: Any) -> Any:
    """The text of an HTML fragment with its line breaks, list marks and link targets; reports HTML_REMOVED.

    Angle brackets that are no known tag ("a < b", "<ann@example.com>") stay as they are, and so does a text in which
    nothing looks like HTML. Linear in the length for any input, which html.parser does not promise.
    """
    text = text_of(value)
    if "<" not in text and "&" not in text:
        return text
    body = _without(_without(_without(text, "<!--", "-->"), "<script", "</script>"), "<style", "</style>")
    found = len(body) != len(text)
    pieces, end, link = [], 0, ""
    for match in _TAG.finditer(body):
        tag = match[2].lower()
        if tag not in _BLOCK_TAGS and tag not in _INLINE_TAGS:
            continue
        found = True
        pieces.append(body[end : match.start()])
        end = match.end()
        if tag == "a":
            pieces.append(f" ({link})" if match[1] and link and link not in pieces[-1] else "")
            href = None if match[1] else _HREF.search(match[3])
            link = href[1] if href else ""
        else:
            pieces.append(_mark(tag, bool(match[1])))
    if not found and not _ENTITY.search(body):
        return text
    plain = html.unescape("".join((*pieces, body[end:])))
    return text if plain == text else Noted(_tidy(plain) or None, (IssueCode.HTML_REMOVED,))


def _mark(tag: str, closing: bool) -> str:
    if tag == "li":
        return "" if closing else "\n- "
    if tag in {"td", "th"}:
        return "\t" if closing else ""
    return "\n" if tag in _BLOCK_TAGS else ""


def _without(text: str, opening: str, closing: str) -> str:
    """`text` without the spans from `opening` to `closing`; an unclosed one stays."""
    lowered = text.lower() if len(text.lower()) == len(text) else text
    pieces, start = [], 0
    while (at := lowered.find(opening, start)) >= 0 and (end := lowered.find(closing, at)) >= 0:
        pieces.append(text[start:at])
        start = end + len(closing)
    return "".join((*pieces, text[start:])) if pieces else text


def _tidy(text: str) -> str:
    lines = [line.rstrip(" \t\xa0") for line in text.split("\n")]
    kept = [line for index, line in enumerate(lines) if line or (index and lines[index - 1])]
    return "\n".join(kept).strip("\n")


BLOCK_TITLE, BLOCK_END = "Original record", "--- end ---"
_MARK = re.compile(r"\n\n[^\n]*\[[^\[\]\n]*\]\Z")
LABEL = re.compile(r"[^\W_][\w ()/-]{0,39}")


def text_block(body: str, title: str, facts: Mapping[str, str], length: int | None) -> Any:
    """`body` followed by a block of labelled facts that `parse_text_block` reads back; blank facts are left out.

    When the whole exceeds `length` the body gives way, never the facts; that reports TRUNCATED.
    """
    lines = [f"{label}: {_escaped(value)}" for label, value in facts.items() if value]
    if not lines:
        return body or None
    block = "\n".join((f"--- {title} ---", *lines, BLOCK_END))
    if not body:
        return block
    room = None if length is None else length - len(block) - 2
    if room is None or len(body) <= room:
        return f"{body}\n\n{block}"
    return note(f"{cut(body, room)}\n\n{block}" if room > 0 else block, IssueCode.TRUNCATED)


def parse_text_block(text: str, title: str = BLOCK_TITLE) -> tuple[str, dict[str, str]]:
    """(body, facts) of a text made by `text_block`; a text without such a block is all body.

    A last line in brackets after the block is the mark a written record is found by, and is passed over.
    """
    made = _MARK.sub("", text) if text.endswith("]") else text
    opening = f"--- {title} ---\n"
    at = made.rfind(f"\n\n{opening}") + 2
    if (at == 1 and not made.startswith(opening)) or not made.endswith(f"\n{BLOCK_END}"):
        return text, {}
    at = 0 if at == 1 else at
    facts = {}
    for line in made[at + len(opening) : -len(BLOCK_END) - 1].split("\n"):
        label, colon, value = line.partition(": ")
        if not colon or not LABEL.fullmatch(label):
            return text, {}
        facts[label] = _unescaped(value)
    return made[: max(0, at - 2)], facts


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


_UNESCAPE: dict[str, str] = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}
_ESCAPE = re.compile(r"\\[\\nr]")


def _unescaped(value: str) -> str:
    replace: Callable[[re.Match[str]], str] = lambda match: _UNESCAPE[match[0]]  # noqa: E731
    return _ESCAPE.sub(replace, value)
