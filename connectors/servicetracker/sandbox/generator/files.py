"""Attachments, files with versions and links, signatures: rows only, the bytes are made when they are read."""

from collections.abc import Iterator
from typing import Any

from connectors.servicetracker.sandbox.blobs import SMALLEST, checksum
from connectors.servicetracker.sandbox.generator import words
from connectors.servicetracker.sandbox.generator.plan import Plan

Row = dict[str, Any]
OVERSIZED = 26 * 1024 * 1024
_KINDS = (("jpeg", "jpg", "image/jpeg"), ("png", "png", "image/png"), ("pdf", "pdf", "application/pdf"))
# By place: what is odd about the first attachments.
_HUGE, _EMPTY, _TWIN, _OTHER_TWIN, _FIRST_PATHLIKE = 0, 1, 2, 3, 4


def attachments(plan: Plan) -> Iterator[Row]:
    """Mostly on work orders. The first ones are the odd ones; the 26 MB one exists from a scale of 1,000 on."""
    rng = plan.random("Attachment")
    draw = rng.random
    for place in range(plan.counts["Attachment"]):
        row = plan.head("Attachment", place, rng)
        kind, extension, media = _KINDS[int(draw() * 3)]
        size = SMALLEST + int(draw() * draw() * 40_000)
        chance = draw()
        parent = "WorkOrder" if chance < 0.85 else "Asset" if chance < 0.93 else "Account"
        position = int(draw() * plan.counts[parent])
        row["ParentId"] = plan.id(parent, plan.standing(parent, position) if parent == "Account" else position)
        row |= {"Name": f"{('photo', 'report', 'scan')[place % 3]}-{place + 1}.{extension}", "ContentType": media}
        row["Description"] = "Taken on site" if draw() < 0.2 else None
        if place == _HUGE and plan.scale >= 1_000:
            kind, size = "bytes", OVERSIZED
            row |= {"Name": "walkthrough.mp4", "ContentType": "video/mp4", "ParentId": plan.id("WorkOrder", 0)}
        elif place == _EMPTY:
            kind, size = "bytes", 0
            row |= {"Name": "empty.txt", "ContentType": "text/plain", "ParentId": plan.id("WorkOrder", 0)}
        elif place in {_TWIN, _OTHER_TWIN}:
            kind, _, media = _KINDS[0]
            work = min(1, plan.counts["WorkOrder"] - 1)
            row |= {"Name": "IMG_0001.jpg", "ContentType": media, "ParentId": plan.id("WorkOrder", work)}
        elif _FIRST_PATHLIKE <= place < _FIRST_PATHLIKE + len(words.PATHLIKE_NAMES):
            row["Name"] = words.PATHLIKE_NAMES[place - _FIRST_PATHLIKE]
        row |= {"BodyLength": size, "_BlobKind": kind, "_BlobSize": size}
        yield row


def _versions(document: int) -> int:
    """Every tenth file was replaced once."""
    return 2 if document % 10 == 9 else 1


def _file(plan: Plan, document: int, version: int) -> tuple[str, str, str, int]:
    """Kind, extension, title and size of a version of a file, the same from every stream."""
    kind, extension, _ = _KINDS[(document + 1) % 3]
    rng = plan.random(f"file:{document}:{version}")
    title = f"{'Service report' if kind == 'pdf' else 'Site photo'} {document + 1}"
    return kind, extension, title, SMALLEST + int(rng.random() * 20_000)


def _version_place(document: int, version: int) -> int:
    return document + document // 10 + version


def content_documents(plan: Plan) -> Iterator[Row]:
    rng = plan.random("ContentDocument")
    for place in range(plan.counts["ContentDocument"]):
        row = plan.head("ContentDocument", place, rng)
        latest = _versions(place) - 1
        _, extension, title, size = _file(plan, place, latest)
        row |= {"Title": title, "FileExtension": extension, "FileType": extension.upper(), "ContentSize": size}
        row["LatestPublishedVersionId"] = plan.id("ContentVersion", _version_place(place, latest))
        yield row


def content_versions(plan: Plan) -> Iterator[Row]:
    rng = plan.random("ContentVersion")
    for document in range(plan.counts["ContentDocument"]):
        for version in range(_versions(document)):
            row = plan.head("ContentVersion", _version_place(document, version), rng)
            kind, extension, title, size = _file(plan, document, version)
            row |= {"ContentDocumentId": plan.id("ContentDocument", document), "VersionNumber": str(version + 1)}
            row |= {"IsLatest": int(version == _versions(document) - 1), "Title": title, "ContentSize": size}
            row |= {"PathOnClient": f"{title}.{extension}", "FileExtension": extension, "FileType": extension.upper()}
            row |= {"FirstPublishLocationId": _home(plan, document), "Checksum": checksum(row["Id"], kind, size)}
            row |= {"_BlobKind": kind, "_BlobSize": size}
            yield row


def _home(plan: Plan, document: int) -> str:
    return plan.id("WorkOrder", document * 3 % plan.counts["WorkOrder"])


def content_links(plan: Plan) -> Iterator[Row]:
    """A file hangs on its work order; every fifth on a second one, every tenth on the client too."""
    rng = plan.random("ContentDocumentLink")
    place = 0
    works = plan.counts["WorkOrder"]
    for document in range(plan.counts["ContentDocument"]):
        linked = [_home(plan, document)]
        if document % 5 == 0:
            linked.append(plan.id("WorkOrder", (document * 3 + 1) % works))
        if document % 10 == 3:
            linked.append(plan.client_id(plan.work_client(document * 3 % works)))
        for entity in dict.fromkeys(linked):
            row = plan.head("ContentDocumentLink", place, rng)
            del row["OwnerId"]
            row |= {"ContentDocumentId": plan.id("ContentDocument", document), "LinkedEntityId": entity}
            row |= {"ShareType": "V", "Visibility": "AllUsers" if document % 4 else "InternalUsers"}
            place += 1
            yield row


def signatures(plan: Plan) -> Iterator[Row]:
    rng = plan.random("DigitalSignature")
    for place in range(plan.counts["DigitalSignature"]):
        row = plan.head("DigitalSignature", place, rng)
        del row["OwnerId"]
        kind = "Technician" if place % 4 == 3 else "Customer"
        signer = words.OTHER_SCRIPTS[place % 8] if place % 17 == 16 else None
        name = f"{words.FIRST_NAMES[place * 11 % 64]} {words.LAST_NAMES[place * 13 % 64]}"
        row |= {"ParentId": plan.id("WorkOrder", place * 5 % plan.counts["WorkOrder"]), "SignatureType": kind}
        row |= {"SignedBy": " ".join(signer) if signer else name, "SignedDate": row["CreatedDate"]}
        row |= {"Place": words.TOWNS[place % 40], "DocumentContentType": "image/png"}
        row |= {"_BlobKind": "png", "_BlobSize": SMALLEST + place * 37 % 3_000}
        yield row
