"""Typed ids: a prefix that says what the id names, and a UUIDv7 in Crockford base32 that sorts by time."""

from uuid import UUID

PREFIXES = {
    "tenant": "ten",
    "api_key": "key",
    "quote": "quo",
    "engagement": "eng",
    "connection": "con",
    "mapping": "map",
    "run": "run",
    "report": "rep",
    "artifact": "fil",
    "question": "que",
    "event": "evt",
    "webhook_endpoint": "whe",
    "webhook_delivery": "whd",
    "request": "req",
    "upload": "upl",
}

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_DIGITS = 26


def uuid7(milliseconds: int, entropy: bytes) -> UUID:
    """A version 7 UUID (RFC 9562) from a Unix time in milliseconds and ten random bytes."""
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(entropy[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def encode_id(kind: str, value: UUID) -> str:
    """The public form of an id, e.g. `run_01jd…`. Raises KeyError for an unknown kind."""
    number = value.int
    letters = []
    for _ in range(_DIGITS):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{PREFIXES[kind]}_{''.join(reversed(letters))}"


def decode_id(kind: str, text: str) -> UUID:
    """The UUID behind a public id. Raises ValueError when the prefix or a letter is wrong."""
    prefix, _, body = text.partition("_")
    if prefix != PREFIXES[kind] or len(body) != _DIGITS:
        raise ValueError(f"not a {kind} id")
    number = 0
    for letter in body:
        if letter not in _VALUES:
            raise ValueError(f"not a {kind} id")
        number = number << 5 | _VALUES[letter]
    if number >> 128:
        raise ValueError(f"not a {kind} id")
    return UUID(int=number)
