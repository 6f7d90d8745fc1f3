"""Creating, changing and deleting records as the platform does: checks first, then one stamped write.

Source fact sheet sections 1.2 and 1.6.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import md5
from pathlib import PurePosixPath
from typing import Any

from connectors.servicetracker.sandbox.errors import ApiError, invalid_field, not_found
from connectors.servicetracker.sandbox.fields import Field, SObject
from connectors.servicetracker.sandbox.ids import full_id
from connectors.servicetracker.sandbox.schema import BY_PREFIX, OBJECTS, references_to
from connectors.servicetracker.sandbox.store import Store
from connectors.servicetracker.sandbox.values import BadValueError, moment_text, store_form

LARGEST_ATTACHMENT = 25 * 1024 * 1024
_SIZE_FIELD = {"Attachment": "BodyLength", "ContentVersion": "ContentSize"}


class RecordWriter:
    """Writes on behalf of one user; every change gets a SystemModstamp from the sandbox's clock."""

    def __init__(self, store: Store, clock: Callable[[], datetime], user_id: str) -> None:
        self._store = store
        self._clock = clock
        self._user_id = user_id

    def create(self, sobject: SObject, given: Mapping[str, Any]) -> str:
        """Creates a record and returns its id; raises ApiError 400 with the vendor's code and fields."""
        values = self._checked(sobject, given, creating=True)
        missing = [one.name for one in sobject.fields if one.required and values.get(one.name) is None]
        if missing:
            listed = ", ".join(missing)
            raise ApiError(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{listed}]", missing)
        now = moment_text(self._clock())
        with self._store.writing():
            values["Id"] = self._store.new_id(sobject)
            for one in sobject.fields:
                if one.auto_number:
                    values[one.name] = self._store.new_number(sobject, one)
                elif one.type == "boolean":
                    values.setdefault(one.name, int(one.default == "true"))
                elif one.default is not None:
                    values.setdefault(one.name, one.default)
            values |= {"CreatedDate": now, "CreatedById": self._user_id, "LastModifiedDate": now, "SystemModstamp": now}
            if sobject.field("OwnerId"):
                values.setdefault("OwnerId", self._user_id)
            _name_person(sobject, values, values)
            if sobject.name == "ContentVersion":
                self._file_version(values)
            self._store.insert(sobject, [values])
        return str(values["Id"])

    def update(self, sobject: SObject, record_id: str, given: Mapping[str, Any]) -> None:
        """Changes a record; raises ApiError 404 for one that is unknown or deleted, 400 for a bad value."""
        before = living(self._store, sobject, record_id)
        values = self._checked(sobject, given, creating=False)
        emptied = [one.name for one in sobject.fields if one.required and values.get(one.name, "kept") is None]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise ApiError(400, "REQUIRED_FIELD_MISSING", message, emptied)
        _name_person(sobject, values, before | values)
        self._stamp(sobject, before["Id"], values)

    def delete(self, sobject: SObject, record_id: str) -> None:
        """Moves a record to the recycle bin: it stays readable for queryAll."""
        before = living(self._store, sobject, record_id)
        if sobject.name == "User":
            raise ApiError(400, "DELETE_FAILED", "users cannot be deleted")
        self._stamp(sobject, before["Id"], {"IsDeleted": 1})

    def merge(self, sobject: SObject, winner: str, loser: str) -> dict[str, int]:
        """Merges `loser` into `winner` (source fact sheet section 1.7) and counts re-parented children by field."""
        now = moment_text(self._clock())
        moved: dict[str, int] = {}
        with self._store.writing() as db:
            for child, field in references_to(sobject.name):
                if field.name == "MasterRecordId":
                    continue
                done = db.execute(
                    f'UPDATE "{child.name}" SET "{field.name}" = ?, SystemModstamp = ?, LastModifiedDate = ? '  # noqa: S608
                    f'WHERE "{field.name}" = ? AND IsDeleted = 0 AND Id <> ?',
                    (winner, now, now, loser, winner),
                ).rowcount
                if done:
                    moved[f"{child.name}.{field.name}"] = done
            self._stamp(sobject, loser, {"IsDeleted": 1, "MasterRecordId": winner})
            self._stamp(sobject, winner, {})
        return moved

    def _stamp(self, sobject: SObject, record_id: str, values: Mapping[str, Any]) -> None:
        now = moment_text(self._clock())
        self._store.change(sobject, record_id, {**values, "LastModifiedDate": now, "SystemModstamp": now})

    def _checked(self, sobject: SObject, given: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name == "attributes":
                continue
            field = sobject.field(name)
            if field is None:
                raise invalid_field(f"No such column '{name}' on sobject of type {sobject.name}")
            if not field.writable:
                code = "INVALID_FIELD_FOR_INSERT_UPDATE"
                message = (
                    f"Unable to create/update fields: {field.name}. Please check the security settings of this field"
                )
                raise ApiError(400, code, message, [field.name])
            if field.type == "base64":
                values |= body_columns(sobject, field, value)
                continue
            try:
                values[field.name] = store_form(field, value)
            except BadValueError as bad:
                raise ApiError(400, bad.code, str(bad), [field.name]) from None
            if field.refers and values[field.name] is not None:
                self._check_reference(field, values[field.name])
        if creating and sobject.blob and "_Blob" not in values:
            values |= {"_BlobKind": "bytes", "_BlobSize": 0}
        return values

    def _check_reference(self, field: Field, target_id: str) -> None:
        target = BY_PREFIX.get(target_id[:3])
        if target is None or target.name not in field.refers:
            message = f"{field.title}: id value of incorrect type: {target_id}"
            raise ApiError(400, "MALFORMED_ID", message, [field.name])
        found = self._store.record(target, target_id)
        if found is None or found["IsDeleted"]:
            message = f"invalid cross reference id: {field.name}"
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", message, [field.name])

    def _file_version(self, values: dict[str, Any]) -> None:
        """A new file, or a new version of the one named; links the file to where it was first published."""
        path = PurePosixPath(values["PathOnClient"])
        extension = path.suffix.removeprefix(".").lower() or None
        values["Title"] = values.get("Title") or path.stem
        values |= {"FileExtension": extension, "FileType": (extension or "unknown").upper()[:20], "IsLatest": 1}
        document = OBJECTS["ContentDocument"]
        stamps = {name: values[name] for name in ("CreatedDate", "CreatedById", "LastModifiedDate", "SystemModstamp")}
        shown = {name: values[name] for name in ("Title", "FileExtension", "FileType", "OwnerId")}
        shown |= {"ContentSize": values["_BlobSize"], "LatestPublishedVersionId": values["Id"]}
        if (document_id := values.get("ContentDocumentId")) is None:
            document_id = values["ContentDocumentId"] = self._store.new_id(document)
            values["VersionNumber"] = "1"
            self._store.insert(document, [{"Id": document_id, **shown, **stamps, "IsDeleted": 0}])
            if (parent := values.get("FirstPublishLocationId")) is not None:
                link = {"ContentDocumentId": document_id, "LinkedEntityId": parent}
                self.create(OBJECTS["ContentDocumentLink"], link)
            return
        with self._store.writing() as db:
            versions = '"ContentVersion" WHERE ContentDocumentId = ?'
            count = db.execute(f"SELECT count(*) FROM {versions}", (document_id,)).fetchone()[0]  # noqa: S608
            db.execute('UPDATE "ContentVersion" SET IsLatest = 0 WHERE ContentDocumentId = ?', (document_id,))
            values["VersionNumber"] = str(count + 1)
            self._stamp(document, document_id, shown)


def living(store: Store, sobject: SObject, record_id: str) -> dict[str, Any]:
    """The row of a record; raises ApiError 400 MALFORMED_ID, 404 NOT_FOUND or 404 ENTITY_IS_DELETED."""
    whole = full_id(record_id)
    if whole is None:
        raise ApiError(400, "MALFORMED_ID", f"{sobject.label} ID: id value of incorrect type: {record_id}", ["Id"])
    found = store.record(sobject, whole)
    if found is None:
        raise not_found("Provided external ID field does not exist or is not accessible: " + record_id)
    if found["IsDeleted"]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return found


def _name_person(sobject: SObject, values: dict[str, Any], whole: Mapping[str, Any]) -> None:
    name = sobject.name_field
    if name is not None and name.calculated:
        values["Name"] = " ".join(filter(None, (whole.get("FirstName"), whole.get("LastName"))))


def body_columns(sobject: SObject, field: Field, value: object) -> dict[str, Any]:
    """The hidden columns of an uploaded body, which arrives as base64 text."""
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except binascii.Error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"{field.name}: not base64", [field.name]) from None
    if len(data) > LARGEST_ATTACHMENT:
        raise ApiError(400, "STRING_TOO_LONG", f"{field.name}: larger than 25 MB", [field.name])
    columns: dict[str, Any] = {"_BlobKind": "bytes", "_BlobSize": len(data), "_Blob": data}
    if sobject.name in _SIZE_FIELD:
        columns[_SIZE_FIELD[sobject.name]] = len(data)
    if sobject.name == "ContentVersion":
        columns["Checksum"] = md5(data, usedforsecurity=False).hexdigest()
    return columns
