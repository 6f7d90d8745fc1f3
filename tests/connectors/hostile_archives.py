"""Archives that nobody should take, each with the code by which it is refused."""

import io
import struct
import zipfile
import zlib

from tests.connectors.unpacking_kit import archive

TABLE = b"id,name\n1,Ada\n"


def symlink() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        info = zipfile.ZipInfo("customers.csv")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    return held.getvalue()


def encrypted() -> bytes:
    body = bytearray(archive({"customers.csv": TABLE}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = body.index(mark) + place
        body[at] |= 1
    return bytes(body)


def wrong_checksum() -> bytes:
    body = bytearray(archive({"customers.csv": TABLE}, zipfile.ZIP_STORED))
    at = body.index(b"Ada")
    body[at] ^= 1
    return bytes(body)


def broken_deflate() -> bytes:
    body = bytearray(archive({"customers.csv": TABLE * 50}))
    at = body.index(b"customers.csv") + len("customers.csv")
    body[at : at + 8] = b"\xff" * 8
    return bytes(body)


def duplicates() -> bytes:
    return archive({"customers.csv": TABLE, "Customers.CSV": TABLE})


def not_utf8(flag: bool) -> bytes:
    body = bytearray(archive({"kaefer.csv": TABLE}))
    for mark, place, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = body.index(mark)
        body[at + name : at + name + 6] = b"k\xff\xfefer"
        if flag:
            struct.pack_into("<H", body, at + place, 0x800)
    return bytes(body)


def bomb() -> bytes:
    """100 MiB of zeros in 100 KiB."""
    return archive({"customers.csv": b"id,name\n" + bytes(100 * 1024 * 1024)})


def lying_size() -> bytes:
    """A member that says it is small."""
    body = bytearray(archive({"customers.csv": TABLE * 1000}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", body, body.index(mark) + place, 10)
    return bytes(body)


def overlapping() -> bytes:
    """Two names of one member's bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("a.csv", TABLE)
        packed.writestr("b.csv", TABLE)
    body = bytearray(held.getvalue())
    second = body.index(b"PK\x01\x02", body.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", body, second + 42, 0)
    return bytes(body)


def large_directory() -> bytes:
    """A directory that says it is 4 GiB."""
    body = bytearray(archive({"customers.csv": TABLE}))
    at = body.rindex(b"PK\x05\x06")
    struct.pack_into("<I", body, at + 12, 0xFFFF0000)
    return bytes(body)


def unknown_method() -> bytes:
    return archive({"customers.csv": TABLE}, zipfile.ZIP_LZMA)


def nested() -> bytes:
    return archive({"customers.csv": TABLE, "more.zip": archive({"a.csv": TABLE})})


def named(name: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        info = zipfile.ZipInfo("x")
        info.filename = name
        packed.writestr(info, TABLE)
    return held.getvalue()


HOSTILE = {
    "bomb": (bomb(), "archive-bomb"),
    "traversal": (named("../../etc/customers.csv"), "unsafe-path"),
    "inner-traversal": (named("a/../../customers.csv"), "unsafe-path"),
    "absolute": (named("/etc/customers.csv"), "unsafe-path"),
    "drive": (named("C:/customers.csv"), "unsafe-path"),
    "backslash": (named("..\\customers.csv"), "unsafe-path"),
    "control-sign": (named("cust\nomers.csv"), "unsafe-path"),
    "nul": (named("customers.csv\0.png"), "unsafe-path"),
    "long-name": (named("a/" * 300 + "b.csv"), "unsafe-path"),
    "symlink": (symlink(), "symbolic-link"),
    "encrypted": (encrypted(), "encrypted-member"),
    "checksum": (wrong_checksum(), "checksum-wrong"),
    "deflate": (broken_deflate(), "corrupt"),
    "duplicates": (duplicates(), "duplicate-member"),
    "name-not-utf8": (not_utf8(flag=True), "name-encoding"),
    "lying-size": (lying_size(), "checksum-wrong"),
    "overlapping": (overlapping(), "corrupt"),
    "large-directory": (large_directory(), "too-many-members"),
    "unknown-method": (unknown_method(), "compression-unknown"),
    "nested": (nested(), "nested-archive"),
    "truncated": (archive({"customers.csv": TABLE * 100})[:-30], "truncated"),
    "cut-in-half": (archive({"customers.csv": TABLE * 100})[:60], "truncated"),
    "directory-alone": (archive({"a.csv": TABLE})[40:], "format-mismatch"),
    "empty": (archive({}), "empty"),
    "no-archive": (TABLE, "format-mismatch"),
    "bad-table": (archive({"customers.csv": bytes(range(1, 32)) * 40}), "binary"),
    "bad-json": (archive({"customers.json": b'[{"id": 1'}), "malformed-json"),
    "bad-workbook": (archive({"customers.xlsx": b"PK\x03\x04" + zlib.compress(b"x")}), "truncated"),
}
