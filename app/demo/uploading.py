"""A source without an API: the files of its export are uploaded, and open questions answered."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from app.demo.errors import DemoFailed
from app.demo.walking import Walk

_TABLES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".json", ".ndjson", ".zip"})


def upload_all(walk: Walk, folder: Path) -> int:
    """Sends the tables of the folder, and what lies in its subfolders as one archive; returns how many files."""
    tables = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in _TABLES)
    if not tables:
        raise DemoFailed(f"there are no tables in {folder}")
    left = [path.name for path in folder.iterdir() if path.is_file() and path not in tables]
    if left:
        walk.screen.warn(f"not uploaded, no tables: {', '.join(sorted(left)[:10])}")
    for path in tables:
        _send(walk, path, path.name)
    papers = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent != folder)
    if papers:
        with tempfile.TemporaryDirectory() as place:
            archive = Path(place) / "documents.zip"
            with zipfile.ZipFile(archive, "w") as bundle:
                for path in papers:
                    bundle.write(path, path.relative_to(folder))
            _send(walk, archive, archive.name)
    walk.screen.say(f"{len(tables)} tables and {len(papers)} documents uploaded from {folder}")
    return len(tables) + bool(papers)


def _send(walk: Walk, path: Path, name: str) -> None:
    answer: dict[str, Any] = walk.client.send(f"{walk.path}/uploads", path, name=name).body
    for finding in answer.get("findings") or ():
        walk.screen.say(f"  {name}: {finding['code']} ({finding['count']})")


def answer_questions(walk: Walk) -> int:
    """What the machine does not guess: a person takes the first choice of each open question; returns how many."""
    answered = 0
    for question in list(walk.client.pages(f"{walk.path}/questions", open="true")):
        choices = question["options"].get("choices") or ()
        if question["subject"].startswith("owner:") or not choices:
            continue
        chosen = choices[0]["value"] if isinstance(choices[0], dict) else choices[0]
        walk.client.post(f"/v1/questions/{question['id']}/answer", {"answer": {"choice": chosen}})
        walk.screen.say(f"a person answers {question['code']} ({question['subject']}): {chosen}")
        answered += 1
    return answered
