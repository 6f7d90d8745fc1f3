"""Memory of a process that takes large files apart: flat, whatever their size. Takes minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = """
import re, sys, time
from pathlib import Path
from connectors.file_formats import unpack
from connectors.table_files import TableSurvey
from connectors.tabular import Probe

def peak():
    # KiB; of this process alone: ru_maxrss is handed on by the one that started it
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
    print(f"{kind}: {path.stat().st_size >> 20} MiB, {rows}, {before} to {after} MiB in {seconds} s")  # noqa: T201
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
    records = [json.dumps({"id": n, "name": f"Person {n}", "lines": [{"q": n}, {"q": 2}]}) for n in range(50_000)]
    block = between.join(records)
    with path.open("w") as file:
        file.write("[" if kind == "json" else "")
        while file.tell() < 100 * 1024**2:
            file.write(block + between)
        file.write(records[0] + ("]" if kind == "json" else ""))
    tables, grown = measured(kind, path)
    assert tables == 2
    assert grown < 60


@pytest.mark.soak
def test_a_large_workbook(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "large.xlsx"
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    page = book.add_worksheet()
    for line in range(400_000):
        page.write_row(
            line, 0, [f"C{line:07d}", f"Person {line}", f"p{line}@example.com", line / 7, f"note {line * 31}", "Bonn"]
        )
    book.close()
    tables, grown = measured("xlsx", path)
    assert tables == 1
    assert grown < 150  # the library keeps a hundred bytes a row
