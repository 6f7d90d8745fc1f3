"""The destinations under contract: how each is built, and which objects and fields stand for the contract's roles.

A destination joins by a `Case` and a fixture of its sandbox; the tests of `test_destination_*.py` are the contract.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.base import CallMeter, ChangeKind, Destination, FileStream, SchemaChange, WriteStyle, WriteTarget
from connectors.freshsales.destination import FreshsalesDestination
from connectors.zoho_crm.destination import ZohoDestination
from tests.connectors.connector_kit import MemoryTokens, Sandbox, freshsales_context, no_sleep, zoho_context

Build = Callable[..., Destination]


class StoredFile(NamedTuple):
    """A file or link as the sandbox's dump shows it."""

    name: str
    sha256: str | None
    url: str | None


@dataclass(frozen=True)
class Case:
    """The roles: `keyed` has a unique key field, `child` and `bare` hang on a parent or stand alone without a key.

    `note(parent_object, parent_id, text)` and `task(parent_object, parent_id)` make records of `child` and `bare`;
    `prepare` does an administrator's part before records are written.
    """

    slug: str
    sandbox: str
    build: Build
    keyed: str
    name_field: str
    number_field: str
    owner_field: str
    child: str
    note: Callable[[str, str, str], bytes]
    note_text: str
    bare: str
    task: Callable[[str, str], bytes]
    files: str
    stored: Callable[[Sandbox, str], Awaitable[list[StoredFile]]]
    credentials: tuple[str, ...]
    files_deletable: bool = True
    too_many_megabytes: int = 22
    calls_per_hundred: int = 1
    has_tokens: bool = True
    adds_options: bool = True
    prepare: Callable[[Sandbox, str], Awaitable[None]] | None = None

    def record(self, key_field: str, key: str, **more: Any) -> bytes:
        return json.dumps({self.name_field: f"Name of {key}", key_field: key, **more}).encode()


def zoho(url: str, **overrides: Any) -> Destination:
    retries = overrides.pop("retries", 2)
    return ZohoDestination(zoho_context(url, **overrides), sleep=no_sleep, retries=retries)


def zoho_note(parent_object: str, parent_id: str, text: str) -> bytes:
    parent = {"module": {"api_name": parent_object}, "id": parent_id}
    return json.dumps({"Note_Title": "T", "Note_Content": text, "Parent_Id": parent}).encode()


async def zoho_files(sandbox: Sandbox, parent: str) -> list[StoredFile]:
    rows = [json.loads(line) for line in (await sandbox.dump("?module=Attachments")).splitlines()]
    return [
        StoredFile(row["file_name"], row.get("sha256"), row.get("url")) for row in rows if row["parent"]["id"] == parent
    ]


def freshsales(url: str, **overrides: Any) -> Destination:
    retries = overrides.pop("retries", 2)
    return FreshsalesDestination(freshsales_context(url, **overrides), sleep=no_sleep, retries=retries)


def fresh_note(parent_object: str, parent_id: str, text: str) -> bytes:
    return json.dumps({"description": text, "targetable_type": parent_object, "targetable_id": int(parent_id)}).encode()


def fresh_task(parent_object: str, parent_id: str) -> bytes:
    body = {"title": "Call back", "due_date": "2024-05-06", "targetable_type": parent_object}
    return json.dumps({**body, "targetable_id": int(parent_id)}).encode()


async def fresh_files(sandbox: Sandbox, parent: str) -> list[StoredFile]:
    rows = [json.loads(line)["data"] for line in (await sandbox.dump("?module=file")).splitlines()]
    return [StoredFile(row["name"], row["sha256"], row["url"]) for row in rows if str(row["target"]) == parent]


async def fresh_unique(sandbox: Sandbox, field: str) -> None:
    """Unique flags are an administrator's (Freshsales fact sheet section 14)."""
    await sandbox.post("admin", {"action": "set_unique", "module": "sales_account", "field": field})


CASES = [
    Case(
        slug="zoho_crm",
        sandbox="zoho",
        build=zoho,
        keyed="Accounts",
        name_field="Account_Name",
        number_field="Annual_Revenue",
        owner_field="Owner",
        child="Notes",
        note=zoho_note,
        note_text="Note_Content",
        bare="Tasks",
        task=lambda *_: b'{"Subject":"Call back"}',
        files="Attachments",
        stored=zoho_files,
        credentials=("client_id", "client_secret", "refresh_token"),
    ),
    Case(
        slug="freshsales",
        sandbox="fresh",
        build=freshsales,
        keyed="sales_accounts",
        name_field="name",
        number_field="annual_revenue",
        owner_field="owner_id",
        child="notes",
        note=fresh_note,
        note_text="description",
        bare="tasks",
        task=fresh_task,
        files="documents",
        stored=fresh_files,
        credentials=("api_key",),
        files_deletable=False,
        too_many_megabytes=152,
        calls_per_hundred=3,
        has_tokens=False,
        adds_options=False,
        prepare=fresh_unique,
    ),
]


@dataclass
class Bench:
    """One destination under test with its sandbox and the API name of the key field."""

    case: Case
    sandbox: Sandbox
    destination: Destination
    meter: CallMeter
    tokens: MemoryTokens
    key_field: str = ""

    def target(self, style: WriteStyle = WriteStyle.UPSERT) -> WriteTarget:
        return WriteTarget(self.case.keyed, self.key_field, style)

    def records(self, *keys: str, **more: Any) -> list[bytes]:
        return [self.case.record(self.key_field, key, **more) for key in keys]

    async def ids(self, *keys: str) -> dict[str, list[str]]:
        found = await self.destination.find(self.case.keyed, self.key_field, keys)
        return {key: [one.id for one in rows] for key, rows in found.items()}


async def bench_of(case: Case, sandbox: Sandbox) -> Bench:
    """A destination with its key field made, and everything known of it that a write asks for first."""
    meter, tokens = CallMeter(), sandbox.tokens
    made = Bench(case, sandbox, case.build(sandbox.url, meter=meter, tokens=tokens), meter, tokens)
    change = SchemaChange(
        kind=ChangeKind.FIELD, object=case.keyed, name="Source_System_ID__c", label="Source System ID",
        attributes={"type": "text", "length": 255, "unique": True, "external": True},
    )  # fmt: skip
    made.key_field = (await made.destination.provision(change, {})).api_name
    if case.prepare is not None:
        await case.prepare(sandbox, made.key_field)
    await made.destination.describe()
    return made


def reference(value: Any) -> str:
    """The bare id of a reference."""
    return str(value["id"] if isinstance(value, dict) else value)


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def stream(name: str, *parts: bytes, size: int | None = None) -> FileStream:
    return FileStream(name, "image/png", size, content(*parts))
