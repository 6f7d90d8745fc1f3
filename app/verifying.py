"""Checks a signed document offline: no database, no network, no secret. What `tranship verify` does."""

import base64
import binascii
import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from app.domain.certificates import CERTIFICATE, PurgeCertificate
from app.domain.reconciling import Reconciliation, faults_of, unequal_ranges
from app.signing import SignatureWrong, fingerprint, open_signed

MAX_BYTES = 256 * 1024 * 1024
_SHOWN = 20
_COMPARE = "  compare this fingerprint with GET /v1/signing_key, or give it with --key"


def verify_report(path: Path, key: str | None, say: Callable[[str], None]) -> int:
    """Says what a reconciliation or a purge certificate proves. 0: genuine, and both sides of a reconciliation equal;
    3: genuine and they differ; 1: not to be trusted.

    `key` is the public key in base64, or its fingerprint.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SignatureWrong(f"the file has more than {MAX_BYTES // 1024**2} MiB")
        document, signed_by = open_signed(json.loads(path.read_bytes()), expected=_pinned(key))
        if key is not None and _pinned(key) is None and fingerprint(signed_by) != key.strip().lower():
            raise SignatureWrong(f"signed by another key ({fingerprint(signed_by)}) than expected ({key.strip()[:40]})")
        if isinstance(document, dict) and document.get("kind") == CERTIFICATE:
            return _certificate(PurgeCertificate.model_validate(document), fingerprint(signed_by), key is not None, say)
        found = Reconciliation.model_validate(document)
    except (OSError, ValueError, ValidationError, SignatureWrong, RecursionError) as error:
        reason = "the signed document has another form" if isinstance(error, ValidationError) else str(error)
        say(f"NOT TO BE TRUSTED: {reason}")
        return 1
    faults = faults_of(found)
    for fault in faults:
        say(f"NOT TO BE TRUSTED: {fault}")
    if faults:
        return 1
    _introduce(found, fingerprint(signed_by), pinned=key is not None, say=say)
    unequal = unequal_ranges(found)
    for load, one in unequal[:_SHOWN]:
        say(f"  differs: {load}, records {one.first} to {one.last} ({one.count})")
    if len(unequal) > _SHOWN:
        say(f"  and {len(unequal) - _SHOWN} more ranges")
    records = sum(one.records for one in found.objects)
    if unequal:
        say(f"GENUINE, AND BOTH SIDES DIFFER in {len(unequal)} ranges.")
        return 3
    say(f"GENUINE, AND BOTH SIDES ARE EQUAL: {records} records, root {found.meant}")
    return 0


def _pinned(key: str | None) -> bytes | None:
    """The 32 bytes of a public key; None when the text is a fingerprint or there is none."""
    if key is None or len(key.strip()) != 44:
        return None
    try:
        return base64.b64decode(key.strip(), validate=True)
    except binascii.Error as error:
        raise SignatureWrong("the public key is no base64") from error


def _certificate(found: PurgeCertificate, signer: str, pinned: bool, say: Callable[[str], None]) -> int:
    by = f"by {found.requested_by}" if found.requested_by else "by itself"
    say(f"{found.source} to {found.destination}, engagement {found.engagement}, tenant {found.tenant}")
    say(f"purged at {found.purged_at.isoformat()} {by} ({found.why.replace('_', ' ')}), signed by {signer}")
    if not pinned:
        say(_COMPARE)
    for name, count in found.unreadable.items():
        say(f"  {count:>9} {name.replace('_', ' ')}")
    head = found.audit_head[:16]
    say(f"  entry {found.audit_sequence} of the audit log, after it the head {head}; `tranship audit` proves the log")
    say("GENUINE: the key of these data was destroyed.")
    return 0


def _introduce(found: Reconciliation, signer: str, *, pinned: bool, say: Callable[[str], None]) -> None:
    say(f"{found.source} to {found.destination}, engagement {found.engagement}, run {found.run}")
    say(f"checked at {found.checked_at}, mapping version {found.mapping_version}, signed by {signer}")
    if not pinned:
        say(_COMPARE)
    width = max((len(one.load) for one in found.objects), default=0)
    for one in found.objects:
        state = "equal" if one.meant == one.found else f"{one.different_records} differ, {one.missing_records} missing"
        say(f"  {one.load:<{width}}  {one.records:>9} records in {len(one.ranges)} ranges  {state}")
