"""Names for files at the destination: safe, and different for different files of one parent."""

import re
import unicodedata

LONGEST = 200
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def safe_name(name: str, fallback: str) -> str:
    """The last path component without control or reserved characters, at most 200 characters, suffix kept."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    text = _UNSAFE.sub("_", text).strip(" .")
    if not text:
        return fallback
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 10:
        return text[:LONGEST]
    return f"{stem[: LONGEST - len(suffix) - 1]}.{suffix}"


def distinct_name(name: str, source_id: str) -> str:
    """The name with the source id before its suffix, for a file whose parent has another of the same name."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem} ({source_id}).{suffix}" if dot else f"{name} ({source_id})"
