"""What an uploaded file may be: its name, media type and first bytes, and what is said of one that cannot be read."""

from dataclasses import dataclass, field

from app.errors import Invalid, WrongMediaType
from connectors.file_formats import ENDINGS, check_head, format_of
from connectors.tabular import Unreadable

_TYPES = frozenset(
    {
        "text/csv", "text/tab-separated-values", "text/plain", "application/csv", "application/vnd.ms-excel",
        "application/octet-stream", "binary/octet-stream", "application/zip", "application/x-zip-compressed",
        "application/json", "application/x-ndjson", "application/jsonl", "application/x-jsonlines",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel.sheet.macroenabled.12",
    }
)  # fmt: skip
SHOWN_TYPES = (
    "text/csv", "text/tab-separated-values", "application/json", "application/x-ndjson", "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream",
)  # fmt: skip
_MISMATCHED = frozenset({"format-not-supported", "format-mismatch", "binary"})


class FileKindUnknown(WrongMediaType):
    title = "This kind of file cannot be read"


class FileUnreadable(Invalid):
    title = "The file cannot be read as a table"


@dataclass(slots=True)
class Head:
    """The beginning of a file that is no delimited text."""

    kind: str
    head: bytes = field(default=b"")

    def feed(self, chunk: bytes) -> None:
        """Raises Unreadable where the first bytes are those of another format."""
        if not self.head:
            self.head = chunk[:65_536]
            self.kind = check_head(self.kind, self.head)

    def settle(self) -> str:
        """The format to read the file in. Raises Unreadable for an empty one."""
        return check_head(self.kind, self.head)


def check_file(name: str, content_type: str) -> str:
    """The file's media type. Raises Invalid for a name that is a path, FileKindUnknown for what is no table."""
    if not 0 < len(name) <= 200 or name.startswith(".") or any(one in '/\\:*?"<>|' or ord(one) < 32 for one in name):
        detail = "Give the file's own name without a folder, for example Account.csv."
        raise Invalid(detail, errors=[{"pointer": "/query/name", "code": "not-a-file-name", "detail": detail}])
    kind = content_type.partition(";")[0].strip().lower() or "application/octet-stream"
    if not format_of(name):
        raise FileKindUnknown(
            f"Upload tables ({', '.join(ENDINGS)}); save others, such as .xls, as .xlsx or CSV first."
        )
    if kind not in _TYPES:
        raise FileKindUnknown(f"Send the file's bytes as text/csv or application/octet-stream, not as {kind[:100]}.")
    return kind


def unreadable(name: str, problem: Unreadable) -> FileUnreadable | FileKindUnknown:
    place = f", line {problem.line}" if problem.line else ""
    detail = f"{name}{place}: {problem.detail}. Nothing was stored; the engagement is as it was."
    pointer = [{"pointer": "/body", "code": problem.code, "detail": detail}]
    if problem.code in _MISMATCHED:
        return FileKindUnknown(detail, errors=pointer)
    return FileUnreadable(detail, errors=pointer, line=problem.line or None)
