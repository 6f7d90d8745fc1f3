"""Seals what is stored: envelopes under the master keys, and the engagement's own data key for payloads.

An envelope is `version | key id length | key id | nonce | ciphertext`, AES-256-GCM, with associated data that binds
it to its place (tenant, connection, field), so that bytes copied to another row do not open there.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from itertools import count

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE = 12


class SealBroken(Exception):
    """Sealed bytes that do not open: wrong key, wrong place, or altered."""


class KeyRing:
    """The key ring: the first key seals, all of them open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """`keys` maps key id (1–32 ASCII characters) to 32 bytes; the first is current. Raises ValueError otherwise."""
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("a master key has 32 bytes")
        if any(not 0 < len(name.encode()) <= 32 for name in keys):
            raise ValueError("a key id has 1 to 32 characters")
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self._raw = dict(keys)
        self.current = next(iter(keys))

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r})"

    def seal(self, clear: bytes, *, place: str) -> bytes:
        """An envelope around `clear`, bound to `place`."""
        name = self.current.encode()
        nonce = os.urandom(_NONCE)
        return b"".join(
            (_VERSION, bytes([len(name)]), name, nonce, self._keys[self.current].encrypt(nonce, clear, place.encode()))
        )

    def unseal(self, envelope: bytes, *, place: str) -> bytes:
        """The clear bytes. Raises SealBroken."""
        name, start = self._name(envelope)
        if name not in self._keys:
            raise SealBroken(f"sealed under key {name!r}, which is not on the ring")
        nonce, body = envelope[start : start + _NONCE], envelope[start + _NONCE :]
        try:
            return self._keys[name].decrypt(nonce, body, place.encode())
        except InvalidTag as error:
            raise SealBroken("sealed bytes do not open here") from error

    def is_current(self, envelope: bytes) -> bool:
        """Whether a rotation may leave this envelope as it is."""
        return self._name(envelope)[0] == self.current

    def pepper(self, text: bytes) -> bytes:
        """The keyed hash of API keys: HMAC-SHA256 under the ring's oldest key, which rotation keeps."""
        oldest = list(self._raw.values())[-1]
        return hmac.new(hashlib.sha256(b"tranship pepper" + oldest).digest(), text, hashlib.sha256).digest()

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose, from the ring's oldest key, which rotation keeps."""
        oldest = list(self._raw.values())[-1]
        return hmac.new(oldest, b"tranship derive " + purpose, hashlib.sha256).digest()

    @staticmethod
    def _name(envelope: bytes) -> tuple[str, int]:
        if len(envelope) < 2 or envelope[:1] != _VERSION or len(envelope) < 2 + envelope[1] + _NONCE:
            raise SealBroken("not an envelope")
        start = 2 + envelope[1]
        return envelope[2:start].decode("ascii", "replace"), start


class DataKey:
    """An engagement's own key: seals payloads, hashes values. Nonces: a random prefix plus a counter."""

    __slots__ = ("_cipher", "_counter", "_hash", "_prefix", "hash_key")

    def __init__(self, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("a data key has 32 bytes")
        self._cipher = AESGCM(hashlib.blake2b(b"seal", key=key, digest_size=32).digest())
        self.hash_key = hashlib.blake2b(b"hash", key=key, digest_size=32).digest()
        self._hash = hashlib.blake2b(key=self.hash_key, digest_size=16)
        self._prefix = os.urandom(8)
        self._counter = count()

    @staticmethod
    def generate() -> bytes:
        return os.urandom(32)

    def seal(self, clear: bytes, place: bytes = b"") -> bytes:
        """Nonce and ciphertext; `place` binds it to its row."""
        number = next(self._counter)
        if number >= 1 << 32:
            self._prefix = os.urandom(8)
            self._counter = count()
            number = next(self._counter)
        nonce = self._prefix + number.to_bytes(4, "big")
        return nonce + self._cipher.encrypt(nonce, clear, place)

    def unseal(self, sealed: bytes, place: bytes = b"") -> bytes:
        """The clear bytes. Raises SealBroken."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except InvalidTag as error:
            raise SealBroken("sealed bytes do not open here") from error

    def hash(self, clear: bytes) -> bytes:
        """A keyed 16-byte hash: equal for equal bytes, useless without the key (ruling 4)."""
        keyed = self._hash.copy()  # the key is worked in once: half the time of a fresh keyed hash
        keyed.update(clear)
        return keyed.digest()
