"""What the engine knows of a platform: facts as data and two small protocols; the errors are in `connectors.errors`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, JsonValue

from app.domain.schema import Encoding, Frozen, Inventory, ObjectSpec, Record

Clock = Callable[[], datetime]


class WriteStyle(StrEnum):
    """How records of an object can be written."""

    UPSERT = "upsert"
    INSERT = "insert"
    FILE = "file"


class ProbeStyle(StrEnum):
    """How a lost answer is cleared up for an object: by its key, by its parent's list, or by the same upsert again."""

    KEY = "key"
    PARENT_LIST = "parent_list"
    REPEAT = "repeat"


class ObjectFacts(Frozen):
    """What a destination allows for one object; `*` in a manifest stands for every object not named.

    `batch` is records per call. `key_field` is the native field that can carry our external id, empty when a custom
    unique field is to be provisioned and None when the object cannot have one. Objects that hang on a parent name the
    fields that hold the parent's id and object, and the text field in which a marker can be found again.

    `insert_batch` is records per call where nothing can be upserted (0: as `batch`); `calls_per_batch` what one full
    batch costs, asynchronous jobs and the reading of their ids included; `read_batch` how many records one call reads
    back, `delete_batch` how many one call deletes. `with_parent`: records of one parent are written, read and deleted
    together, by one call for each parent of a batch beside those that look at what stands there. Records with `by_id`
    off cannot be read by their ids, only through the lists of their parents. `unreadable` are fields that can be
    written and that no call shows: not compared.
    `computed_from` are fields that the platform computes anew from records of another object, by field: not compared
    either where a run writes such records, because the difference is expected. `together` are groups of fields that
    only mean something as a whole, as a stage does in its pipeline: whoever writes one of a group writes all.
    """

    style: WriteStyle = WriteStyle.UPSERT
    probe: ProbeStyle = ProbeStyle.KEY
    batch: int = 100
    insert_batch: int = 0
    calls_per_batch: int = 1
    read_batch: int = 100
    delete_batch: int = 100
    with_parent: bool = False
    key_field: str | None = ""
    updatable: bool = True
    deletable: bool = True
    by_id: bool = True
    parent_field: str = ""
    parent_object_field: str = ""
    marker_field: str = ""
    unreadable: tuple[str, ...] = ()
    computed_from: Mapping[str, str] = {}
    together: tuple[tuple[str, ...], ...] = ()
    source: str = ""


class Limits(Frozen):
    """Figures of an account that hold for every edition. Seconds, bytes and calls; the manifest cites the source.

    `quota_turns`: the budget comes back all at once when the window turns; otherwise a unit comes back one window
    after it was used. `calls_per_object`: what a connector asks once a run about each object before it can write it.
    `index_seconds`: for how long a count may not show what was just entered, where it goes by an index.
    """

    concurrency: int = 5
    batch: int = 100
    fields_per_read: int = 50
    file_bytes: int = 20 * 1024 * 1024
    call_timeout: float = 30.0
    settle_seconds: float = 0.0
    index_seconds: float = 0.0
    quota_window: float = 86_400.0
    quota_turns: bool = False
    calls_per_object: int = 0


class Edition(Frozen):
    """One plan of the vendor. `facts` hold its caps (credits, custom fields, modules) under documented names."""

    name: str
    api_access: bool = True
    concurrency: int | None = None
    facts: dict[str, JsonValue] = {}


