"""Bytes of attachments, files and signatures: real PNG, JPEG and PDF bodies made from id and size on demand.

Nothing of a generated body is stored, so an account with gigabytes of files costs no disk and no memory.
"""

import struct
import zlib
from collections.abc import Iterator
from hashlib import md5, shake_128

BLOCK = 65_536
SMALLEST = 1_024
LARGEST_JPEG = 60_000
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_JPEG_HEAD = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
# Quantisation, frame, Huffman tables and scan of a grey picture of 8 x 8 dots.
_JPEG_TAIL = (
    bytes.fromhex("ffdb004300")
    + bytes([8] * 64)
    + bytes.fromhex("ffc0000b080008000801011100")
    + b"".join(bytes.fromhex("ffc40014") + bytes([table, 1, *[0] * 16]) for table in (0x00, 0x10))
    + bytes.fromhex("ffda0008010100003f00")
    + bytes.fromhex("3fffd9")
)


def body(record_id: str, kind: str, size: int) -> Iterator[bytes]:
    """The body of a generated file in blocks of at most 64 KiB, always `size` bytes in total.

    `kind` is png, jpeg, pdf, text or bytes; a picture or a PDF needs at least 1,024 bytes.
    """
    if kind == "png":
        return _png(record_id, size)
    if kind == "jpeg":
        return _jpeg(record_id, size)
    if kind == "pdf":
        return _pdf(record_id, size)
    if kind == "text":
        return _printable(record_id, size)
    return _filler(record_id, size)


def checksum(record_id: str, kind: str, size: int) -> str:
    """MD5 of the body, as `ContentVersion.Checksum` holds it."""
    digest = md5(usedforsecurity=False)
    for block in body(record_id, kind, size):
        digest.update(block)
    return digest.hexdigest()


def _filler(record_id: str, size: int) -> Iterator[bytes]:
    for number, start in enumerate(range(0, size, BLOCK)):
        yield shake_128(f"{record_id}:{number}".encode()).digest(min(BLOCK, size - start))


def _printable(record_id: str, size: int) -> Iterator[bytes]:
    line = f"Service report {record_id}\r\n".encode()
    for start in range(0, size, BLOCK):
        length = min(BLOCK, size - start)
        yield (line * (length // len(line) + 1))[:length]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(record_id: str, size: int) -> Iterator[bytes]:
    """64 x 24 grey dots that look like a scribble; an ancillary chunk brings the file to its size."""
    marks = shake_128(record_id.encode()).digest(64)
    lines = b"".join(
        b"\x00" + bytes(0 if abs(row - marks[column] % 24) < 2 else 255 for column in range(64)) for row in range(24)
    )
    head = _PNG_HEAD + _chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 24, 8, 0, 0, 0, 0))
    head += _chunk(b"IDAT", zlib.compress(lines, 9))
    tail = _chunk(b"IEND", b"")
    padding = size - len(head) - len(tail) - 12
    if padding < 0:
        raise ValueError(f"no room for a PNG in {size} bytes")
    name = b"trPd"
    yield head + struct.pack(">I", padding) + name
    crc = zlib.crc32(name)
    for block in _filler(record_id, padding):
        crc = zlib.crc32(block, crc)
        yield block
    yield struct.pack(">I", crc) + tail


def _jpeg(record_id: str, size: int) -> Iterator[bytes]:
    """A grey picture; a comment segment, which holds 65,533 bytes at most, brings it to its size."""
    padding = size - len(_JPEG_HEAD) - len(_JPEG_TAIL) - 4
    if not 0 <= padding <= LARGEST_JPEG:
        raise ValueError(f"no JPEG of {size} bytes")
    yield _JPEG_HEAD + b"\xff\xfe" + struct.pack(">H", padding + 2)
    yield from _filler(record_id, padding)
    yield _JPEG_TAIL


def _pdf(record_id: str, size: int) -> Iterator[bytes]:
    """One page with a line of text; an unused stream object brings the file to its size."""
    page = f"BT /F1 14 Tf 40 120 Td (Service report {record_id}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    head = b"%PDF-1.4\n"
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(head))
        head += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    offsets.append(len(head))
    # The lengths are written with fixed width, so the sum is known before the filler is.
    opening, closing = b"6 0 obj\n<</Length %010d>>stream\n", b"\nendstream\nendobj\n"
    table = b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in offsets)
    ending = table + b"trailer<</Size 7/Root 1 0 R>>\nstartxref\n%010d\n%%%%EOF\n"
    padding = size - len(head) - len(opening % 0) - len(closing) - len(ending % 0)
    if padding < 0:
        raise ValueError(f"no room for a PDF in {size} bytes")
    yield head + opening % padding
    yield from _filler(record_id, padding)
    yield closing + ending % (len(head) + len(opening % 0) + padding + len(closing))
