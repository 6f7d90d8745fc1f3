"""Scanned papers matched to records: by explicit path, by the folder of a patient's id, by the pattern of a file name.

A person's name in a path is never taken for a hint. What is not certain is kept with its checksum and told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, Record
from connectors.table_files import StoredDocument

OBJECT = "documents"
BLOB_FIELD = "content"
_MARKS = ("_", " - ", " ")
_OWNERS = {
    "": "patient", "patient": "patient", "patients": "patient", "client": "patient", "contact": "patient",
    "clinic": "clinic", "location": "clinic", "business": "clinic", "site": "clinic",
    "payer": "payer", "insurer": "payer", "insurance": "payer", "fund": "payer",
}  # fmt: skip


def _field(name: str, label: str, kind: FieldType = FieldType.TEXT, to: str = "", **more: bool) -> FieldSpec:
    return FieldSpec(name=name, label=label, type=kind, references=(to,) if to else (), **more)


SPEC = ObjectSpec(
    name=OBJECT,
    label="Document",
    fields=(
        _field("id", "Document id", FieldType.ID, primary_key=True),
        _field("patient_id", "Patient", FieldType.LOOKUP, "patients"),
        _field("clinic_id", "Clinic", FieldType.LOOKUP, "clinics"),
        _field("payer_id", "Payer", FieldType.LOOKUP, "payers"),
        _field("owner_kind", "Hangs on"),
        _field("ParentId", "Record that it hangs on"),
        _field("file_name", "File name", sensitive=True),
        _field("category", "Category", sensitive=True),
        _field("date", "Date"),
        _field("mime_type", "Content type"),
        _field("path", "Path", sensitive=True),
        _field("Size", "Bytes", FieldType.INTEGER),
        _field("sha256", "SHA-256"),
        _field("found_by", "Found by"),
        _field("matched", "Matched", FieldType.BOOLEAN),
        _field("problem", "What is wrong"),
        _field("BlobObject", "Object that holds the bytes"),
        _field("BlobId", "Record that holds the bytes", FieldType.ID),
        _field("BlobField", "Field that holds the bytes", FieldType.FILE),
    ),
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A record of the object, and the file that holds its bytes (None: the list names a file that is not there)."""

    record: Record
    file: StoredDocument | None


def match_papers(
    rows: Iterable[Record], files: Sequence[StoredDocument], is_patient: Callable[[str], bool]
) -> dict[str, Paper]:
    """Every row of the list and every file, once, by document id in ascending order."""
    index = _Index(files)
    used: set[str] = set()
    papers = [_listed(row, index, used, is_patient) for row in rows]
    papers += [_loose(file, is_patient) for file in files if _place(file) not in used]
    found: dict[str, Paper] = {}
    for paper in papers:
        found.setdefault(paper.record["id"], paper)
    return {key: found[key] for key in sorted(found)}


class _Index:
    """Files by path and by name."""

    def __init__(self, files: Sequence[StoredDocument]) -> None:
        self._by_name: dict[str, list[StoredDocument]] = {}
        for file in files:
            self._by_name.setdefault(_base(file.path), []).append(file)

    def at(self, path: str) -> list[StoredDocument]:
        """Files whose path ends in the one given, folder by folder."""
        wanted = _parts(path)
        found = self._by_name.get(wanted[-1], ()) if wanted else ()
        return [file for file in found if _parts(file.path)[-len(wanted) :] == wanted]

    def named(self, name: str) -> list[StoredDocument]:
        return self._by_name.get(_base(name), [])


