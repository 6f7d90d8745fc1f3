"""Strong ETags of documents and the If-Match that guards a change."""

import hashlib
import re

from app.errors import BadRequest, PreconditionMissing, Stale

ETAGS = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
"""What RFC 9110 takes as If-Match."""


def etag(*parts: object) -> str:
    """A strong entity tag from whatever identifies this version, for example an id and a revision."""
    text = "\0".join(str(part) for part in parts)
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def require_match(if_match: str | None, current: str) -> None:
    """Raises PreconditionMissing without If-Match, BadRequest for what is none, Stale for one of another version.

    `*` matches any.
    """
    if if_match is None:
        raise PreconditionMissing("Read the document first and send its ETag as If-Match.")
    if not re.fullmatch(ETAGS, if_match):
        raise BadRequest("If-Match names an ETag in double quotes, several separated by commas, or is *.")
    tags = {tag.strip() for tag in if_match.split(",")}
    if "*" not in tags and current not in tags:
        raise Stale("Read the document again, apply your change to it, and send its new ETag.", etag=current)
