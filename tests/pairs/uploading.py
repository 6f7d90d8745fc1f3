"""Export files given to a road, as a person uploads them: for sources that have no API."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from app.engagements import upload_kinds, uploads
from app.engagements.service import find_engagement
from app.models.engagement import Connection
from tests.runs.road import Road

_CHUNK = 64 * 1024


async def send_files(way: Road, files: Mapping[str, bytes], **config: Any) -> None:
    """Uploads files by name, each replacing one of its name; `config` are further options of the source connection."""
    async with way.runtime.db.transaction(way.tenant_id) as session:
        connection = await session.get_one(Connection, way.connections["source"])
        connection.config = {**connection.config, "mode": "upload", **config}
        session.add(connection)
    for name, body in files.items():
        kind = upload_kinds.check_file(name, "application/octet-stream")
        received = await uploads.receive(way.runtime, way.tenant_id, way.engagement_id, name, kind, _pieces(body))
        async with way.runtime.db.transaction(way.tenant_id) as session:
            engagement = await find_engagement(session, way.tenant_id, way.engagement_id, lock=True)
            await uploads.keep(way.runtime, session, engagement, received)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield body[start : start + _CHUNK]


def csv_file(headings: str, rows: Iterable[Iterable[str]]) -> bytes:
    """A CSV file as spreadsheets write them; `headings` separated by |."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(headings.split("|"))
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()
