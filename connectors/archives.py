"""ZIP archives: hostile ones are refused before a byte is unpacked, the others parted into tables and documents.

Nothing in an archive's directory is believed: sizes are counted while reading, check sums compared, names cleaned.
"""

import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from connectors.table_shape import Finding, Unreadable

MAX_MEMBERS = 100_000
MAX_TOTAL = 16 * 1024**3
MAX_RATIO = 200
"""Deflate shrinks tables to a tenth or a twentieth; a thousandth is what a bomb needs."""
_FREE = 64 * 1024 * 1024
_MAX_DIRECTORY = 64 * 1024 * 1024
_MAX_PATH = 400
_PIECE = 1024 * 1024
_END, _END_64, _PLACE_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED = (".zip", ".7z", ".rar", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst")
_SYSTEM = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_FOLDERS = frozenset(
    {
        "documents",
        "files",
        "attachments",
        "docs",
        "images",
        "photos",
        "media",
        "uploads",
        "scans",
        "document",
        "pictures",
    }
)
_TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".json", ".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its path made safe, with `/`, in NFC, and whether it is read as a table."""

    path: str
    info: zipfile.ZipInfo
    table: bool


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Raises Unreadable: truncated, archive-too-large (its directory), name-encoding, corrupt."""
    _check_directory(file)
    try:
        return zipfile.ZipFile(file)
    except UnicodeDecodeError:
        raise Unreadable("name-encoding", "a name in the archive says that it is UTF-8 and is not") from None
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError):
        raise Unreadable("corrupt", "the archive's directory cannot be read; make and send it again") from None


def _check_directory(file: BinaryIO) -> None:
    """The directory is read whole by any reader: its size is looked at first."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - 65_557)
    file.seek(start)
    tail = file.read(65_557)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise Unreadable("truncated", "the archive has no end: it is not whole; send it again")
    count, size = struct.unpack_from("<HI", tail, at + 10)
    place = tail[at - 20 : at] if at >= 20 else b""
    if place.startswith(_PLACE_64):
        (offset,) = struct.unpack_from("<Q", place, 8)
        if offset > end - 56:
            raise Unreadable("truncated", "the archive is not whole; send it again")
        file.seek(offset)
        record = file.read(56)
        if not record.startswith(_END_64) or len(record) < 56:
            raise Unreadable("corrupt", "the archive's directory cannot be read; make and send it again")
        count, size = struct.unpack_from("<QQ", record, 32)
    if size > _MAX_DIRECTORY or count > MAX_MEMBERS:
        raise Unreadable("too-many-members", f"the archive has more than {MAX_MEMBERS} files; split it")
    file.seek(0)


def list_members(archive: zipfile.ZipFile) -> tuple[list[Member], list[Finding]]:
    """The files to unpack. Raises Unreadable for an archive with anything in it that is not safe to take."""
    check_members(archive)
    members: list[Member] = []
    seen: dict[str, str] = {}
    skipped = unmarked = 0
    for number, info in enumerate(archive.infolist(), start=1):
        name, guessed = _name(info, number)
        if any(part.casefold() in _SYSTEM or part.startswith("._") for part in name.split("/")):
            skipped += 1
            continue
        path = _safe(name.removesuffix("/") if info.is_dir() else name, number)
        if info.is_dir():
            continue
        unmarked += guessed
        if path.casefold() in seen:
            raise Unreadable("duplicate-member", f"{path} is twice in the archive; which one counts cannot be told")
        seen[path.casefold()] = path
        if path.casefold().endswith(_NESTED):
            raise Unreadable("nested-archive", f"{path} is an archive inside the archive; unpack it first")
        members.append(Member(path, info, _is_table(path)))
    if not members:
        raise Unreadable("empty", "the archive holds no files")
    findings = [Finding(code="system-files-skipped", count=skipped)] if skipped else []
    return members, findings + ([Finding(code="names-assumed-utf8", count=unmarked)] if unmarked else [])


def check_members(archive: zipfile.ZipFile) -> None:
    """Raises Unreadable: too-many-members, archive-bomb, encrypted-member, symbolic-link, compression-unknown."""
    total = packed = 0
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise Unreadable("too-many-members", f"the archive has more than {MAX_MEMBERS} files; split it")
    for number, info in enumerate(infos, start=1):
        total += info.file_size
        packed += info.compress_size
        if info.flag_bits & 0x41:
            raise Unreadable(
                "encrypted-member", f"file {number} of the archive is encrypted; send it without a password"
            )
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16):
            raise Unreadable("symbolic-link", f"file {number} of the archive is a link; put the file itself there")
        if info.compress_type not in _METHODS:
            raise Unreadable(
                "compression-unknown", f"file {number} of the archive is packed in a way that is not read; use Deflate"
            )
        if info.file_size > _FREE and info.file_size > MAX_RATIO * max(1, info.compress_size):
            raise _bomb()
    if total > MAX_TOTAL or (total > _FREE and total > MAX_RATIO * max(1, packed)):
        raise _bomb()


def _bomb() -> Unreadable:
    return Unreadable(
        "archive-bomb",
        f"the archive would unpack to more than {MAX_RATIO} times its size or {MAX_TOTAL // 1024**3} GiB; split it",
    )


def _name(info: zipfile.ZipInfo, number: int) -> tuple[str, bool]:
    """The name, and whether it was UTF-8 without saying so (as archives made on a Mac are)."""
    raw = info.orig_filename
    if info.flag_bits & 0x800 or raw.isascii():
        return raw, False
    try:
        return raw.encode("cp437").decode(), True
    except UnicodeError:
        raise Unreadable(
            "name-encoding", f"the name of file {number} of the archive is not UTF-8; pack it with a tool of today"
        ) from None


def _safe(name: str, number: int) -> str:
    """The path as it may be kept. Raises Unreadable for one that leads out of the archive, or to a device."""
    path = unicodedata.normalize("NFC", name)
    parts = path.split("/")
    if "\\" in path or ":" in path or any(ord(sign) < 32 or ord(sign) == 127 for sign in path):
        wrong = "has a sign that no path should have"
    elif path.startswith("/") or ".." in parts or "." in parts or "" in parts:
        wrong = "leads out of the archive"
    elif len(path) > _MAX_PATH:
        wrong = f"is longer than {_MAX_PATH} characters"
    else:
        return path
    raise Unreadable("unsafe-path", f"the name of file {number} of the archive {wrong}; pack the folder again")


def _is_table(path: str) -> bool:
    *folders, name = path.casefold().split("/")
    return name.endswith(_TABLES) and not _FOLDERS.intersection(folders)


def member_bytes(archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """The clear bytes of a member. Raises Unreadable: checksum-wrong, corrupt, truncated, encrypted-member."""
    size = 0
    try:
        with archive.open(member.info) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                yield piece
    except zipfile.BadZipFile as error:
        wrong = "checksum-wrong" if "CRC" in str(error) else "corrupt"
        raise Unreadable(wrong, f"{member.path} is damaged in the archive; make and send it again") from None
    except (zlib.error, EOFError, NotImplementedError, ValueError, struct.error):
        raise Unreadable("corrupt", f"{member.path} is damaged in the archive; make and send it again") from None
    except RuntimeError:
        raise Unreadable("encrypted-member", f"{member.path} is encrypted; send it without a password") from None
    if size != member.info.file_size:
        raise Unreadable("corrupt", f"{member.path} has another size than the archive says; send it again")