def _listed(row: Record, index: _Index, used: set[str], is_patient: Callable[[str], bool]) -> Paper:
    record: Record = {name: row[name] for name in ("id", "category", "date", "mime_type", "path") if row.get(name)}
    path, name, patient = (str(row.get(field) or "") for field in ("path", "file_name", "patient_id"))
    files, way = (index.at(path), "path") if path else ([], "")
    if not files and name and patient:
        files, way = [file for file in index.named(name) if patient in _parts(file.path)[:-1]], "folder"
    if not files and name:
        files, way = index.named(name), "name"
    file = files[0] if len(files) == 1 else None
    record["file_name"] = name or _base(path) or (_base(file.path) if file else "")
    owner_problem = _own(record, row, patient, is_patient)
    problem = owner_problem if file else ("several-files" if files else "file-missing")
    if file is not None:
        used.add(_place(file))
        told = _folder_patient(file.path, is_patient)
        if told and record.get("patient_id") not in (None, told):
            problem = "folder-of-another-patient"
    return _paper(record, file, way if file else "", problem)


def _own(record: Record, row: Record, patient: str, is_patient: Callable[[str], bool]) -> str:
    """Says whom the paper belongs to; returns what is wrong with that."""
    kind = _OWNERS.get(str(row.get("owner_object") or "").strip().casefold())
    owner = str(row.get("owner_id") or "") if kind != "patient" or not patient else patient
    if kind is None:
        return "unknown-kind-of-record"
    record["owner_kind"] = kind
    if not owner:
        return "no-record-named"
    if kind == "patient" and not is_patient(owner):
        return "patient-unknown"
    record[f"{kind}_id"] = record["ParentId"] = owner
    return ""


def _loose(file: StoredDocument, is_patient: Callable[[str], bool]) -> Paper:
    """A file that no row names."""
    place = blake2b(_place(file).encode("utf-8", "replace"), digest_size=10).hexdigest()
    record: Record = {"id": f"file-{place}", "path": file.path, "file_name": _base(file.path), "owner_kind": "patient"}
    patient, way = _folder_patient(file.path, is_patient), "folder"
    if not patient:
        patient, way = _pattern_patient(_base(file.path), is_patient), "pattern"
    if patient:
        record["patient_id"] = record["ParentId"] = patient
    return _paper(record, file, way if patient else "", "" if patient else "nobody-named")


def _folder_patient(path: str, is_patient: Callable[[str], bool]) -> str:
    """The patient whose id is the name of a folder; "" for none and for several."""
    found = {part for part in _parts(path)[:-1] if is_patient(part)}
    return found.pop() if len(found) == 1 else ""


def _pattern_patient(name: str, is_patient: Callable[[str], bool]) -> str:
    """The patient of <id>_<date>_<title>.pdf."""
    stem = name.rpartition(".")[0] or name
    for mark in _MARKS:
        head, found, _ = stem.partition(mark)
        if found and is_patient(head.strip()):
            return head.strip()
    return ""


def _paper(record: Record, file: StoredDocument | None, way: str, problem: str) -> Paper:
    record["matched"] = not problem
    if problem:
        record["problem"] = problem
    if way:
        record["found_by"] = way
    if file is not None:
        record |= {"Size": str(file.size), "sha256": file.checksum}
        record |= {"BlobObject": OBJECT, "BlobId": record["id"], "BlobField": BLOB_FIELD}
    return Paper(record, file)


def told(papers: Iterable[Paper]) -> dict[str, int]:
    """How many papers there are by what became of them, for facts: no names, no paths."""
    counts = {"papers": 0, "matched": 0, "bytes": 0}
    for paper in papers:
        counts["papers"] += 1
        counts["bytes"] += paper.file.size if paper.file else 0
        word = "matched" if paper.record["matched"] else str(paper.record["problem"])
        counts[word] = counts.get(word, 0) + 1
    return counts


def pages(papers: Mapping[str, Paper], after: str, size: int) -> Iterator[list[Record]]:
    """Records with ids above `after`, some at a time."""
    page: list[Record] = []
    for key, paper in papers.items():
        if key <= after:
            continue
        page.append(paper.record)
        if len(page) >= size:
            yield page
            page = []
    if page:
        yield page


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def _base(path: str) -> str:
    return (_parts(path) or [""])[-1]


def _place(file: StoredDocument) -> str:
    return f"{file.bundle}:{file.path}"
