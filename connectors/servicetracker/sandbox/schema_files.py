"""Objects that carry notes and bytes: notes, attachments, files with versions and links, signatures.

Shapes: source fact sheet section 1.8.
"""

from connectors.servicetracker.sandbox.fields import blob, flag, long_text, moment, pick, refer, sobject, text, whole

_LINKABLE = ("WorkOrder", "Account", "Asset", "Contact", "Site__c")

NOTE = sobject(
    "Note",
    "Note",
    "002",
    refer("ParentId", "Account", "Contact", "WorkOrder", "Asset", indexed=True, required=True),
    text("Title", 80, required=True, name_field=True),
    long_text("Body"),
    flag("IsPrivate"),
)
ATTACHMENT = sobject(
    "Attachment",
    "Attachment",
    "00P",
    refer("ParentId", "WorkOrder", "Account", "Asset", indexed=True, required=True),
    text("Name", 255, required=True, name_field=True),
    text("ContentType", 120),
    whole("BodyLength", system=True),
    blob("Body"),
    text("Description", 500),
)
CONTENT_DOCUMENT = sobject(
    "ContentDocument",
    "File",
    "069",
    text("Title", 255, name_field=True, system=True),
    text("FileExtension", 40, system=True),
    text("FileType", 20, system=True),
    whole("ContentSize", system=True),
    refer("LatestPublishedVersionId", "ContentVersion", system=True),
    long_text("Description", 1_000, system=True),
)
CONTENT_VERSION = sobject(
    "ContentVersion",
    "File Version",
    "068",
    refer("ContentDocumentId", "ContentDocument", indexed=True),
    flag("IsLatest", system=True),
    text("VersionNumber", 20, system=True),
    text("Title", 255, name_field=True),
    text("PathOnClient", 500, required=True),
    text("FileExtension", 40, system=True),
    text("FileType", 20, system=True),
    whole("ContentSize", system=True),
    text("Checksum", 50, system=True),
    blob("VersionData"),
    refer("FirstPublishLocationId", *_LINKABLE),
)
CONTENT_LINK = sobject(
    "ContentDocumentLink",
    "File Link",
    "06A",
    refer("ContentDocumentId", "ContentDocument", indexed=True, required=True),
    refer("LinkedEntityId", *_LINKABLE, indexed=True, required=True),
    pick("ShareType", "V", "C", "I", default="V"),
    pick("Visibility", "AllUsers", "InternalUsers", "SharedUsers", default="AllUsers"),
    owner=False,
)
SIGNATURE = sobject(
    "DigitalSignature",
    "Signature",
    "0DS",
    refer("ParentId", "WorkOrder", indexed=True, required=True),
    pick("SignatureType", "Customer", "Technician"),
    text("SignedBy", 255),
    moment("SignedDate"),
    text("Place", 255),
    text("DocumentContentType", 120),
    blob("DocumentBody"),
    owner=False,
)
FILES = (NOTE, ATTACHMENT, CONTENT_DOCUMENT, CONTENT_VERSION, CONTENT_LINK, SIGNATURE)
