"""Memory of a process that takes large files apart: flat, whatever their size. Takes minutes."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WATCHED = """
import re, sys, time
from pathlib import Path
from connectors.file_formats import unpack
from connectors.table_files import TableSurvey
from connectors.tabular import Probe

def peak():
    # KiB; of this process alone since it was started: ru_maxrss is handed on by the one that started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

class Sink:
    size = 0
    def write(self, chunk): self.size += len(chunk)
    def close(self): pass

kind, path = sys.argv[1:]
began, before = time.monotonic(), peak()
with open(path, "rb") as file:
    if kind == "text":
        probe = Probe()
        while chunk := file.read(1 << 20):
            probe.feed(chunk)
        survey = TableSurvey(probe.finish())
        file.seek(0)
        while chunk := file.read(1 << 20):
            survey.feed(chunk)
        rows = survey.finish().rows
    else:
        rows = len(unpack(kind, file, "file", Sink).tables)
after = peak()
print(rows, before // 1024, after // 1024, round(time.monotonic() - began, 1))
"""
ROOT = Path(__file__).resolve().parents[2]


def measured(kind: str, path: Path) -> tuple[int, int]:
    """Rows (of text) or tables, and MiB that the process grew by."""
    command = [sys.executable, "-c", WATCHED, kind, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ})
    rows, before, after, seconds = done.stdout.split()
    size = path.stat().st_size
    rate = f"{size / 1e6 / float(seconds):.1f} MB/s"
    print(f"{kind}: {size >> 20} MiB, {rows}, {before} to {after} MiB in {seconds} s ({rate})")  # noqa: T201
    return int(rows), int(after) - int(before)


@pytest.mark.soak
def test_two_gigabytes_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    block = "".join(
        f'{n},"Person {n}",p{n}@example.com,2024-01-{n % 28 + 1:02d},{n}.50\n' for n in range(100_000)
    ).encode()
    with path.open("wb") as file:
        file.write(b"id,name,email,born,amount\n")
        while file.tell() < 2 * 1024**3:
            file.write(block)
    rows, grown = measured("text", path)
    assert rows % 100_000 == 0
    assert grown < 60


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_large_json(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"large.{kind}"
    between = "\n" if kind == "ndjson" else ",\n"
    address = {"city": "Bonn", "street": "Weg 1"}
    records = [
        json.dumps({"id": n, "name": f"Person {n}", "address": address, "tags": ["a"], "lines": [{"q": n}, {"q": 2}]})
        for n in range(50_000)
    ]
    block = between.join(records)
    with path.open("w") as file:
        file.write("[" if kind == "json" else "")
        while file.tell() < 250 * 1024**2:
            file.write(block + between)
        file.write(records[0] + ("]" if kind == "json" else ""))
    tables, grown = measured(kind, path)
    assert tables == 2
    assert grown < 60


@pytest.mark.soak
def test_a_large_workbook(tmp_path: Path) -> None:
    """Seven hundred thousand rows, two million different shared texts, one column of which jumps about."""
    path = tmp_path / "large.xlsx"
    write_workbook(path, 700_000)
    assert path.stat().st_size > 200 * 1024**2
    tables, grown = measured("xlsx", path)
    assert tables == 1
    assert grown < 60


def write_workbook(path: Path, rows: int) -> None:
    """As Excel writes it, uncompressed: every text shared, rows with their height."""
    import xlsxwriter

    held = io.BytesIO()
    small = xlsxwriter.Workbook(held, {"in_memory": True})
    small.add_worksheet().write(0, 0, "x")
    small.close()
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    large = ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(held) as given, zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for name in given.namelist():
            if name not in large:
                archive.writestr(name, given.read(name))
        with archive.open(large[0], "w", force_zip64=True) as part:
            part.write(f"<sst {space}>".encode())
            for heading in ("id", "name", "mail", "amount", "other", "city"):
                part.write(f"<si><t>{heading}</t></si>".encode())
            for n in range(rows):
                texts = (f"C{n:07d}", f"Person {n} of Bonn", f"p{n}@example.com")
                part.write("".join(f"<si><t>{text}</t></si>" for text in texts).encode())
            part.write(b"</sst>")
        with archive.open(large[1], "w", force_zip64=True) as part:
            part.write(f"<worksheet {space}><sheetData>".encode())
            part.write(_row(1, [(letter, place) for place, letter in enumerate("ABCDEF")], ""))
            for n in range(rows):
                first, far = 6 + 3 * n, 6 + 3 * (n * 7919 % rows)
                shared = [("A", first), ("B", first + 1), ("C", first + 2), ("E", far)]
                part.write(_row(n + 2, shared, f'<c r="F{n + 2}"><v>{n / 7}</v></c>'))
            part.write(b"</sheetData></worksheet>")


def _row(line: int, shared: list[tuple[str, int]], more: str) -> bytes:
    cells = "".join(f'<c r="{letter}{line}" t="s"><v>{number}</v></c>' for letter, number in shared)
    return f'<row r="{line}" spans="1:6" ht="15">{cells}{more}</row>'.encode()
