"""Uploaded files and links on records; there is no call to download or delete them (fact sheet section 8)."""

import hashlib
from pathlib import Path

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from connectors.freshsales.sandbox.activities import target_of
from connectors.freshsales.sandbox.answers import Json, Refusal, bad, empty, forbidden, reply, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.gate import json_object
from connectors.freshsales.sandbox.records import module_of, row_of
from connectors.freshsales.sandbox.values import as_id
from connectors.freshsales.sandbox.views import asked_page

_MB = 1024 * 1024
_CHUNK = 256 * 1024
_COLUMNS = "id, name, size, sha256, url, shared, created"
_TARGETS = ("Contact", "SalesAccount", "Deal", "Lead")


async def upload(crm: Crm, request: Request) -> Response:
    """POST /documents, multipart: 150 MB per file, storage by plan and user (sections 8 and 16)."""
    announced = as_id(request.headers.get("content-length")) or 0
    if announced > (crm.options.file_limit_mb + 1) * _MB:
        raise _too_big(crm)
    try:
        async with request.form(max_files=5, max_fields=50) as form:
            return await _upload(crm, form)
    except HTTPException as error:  # the parser's word for a multipart body that cannot be read
        raise bad("The multipart body cannot be read") from error


def _too_big(crm: Crm) -> Refusal:
    return bad(f"File size cannot be more than {crm.options.file_limit_mb} MB")


async def _upload(crm: Crm, form: FormData) -> Response:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise empty("File")
    target, module = _target(crm, dict(form))
    size = file.size or 0
    if size > crm.options.file_limit_mb * _MB:
        raise _too_big(crm)
    if crm.store.count("SELECT sum(size) FROM files") + size > crm.storage_limit:
        raise forbidden()
    name = str(form.get("file_name") or file.filename or "file").replace("\\", "/").rsplit("/", 1)[-1][:255] or "file"
    with crm.store.transaction():
        key = crm.store.next_id()
        digest = await _keep(file, crm.files / str(key))
        _insert(crm, (key, target, module, name, size, digest, None, form.get("is_shared") in ("true", "1")))
    return reply(200, {"id": key, "msg": "File uploaded successfully", "url": f"/crm/sales/documents/{key}"})


async def _keep(file: UploadFile, path: Path) -> str:
    """Writes the bytes and answers their SHA-256. The spooled upload is read in place: no other request runs."""
    digest = hashlib.sha256()
    with path.open("wb") as out:
        while chunk := file.file.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def _insert(crm: Crm, values: tuple[object, ...]) -> None:
    crm.store.run("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, crm.now()))
    crm.stats.created["link" if values[6] else "file"] += 1


def _target(crm: Crm, body: Json) -> tuple[int, str]:
    """Contact, SalesAccount, Deal, and Product for files; custom modules are unverified and refused (section 8)."""
    if body.get("targetable_type") == "Product":
        key = as_id(body.get("targetable_id"))
        if key is None or not crm.store.live("product", [key]):
            raise bad("Targetable is invalid")
        return key, "product"
    if body.get("targetable_type") not in (None, "", *_TARGETS):
        raise bad("Targetable type is invalid")
    return target_of(crm, body)


async def link(crm: Crm, request: Request) -> Response:
    """POST /document_links, bare JSON; a wrapper is a 400 (sections 1 and 8)."""
    body = json_object(request)
    url, name = body.get("url"), body.get("name")
    if url in (None, ""):
        raise empty("Url")
    if not isinstance(url, str) or not isinstance(name, str | None):
        raise wrong_type("url")
    if not url.startswith(("http://", "https://")) or len(url) > 2048:
        raise bad("Url is invalid")
    if body.get("targetable_type") == "Product":
        raise bad("Targetable type is invalid")
    target, module = _target(crm, body)
    with crm.store.transaction():
        key = crm.store.next_id()
        _insert(crm, (key, target, module, (name or url)[:255], 0, None, url, body.get("is_shared") is True))
    return reply(200, {"id": key, "msg": "Link added successfully", "url": url})


async def associations(crm: Crm, request: Request) -> Response:
    """GET /{p}/{id}/document_associations: files and links of a record (section 2)."""
    row = row_of(crm, module_of(crm, request), request.path_params["id"])
    page = asked_page(request.query_params)
    found = crm.store.all(f"SELECT {_COLUMNS} FROM files WHERE target = ? ORDER BY id", (row.id,))  # noqa: S608
    documents, links = [], []
    for key, name, size, _, url, shared, created in found[page.offset : page.offset + page.size]:
        base: Json = {"id": key, "name": name, "is_shared": bool(shared), "created_at": crm.when(created)}
        if url:
            links.append({**base, "url": url})
        else:
            documents.append({**base, "content_file_name": name, "content_file_size": size})
    meta = {"total": len(found), "total_pages": -(-len(found) // page.size)}
    return reply(200, {"documents": documents, "document_links": links, "meta": meta})
