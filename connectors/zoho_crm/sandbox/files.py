"""Attachments, files for file fields (ZFS) and photos, with real bytes (Zoho fact sheet section 17)."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from connectors.zoho_crm.sandbox.answers import Json, Refusal, batch_reply, reply, success
from connectors.zoho_crm.sandbox.catalogue import PHOTO_MODULES
from connectors.zoho_crm.sandbox.crm import Crm
from connectors.zoho_crm.sandbox.paging import asked_page
from connectors.zoho_crm.sandbox.reading import asked_fields
from connectors.zoho_crm.sandbox.store import Row
from connectors.zoho_crm.sandbox.times import shown_seconds
from connectors.zoho_crm.sandbox.uploads import Receiver, receive
from connectors.zoho_crm.sandbox.values import as_id

_MB = 1024 * 1024
_ZFS_LIMIT = 20 * _MB
_PHOTO_LIMIT = 10 * _MB
_PHOTO_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
_COLUMNS = "id, name, size, url, created, modified, creator, module, parent"


def _parent(crm: Crm, request: Request) -> Row:
    module = crm.schema.module(request.path_params["module"])
    row = crm.store.row(module.api_name, as_id(request.path_params["id"]) or 0)
    if row is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 1})
    return row


async def attach(crm: Crm, request: Request) -> Response:
    """POST /{module}/{id}/Attachments: one file, or a link by `attachmentUrl` in form or query."""
    parent = _parent(crm, request)
    limit = crm.options.attachment_limit_mb * _MB
    received = await receive(request, crm.files, limit)
    try:
        form = {
            key: values[0]
            for key, values in parse_qs(request.scope.get("zoho.raw", b"").decode("utf-8", "replace")).items()
        }
        texts = {**form, **received.fields, **dict(request.query_params)}
        if url := texts.get("attachmentUrl"):
            return _attached(crm, parent, texts.get("title") or url, 0, None, url[:2000])
        upload = _single(received)
        if upload.too_big:
            details: Json = {"maximum_length": limit, "api_name": "file"}
            raise Refusal(
                413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "the file size is more than the allowed size", details
            )
        answer = _attached(crm, parent, upload.name, upload.size, upload.sha256, None, upload.path)
    finally:
        received.discard()
    return answer


def _single(received: Receiver) -> Any:
    if len(received.files) != 1 or received.files[0].field != "file":
        raise Refusal(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": "file"})
    return received.files[0]


def _attached(
    crm: Crm, parent: Row, name: str, size: int, sha256: str | None, url: str | None, path: Path | None = None
) -> Response:
    attachment_id, now, actor = crm.store.next_id(), crm.now(), crm.people.admin.id
    if path is not None:
        path.rename(crm.files / str(attachment_id))
    crm.store.run(
        "INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (attachment_id, parent.id, parent.module, name[:255], size, sha256, url, now, now, actor),
    )
    crm.stats.created["Attachments"] += 1
    who, when = crm.people.brief(actor), shown_seconds(now, crm.zone)
    details = {
        "Modified_Time": when, "Modified_By": who, "Created_Time": when, "id": str(attachment_id), "Created_By": who,
    }  # fmt: skip
    return reply(200, {"data": [success("attachment uploaded successfully", details)]})


async def list_attachments(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}/Attachments?fields=; 204 when there is none."""
    parent = _parent(crm, request)
    names = asked_fields(request.query_params)
    page = asked_page(request.url.path, request.query_params, crm.seconds())
    rows = crm.store.all(
        f"SELECT {_COLUMNS} FROM attachments WHERE parent = ? AND root = 0 ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608
        (parent.id, page.size + 1, page.offset),
    )
    if not rows:
        return reply(204)
    data = []
    for row in rows[: page.size]:
        whole = _shown(crm, parent, row)
        data.append({"id": whole["id"], **{n: whole[n] for n in names if n in whole}, **_marks(whole)})
    info = {"per_page": page.size, "count": len(data), "page": page.number, "more_records": len(rows) > page.size}
    return reply(200, {"data": data, "info": info})


def _marks(whole: Json) -> Json:
    return {key: value for key, value in whole.items() if key[0] == "$"}


def _shown(crm: Crm, parent: Row, row: tuple[Any, ...]) -> Json:
    who = crm.people.brief(row[6], email=True)
    return {
        "id": str(row[0]), "File_Name": row[1], "Size": str(row[2]), "Owner": who, "Created_By": who,
        "Modified_By": who,
        "Created_Time": shown_seconds(row[4], crm.zone), "Modified_Time": shown_seconds(row[5], crm.zone),
        "Parent_Id": {"name": parent.name, "id": str(parent.id)}, "$link_url": row[3],
        "$type": "Link URL" if row[3] else "Attachment", "$se_module": row[7], "$file_id": str(row[0]),
        "$editable": True,
    }  # fmt: skip


