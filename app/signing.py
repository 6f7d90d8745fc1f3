"""Signs documents that leave the house, so that whoever holds one can check it offline: Ed25519 over canonical JSON.

The signing key is derived from the ring's oldest master key, which rotation keeps, and lives in memory only.
"""

import base64
import hashlib
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.security import KeyRing

ALGORITHM = "Ed25519"
_PURPOSE = b"tranship document signature"


class SignatureWrong(Exception):
    """A document that was not signed by this key, or was altered since, or is no signed document at all."""


def canonical_bytes(document: Any) -> bytes:
    """The one spelling of a JSON document that is signed: keys sorted, no blanks, UTF-8."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def public_key(ring: KeyRing) -> bytes:
    """The 32 bytes by which signatures of this installation are checked."""
    return _private(ring).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint(key: bytes) -> str:
    """A public key as people compare it: sixteen hexadecimal digits in groups of four."""
    digits = hashlib.sha256(key).hexdigest()[:16]
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def sign(ring: KeyRing, document: Any) -> dict[str, Any]:
    """The document in an envelope with its signature and the public key."""
    private = _private(ring)
    key = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "document": document,
        "signature": {
            "algorithm": ALGORITHM,
            "public_key": base64.b64encode(key).decode(),
            "fingerprint": fingerprint(key),
            "value": base64.b64encode(private.sign(canonical_bytes(document))).decode(),
        },
    }


def open_signed(envelope: Any, *, expected: bytes | None = None) -> tuple[Any, bytes]:
    """(document, public key) of an envelope whose signature is right. `expected` pins the key.

    Raises SignatureWrong.
    """
    try:
        signature = envelope["signature"]
        key = base64.b64decode(signature["public_key"], validate=True)
        value = base64.b64decode(signature["value"], validate=True)
        document = envelope["document"]
        algorithm = signature["algorithm"]
    except (KeyError, TypeError, ValueError) as error:
        raise SignatureWrong("this is no signed document") from error
    if algorithm != ALGORITHM:
        raise SignatureWrong(f"signed with {str(algorithm)[:20]!r}, which is not {ALGORITHM}")
    if expected is not None and key != expected:
        raise SignatureWrong(f"signed by another key ({fingerprint(key)}) than expected ({fingerprint(expected)})")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(value, canonical_bytes(document))
    except (InvalidSignature, ValueError) as error:
        raise SignatureWrong("the document was altered after it was signed") from error
    return document, key


def _private(ring: KeyRing) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(ring.derive(_PURPOSE))