class Capabilities(Frozen):
    """What a platform's API can do at all; the planner reads this before anything starts."""

    upsert_by_key: bool = False
    create_objects: bool = False
    create_fields: bool = False
    create_picklist_values: bool = False
    create_stages: bool = False
    create_users: bool = False
    modified_since: bool = False
    deletions_since: bool = False
    suppress_automation: bool = False
    reassign_owner: bool = False
    restore_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """A source record that is gone; `merged_into` is the survivor's id when it was merged away."""

    id: str
    at: datetime
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one object in canonical form, in a stable order; `cursor` continues after this page (None: done)."""

    records: Sequence[Record]
    deletions: Sequence[Deletion] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class FileRef:
    """Where a file's bytes are at the source: the object, the record's id and the blob field."""

    object: str
    id: str
    field: str


@dataclass(frozen=True, slots=True)
class FileStream:
    """Bytes on their way; `size` is what the source announced, None when it did not."""

    name: str
    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]


class WriteStatus(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    REFUSED = "refused"


class WriteResult(NamedTuple):
    """The verdict on one record. `code` and `field` name the refusal, `duplicate_id` the record in the way."""

    status: WriteStatus
    id: str | None = None
    modified_at: str | None = None
    code: str = ""
    field: str = ""
    message: str = ""
    duplicate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A record found at the destination by key."""

    id: str
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Where a batch goes: the object's API name there, the key field's API name ("" when it has none).

    `style` overrides the manifest when the account lacks a free unique slot (ruling 16: insert, then id map).
    """

    object: str
    key_field: str = ""
    style: WriteStyle = WriteStyle.UPSERT


class ChangeKind(StrEnum):
    OBJECT = "object"
    FIELD = "field"
    PICKLIST_VALUES = "picklist_values"
    STAGES = "stages"
    LAYOUT = "layout"


class SchemaChange(Frozen):
    """One thing the destination lacks. `object` and `name` are logical keys; labels are what people will see.

    `attributes`: type, length, scale, picklist, references (logical object), unique, external, stages — by kind.
    """

    kind: ChangeKind
    object: str
    name: str = ""
    label: str = ""
    attributes: dict[str, JsonValue] = {}


class ChangeResult(Frozen):
    """What became of a change: `api_name` as the platform derived it and we read it back; `existed` when already there.

    `manual` is the instruction for an admin when the API does not take the change; `advice` is what an admin may do
    to save calls, without which the run works as well.
    """

    change: SchemaChange
    api_name: str = ""
    id: str = ""
    existed: bool = False
    manual: str = ""
    advice: str = ""


@dataclass(slots=True)
class CallMeter:
    """Calls of one connector instance, by purpose; the cost at a vendor is the call, not the second."""

    made: int = 0
    rejected_429: int = 0
    credits: int = 0
    by_purpose: dict[str, int] = field(default_factory=dict)

    def count(self, purpose: str, credits: int = 1) -> None:
        self.made += 1
        self.credits += credits
        self.by_purpose[purpose] = self.by_purpose.get(purpose, 0) + 1


class TokenStore(Protocol):
    """Access tokens shared by all workers, sealed in PostgreSQL (ruling 7)."""

    async def load(self) -> Mapping[str, str] | None:
        """The cached token fields, or None when there is none."""

    def refreshing(self) -> AbstractAsyncContextManager[Mapping[str, str] | None]:
        """Held by one worker at a time: yields what is cached *now*, so that a waiter finds the fresh token."""

    async def save(self, token: Mapping[str, str]) -> None: ...


class Throttle(Protocol):
    """The account's limits, shared by everybody who calls it."""

    def slot(self, *, credits: int = 1, heavy: bool = False) -> AbstractAsyncContextManager[None]:
        """Waits for rate, concurrency and budget; raises QuotaExhausted when the budget is spent."""

    def penalise(self, seconds: float) -> None:
        """The platform said 429: nobody sends for a while."""


@dataclass(slots=True)
class ConnectionContext:
    """All that a connector is built from. `config` holds base URLs and options, `credentials` the unsealed secrets."""

    credentials: BaseModel
    config: Mapping[str, Any]
    tokens: TokenStore
    throttle: Throttle
    clock: Clock
    meter: CallMeter = field(default_factory=CallMeter)