def _attachment(crm: Crm, request: Request) -> tuple[Any, ...]:
    parent = _parent(crm, request)
    row = crm.store.one(
        f"SELECT {_COLUMNS} FROM attachments WHERE id = ? AND parent = ? AND root = 0",  # noqa: S608
        (as_id(request.path_params["child"]) or 0, parent.id),
    )
    if row is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"resource_path_index": 3})
    return row


async def download(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}/Attachments/{id}: the bytes as they were uploaded."""
    row = _attachment(crm, request)
    if row[3]:
        raise Refusal(400, "NOT_SUPPORTED", "a link has no content to download", {"id": str(row[0])})
    return _bytes(crm.files / str(row[0]), row[1])


def _bytes(path: Path, name: str) -> Response:
    plain = name.encode("ascii", "replace").decode().replace('"', "'").replace("\r", " ").replace("\n", " ")
    headers = {"content-disposition": f"attachment;filename=\"{plain}\";filename*=UTF-8''{quote(name)}"}
    return FileResponse(path, media_type="application/x-download", headers=headers)


async def detach(crm: Crm, request: Request) -> Response:
    """DELETE /{module}/{id}/Attachments/{id}."""
    row = _attachment(crm, request)
    crm.store.run("DELETE FROM attachments WHERE id = ?", (row[0],))
    (crm.files / str(row[0])).unlink(missing_ok=True)
    crm.stats.deleted["Attachments"] += 1
    return batch_reply("data", [success("record deleted", {"id": str(row[0])})])


async def upload_files(crm: Crm, request: Request) -> Response:
    """POST /files: up to ten files of 20 MB for file fields; one too big refuses all with 415."""
    received = await receive(request, crm.files, _ZFS_LIMIT)
    try:
        if not received.files:
            raise Refusal(
                400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", {"param_name": "file"}
            )
        if len(received.files) > 10:
            raise Refusal(400, "LIMIT_EXCEEDED", "limit exceeded", {"limit": 10, "param_name": "file"})
        if any(upload.too_big for upload in received.files):
            raise Refusal(415, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "the file size is more than the allowed size")
        results = []
        for upload in received.files:
            key = f"{crm.store.next_id()}{upload.sha256}"
            upload.path.rename(crm.files / key)
            body = {"name": upload.name, "size": upload.size, "sha256": upload.sha256}
            crm.store.save_document("file", key, body)
            results.append(success(f"{upload.name} uploaded Succesfully", {"name": upload.name, "id": key}))
    finally:
        received.discard()
    return reply(200, {"data": results})


async def get_file(crm: Crm, request: Request) -> Response:
    """GET /files?id=."""
    key = request.query_params.get("id", "")
    kept = crm.store.document("file", key)
    if kept is None:
        raise Refusal(400, "INVALID_DATA", "the id given seems to be invalid", {"param_name": "id"})
    return _bytes(crm.files / key, kept["name"])


def _photo_path(crm: Crm, request: Request) -> tuple[Row, Path]:
    row = _parent(crm, request)
    if row.module not in PHOTO_MODULES and crm.schema.modules[row.module].kind != "custom":
        raise Refusal(400, "NOT_SUPPORTED", "photos are not supported for this module", {"resource_path_index": 0})
    return row, crm.files / f"photo-{row.id}"


async def put_photo(crm: Crm, request: Request) -> Response:
    """POST /{module}/{id}/photo: an image of at most 10 MB; the answer is a bare object."""
    row, path = _photo_path(crm, request)
    received = await receive(request, crm.files, _PHOTO_LIMIT)
    try:
        upload = _single(received)
        if not upload.name.lower().endswith(_PHOTO_ENDINGS):
            raise Refusal(400, "INVALID_DATA", "invalid data", {"api_name": "file"})
        if upload.too_big:
            raise Refusal(413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "the file size is more than the allowed size")
        upload.path.rename(path)
        crm.store.save_document("photo", row.id, {"name": upload.name, "sha256": upload.sha256})
    finally:
        received.discard()
    return reply(200, success("photo uploaded successfully", {}))


async def get_photo(crm: Crm, request: Request) -> Response:
    """GET /{module}/{id}/photo; 204 when there is none."""
    row, path = _photo_path(crm, request)
    kept = crm.store.document("photo", row.id)
    return reply(204) if kept is None else _bytes(path, kept["name"])


async def delete_photo(crm: Crm, request: Request) -> Response:
    """DELETE /{module}/{id}/photo."""
    row, path = _photo_path(crm, request)
    crm.store.drop_document("photo", row.id)
    path.unlink(missing_ok=True)
    return reply(200, success("photo deleted", {}))
