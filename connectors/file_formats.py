"""Which reader a file needs, by its ending and its first bytes, and what it is taken apart into."""

import zipfile
import zlib
from collections.abc import Callable, Iterable
from typing import BinaryIO

from connectors.archives import check_members, list_members, member_bytes, open_archive
from connectors.json_tables import looks_like_lines, read_json, read_lines
from connectors.table_shape import Finding, Unreadable
from connectors.tabular import Probe
from connectors.unpacking import MAX_TABLES, OpenPart, Unpacked, UnpackedDocument, UnpackedTable
from connectors.workbooks import read_workbook

TEXT, XLSX, JSON, NDJSON, ZIP = "text", "xlsx", "json", "ndjson", "zip"
ENDINGS = {
    ".csv": TEXT, ".tsv": TEXT, ".txt": TEXT, ".xlsx": XLSX, ".xlsm": XLSX, ".json": JSON, ".ndjson": NDJSON,
    ".jsonl": NDJSON, ".zip": ZIP,
}  # fmt: skip
HEAD = 64 * 1024
_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_BLANKS = b"\0 \t\r\n\xef\xbb\xbf"


def format_of(name: str) -> str:
    """text | xlsx | json | ndjson | zip by the name's ending, "" for any other."""
    return next((kind for ending, kind in ENDINGS.items() if name.lower().endswith(ending)), "")


def check_head(kind: str, head: bytes) -> str:
    """The format to read a file as that calls itself `kind`. Raises Unreadable where its first bytes say otherwise."""
    if kind == TEXT:
        return TEXT  # the probe looks for itself
    if not head.strip(_BLANKS):
        raise Unreadable("empty", "the file is empty")
    packed = head.startswith(_PACKED)
    if kind in (XLSX, ZIP) and not packed:
        if head.startswith(b"\xd0\xcf\x11\xe0"):
            raise Unreadable(
                "format-not-supported", "this workbook is of the old format or has a password; save it as .xlsx"
            )
        known = "an Excel workbook" if kind == XLSX else "a ZIP archive"
        raise Unreadable("format-mismatch", f"the file is not {known}, whatever its name says; send tables as CSV")
    if kind in (JSON, NDJSON) and packed:
        raise Unreadable("format-mismatch", "this is a ZIP archive or a workbook; give the file its own ending")
    return NDJSON if kind == JSON and looks_like_lines(head) else kind


def unpack(kind: str, file: BinaryIO, stem: str, open_part: OpenPart) -> Unpacked:
    """Takes a file apart into tables and documents. `file` can be read from any place. Raises Unreadable."""
    found = Unpacked()
    if kind == ZIP:
        _unpack_archive(file, found, open_part)
        return found
    file.seek(0)
    try:
        if kind == XLSX:
            with open_archive(file) as archive:
                check_members(archive)
            file.seek(0)
        reader: Callable[..., tuple[list[UnpackedTable], list[Finding]]] = {
            XLSX: read_workbook, JSON: read_json, NDJSON: read_lines
        }[kind]  # fmt: skip
        found.tables, found.findings = reader(file, stem, open_part)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        raise Unreadable("corrupt", "the workbook is damaged; open it in Excel and save it again") from None
    return found


def _unpack_archive(file: BinaryIO, found: Unpacked, open_part: OpenPart) -> None:
    with open_archive(file) as archive:
        members, found.findings = list_members(archive)
        for member in members:
            chunks = member_bytes(archive, member)
            if not member.table:
                part = open_part()
                for chunk in chunks:
                    part.write(chunk)
                part.close()
                found.documents.append(UnpackedDocument(member.path, part))
                continue
            if not member.info.file_size:
                found.findings.append(Finding(code="table-empty", count=1, column=member.path))
                continue
            try:
                _unpack_table(member.path, chunks, found, open_part)
            except Unreadable as problem:
                if problem.detail.startswith(member.path):
                    raise
                raise Unreadable(problem.code, f"{member.path}: {problem.detail}", line=problem.line) from None
            if len(found.tables) > MAX_TABLES:
                raise Unreadable("too-many-tables", f"the archive holds more than {MAX_TABLES} tables; split it")


def _unpack_table(path: str, chunks: Iterable[bytes], found: Unpacked, open_part: OpenPart) -> None:
    """One table of an archive: CSV is kept as it is, all else is stored first and then taken apart."""
    stem = path.rpartition("/")[2].rpartition(".")[0]
    kind, part, probe, head = format_of(path), open_part(), Probe(), b""
    for chunk in chunks:
        if kind == TEXT:
            probe.feed(chunk)
        elif len(head) < HEAD:
            head += chunk[: HEAD - len(head)]
        part.write(chunk)
    part.close()
    if kind == TEXT:
        found.tables.append(UnpackedTable(path, stem, part, probe.finish()))
        return
    kind = check_head(kind, head)
    with part.reopen() as file:
        inner = unpack(kind, file, stem, open_part)
    part.discard()
    found.findings += inner.findings
    for one in inner.tables:
        parent = f"{path}/{one.parent}" if one.parent else ""
        found.tables.append(UnpackedTable(f"{path}/{one.name}", one.stem, one.part, one.dialect, parent, one.path))