class Source(Protocol):
    """A platform to read from."""

    async def check(self) -> dict[str, JsonValue]:
        """Proves the credentials; returns facts of the account. Raises CredentialsRejected or Transient."""

    async def describe(self) -> Inventory:
        """Objects, fields, picklists and users; no counts."""

    async def count(self, object_name: str) -> int: ...

    def read(
        self, object_name: str, fields: Sequence[str], *, cursor: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """All records ordered by id, archived ones too; with `since` only changes from then on, deletions included."""

    def open_file(self, ref: FileRef) -> AbstractAsyncContextManager[FileStream]: ...

    async def close(self) -> None: ...


class Destination(Protocol):
    """A platform to write to. Every method raises the errors of `connectors.errors` and nothing else."""

    async def check(self) -> dict[str, JsonValue]:
        """Proves the credentials; returns facts of the account (edition, users, budget left)."""

    async def describe(self) -> Inventory:
        """Objects, fields, picklists, stages and users; counts are empty."""

    async def describe_object(self, object_name: str) -> ObjectSpec | None:
        """One object as it is at this moment, asked anew; None where the account does not have it (any more)."""

    async def count(self, object_name: str, filled: str | None = None) -> int:
        """Live records, or those in which the field `filled` is not blank."""

    async def write(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        """Writes one batch of JSON objects; results in batch order. A refused record is a value, not an error."""

    async def update(self, target: WriteTarget, records: Sequence[bytes]) -> list[WriteResult]:
        """Updates records that carry their destination `id`; results in batch order."""

    async def find(self, object_name: str, field_name: str, values: Sequence[str]) -> dict[str, list[Found]]:
        """Records by the exact value of a field, read from the store and not from a lagging index."""

    async def fetch(self, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Records by id as the platform's JSON; ids that are gone are absent."""

    async def children(self, object_name: str, parent_object: str, parent_id: str) -> list[dict[str, Any]]:
        """Notes or attachments of one parent, as the platform's JSON; a file's name, size and time of creation, where
        they are known, under `File_Name`, `Size` and `Created_Time`.
        """

    async def children_of(
        self, object_name: str, parent_object: str, parent_ids: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """`children` of several parents by parent id, with as few calls as the vendor allows."""

    async def file_digest(self, parent_object: str, parent_id: str, file_id: str) -> str | None:
        """SHA-256 of an attached file's bytes in hexadecimal; None for links and where no call shows the bytes."""

    async def attach(self, parent_object: str, parent_id: str, stream: FileStream) -> WriteResult: ...

    async def attach_link(self, parent_object: str, parent_id: str, name: str, url: str) -> WriteResult: ...

    async def delete(
        self, object_name: str, ids: Sequence[str], *, parent_object: str = "", parent_id: str = ""
    ) -> list[WriteResult]:
        """Deletes by id, UPDATED status meaning gone now; a record that was gone already counts as gone."""

    async def provision(self, change: SchemaChange, names: Mapping[str, str]) -> ChangeResult:
        """Creates what is missing, idempotent; `names` maps logical keys that exist already to API names."""

    async def provision_many(self, changes: Sequence[SchemaChange], names: Mapping[str, str]) -> list[ChangeResult]:
        """The same for several changes with as few calls as the vendor allows; results in the order of `changes`."""

    async def reassign(self, object_name: str, ids: Sequence[str], user_id: str) -> list[WriteResult]: ...

    async def changed_since(self, object_name: str, since: datetime) -> AsyncIterator[Sequence[str]] | None:
        """Ids of records changed or deleted from `since` on, in pages; None where the platform cannot tell."""

    async def created_since(
        self, object_name: str, since: datetime, *, blank: str
    ) -> AsyncIterator[Sequence[str]] | None:
        """Ids of live records entered from `since` on whose field `blank` is empty, in pages, where the vendor can be
        asked so; with those in which it is filled where not. None where the platform cannot tell.
        """

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything known of one platform. Code branches on these facts, never on the slug."""

    slug: str
    name: str
    category: str
    credentials: type[BaseModel]
    limits: Limits
    capabilities: Capabilities
    encoding: Encoding = field(default_factory=Encoding)
    editions: Mapping[str, Edition] = field(default_factory=dict)
    objects: Mapping[str, ObjectFacts] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    source: Callable[[ConnectionContext], Source] | None = None
    destination: Callable[[ConnectionContext], Destination] | None = None

    def object_facts(self, name: str) -> ObjectFacts:
        return self.objects.get(name) or self.objects.get("*") or ObjectFacts()
