"""Keys as callers see them."""

import base64

from app.keys.schemas import Key, SigningKey
from app.models import ApiKey
from app.runtime import Runtime
from app.signing import fingerprint, public_key


def show(row: ApiKey) -> Key:
    return Key.model_validate(row, from_attributes=True)


def show_signing_key(runtime: Runtime) -> SigningKey:
    """The key by which whoever holds a signed document can check it."""
    key = public_key(runtime.keys)
    return SigningKey(public_key=base64.b64encode(key).decode(), fingerprint=fingerprint(key))
