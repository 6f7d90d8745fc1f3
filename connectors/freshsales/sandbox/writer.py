"""Creates and changes records of contacts, accounts, deals, leads and custom modules, with every rule of the vendor.

Freshsales fact sheet sections 3 to 5 (fields), 13 (owners, times, custom_field) and 14 (unique values, lengths).
"""

from typing import Any

from connectors.freshsales.sandbox import contactparts, dealparts
from connectors.freshsales.sandbox.answers import DUPLICATE_CONTACT_CODE, Json, Refusal, bad, empty, wrong_type
from connectors.freshsales.sandbox.crm import Crm
from connectors.freshsales.sandbox.schema import Module
from connectors.freshsales.sandbox.store import Row
from connectors.freshsales.sandbox.times import parse_moment
from connectors.freshsales.sandbox.values import as_id, check, check_custom, record_of

_SPECIAL = frozenset({
    "emails", "email", "phone_numbers", "sales_accounts", "sales_account_id", "custom_field", "products", "contacts",
    "parent_sales_account_id", "company", "deal",
})  # fmt: skip
# Fields that are found by value, unique or not.
KEYED = {"contact": ("mobile_number", "work_number"), "sales_account": ("name", "phone", "website"), "deal": ("name",)}
_LABELS = {"emails": "email", "mobile_number": "mobilenumber"}


class Writer:
    """One write to one module; the caller opens the transaction."""

    def __init__(self, crm: Crm, module: Module, *, actor: int | None = None) -> None:
        self._crm = crm
        self._module = module
        self._actor = actor or crm.book.admin["id"]

    def create(self, body: Json) -> Row:
        """A new record; 400 for a refused value, a missing required field or a duplicate."""
        crm, now = self._crm, self._crm.now()
        row = Row(0, self._module.name, "", created=now, updated=now, indexed=crm.seconds(),
                  creator=self._actor, updater=self._actor)  # fmt: skip
        if crm.options.created_at == "honour":
            self._honour_times(row, body)
        self._apply(row, body, None)
        for field in self._module.fields.values():
            if field.required and not field.read_only and not self._has(row, field.name, custom=field.custom):
                raise empty(field.label)
        self._require_anything(row)
        row.id = crm.store.next_id()
        self._finish(row, body)
        crm.stats.created[self._module.name] += 1
        return row

    def update(self, row: Row, body: Json) -> Row:
        """Changes `row`; a null clears and is checked against required rules (section 1)."""
        old = dict(row.data)
        row.data = dict(row.data)
        self._apply(row, body, old)
        for name, field in self._module.fields.items():
            if name in body and field.required and not self._has(row, name, custom=False):
                raise empty(field.label)
        row.updated, row.updater = self._crm.now(), self._actor
        self._finish(row, body)
        self._crm.stats.updated[self._module.name] += 1
        return row

    def _honour_times(self, row: Row, body: Json) -> None:
        for name in ("created_at", "updated_at"):
            if isinstance(body.get(name), str):
                try:
                    moment = int(parse_moment(body[name], self._crm.zone).timestamp())
                except ValueError as error:
                    raise bad(f"{name} is invalid") from error
                setattr(row, name.removesuffix("_at"), moment)

    def _apply(self, row: Row, body: Json, old: Json | None) -> None:
        crm, data = self._crm, row.data
        for name, value in body.items():
            field = self._module.fields.get(name)
            if field is not None and not field.custom and not field.read_only and name not in _SPECIAL:
                data[name] = check(crm, field, value)
        if body.get("custom_field") is not None:
            given = check_custom(crm, self._module.fields, body["custom_field"])
            before = (old or {}).get("custom_field", {}) if crm.options.custom_field_put == "merge" else {}
            data["custom_field"] = {key: value for key, value in {**before, **given}.items() if value is not None}
        self._apply_parts(row, body, old)
        if "owner_id" in data:
            row.owner = data.pop("owner_id")
        if row.owner is None:
            row.owner = self._actor  # section 13: the key's user unless an owner is given

    def _apply_parts(self, row: Row, body: Json, old: Json | None) -> None:
        match self._module.name:
            case "contact":
                self._contact(row, body)
            case "sales_account":
                self._account(row, body)
            case "deal":
                self._deal(row, body, old)
            case "lead":
                self._lead(row, body)
            case _:
                row.name = str(row.data.get("name") or "")

    def _emails(self, row: Row, body: Json) -> None:
        data = row.data
        if "emails" in body:
            data["emails"] = contactparts.read_emails(self._crm, body["emails"], data.get("emails", []))
        if "email" in body:
            data["emails"] = contactparts.set_primary_email(self._crm, body["email"], data.get("emails", []))

    def _contact(self, row: Row, body: Json) -> None:
        data = row.data
        self._emails(row, body)
        if "phone_numbers" in body:
            data["phone_numbers"] = contactparts.read_phones(self._crm, body["phone_numbers"])
        names = " ".join(part for part in (data.get("first_name"), data.get("last_name")) if part)
        email = contactparts.primary_email(data.get("emails", []))
        row.name = names or email or data.get("mobile_number") or data.get("work_number") or ""
        stage, status = data.get("lifecycle_stage_id"), data.get("contact_status_id")
        statuses = self._crm.book.rows["contact_statuses"]
        if status and "contact_status_id" in body and "lifecycle_stage_id" not in body:
            data["lifecycle_stage_id"] = statuses[status]["lifecycle_stage_id"]
        elif status and stage and statuses[status]["lifecycle_stage_id"] != stage:
            if "contact_status_id" in body and self._crm.options.status_in_stage:
                raise bad("Status is invalid")
            if "contact_status_id" not in body:
                data["contact_status_id"] = self._crm.book.rows["lifecycle_stages"][stage]["contact_status_ids"][0]

    def _account(self, row: Row, body: Json) -> None:
        row.name = str(row.data.get("name") or "")
        if "parent_sales_account_id" in body:
            given = body["parent_sales_account_id"]
            parent = None if given is None else record_of(self._crm, "sales_account", given, "Parent account")
            if parent is not None and parent == row.id:
                raise bad("Parent account is invalid")
            row.data["parent_sales_account_id"] = parent

    def _deal(self, row: Row, body: Json, old: Json | None) -> None:
        crm, data = self._crm, row.data
        dealparts.settle_stage(crm, data, body, old)
        row.facet = crm.book.rows["deal_stages"][data["deal_stage_id"]]["forecast_type"]
        if body.get("products") is not None and (old is not None or crm.options.deal_create_lines):
            had = bool(data.get("products"))
            data["products"] = dealparts.read_lines(crm, body["products"], data)
            if had and not data["products"]:
                data["amount"] = data["amount"] if body.get("amount") is not None else "0.0"
        if data.get("products"):
            data["amount"] = dealparts.lines_total(data["products"])
        row.name = str(data.get("name") or "")

    def _lead(self, row: Row, body: Json) -> None:
        self._emails(row, body)
        for name in ("company", "deal"):
            if name in body:
                if body[name] is not None and not isinstance(body[name], dict):
                    raise wrong_type(name)
                row.data[name] = body[name]
        row.data.setdefault("lead_stage_id", self._crm.book.first("lead_stages")["id"])
        row.name = " ".join(part for part in (row.data.get("first_name"), row.data.get("last_name")) if part)

    def _has(self, row: Row, name: str, *, custom: bool) -> bool:
        if custom:
            return row.data.get("custom_field", {}).get(name) not in (None, "")
        if name == "owner_id":
            return row.owner is not None
        if name == "sales_account_id":
            return True  # decided in _links, where a nested account may stand for the id
        return row.data.get(name) not in (None, "", [])

    def _require_anything(self, row: Row) -> None:
        """A contact without any name, e-mail or phone is refused (section 3)."""
        if self._module.name == "contact" and not row.name:
            raise bad("Please fill at least one of name, email or phone")

    def _finish(self, row: Row, body: Json) -> None:
        crm = self._crm
        pairs = self._keys(row)
        self._check_unique(row, pairs)
        crm.store.save_row(row)
        crm.store.set_keys(row.module, row.id, pairs)
        self._links(row, body)

    def _keys(self, row: Row) -> list[tuple[str, str]]:
        """Values by which a record is found or must be unique, in lower case (sections 10 and 14)."""
        data = row.data
        pairs = [("emails", item["value"].lower()) for item in data.get("emails", [])]
        names = set(KEYED.get(row.module, ())) | {name for name, field in self._module.fields.items() if field.unique}
        for name in names - {"emails"}:
            value = data.get("custom_field", {}).get(name) if name.startswith("cf_") else data.get(name)
            if value not in (None, ""):
                pairs.append((name, str(value).lower()))
        return pairs

    def _check_unique(self, row: Row, pairs: list[tuple[str, str]]) -> None:
        """Section 14: values of unique fields, compared without regard to case."""
        crm = self._crm
        for name, value in pairs:
            field = self._module.fields[name]
            if not field.unique:
                continue
            others = crm.store.by_key(row.module, name, value, with_bin=crm.options.bin_blocks_unique)
            if any(other != row.id for other in others):
                raise self._duplicate(name, field.label)

    def _duplicate(self, name: str, label: str) -> Refusal:
        if self._module.name != "contact":
            return bad(f"{label} has already been taken")
        words = "Contact is not unique"
        if self._crm.options.duplicate_words == "field":
            words = f"{_LABELS.get(name, label)} is not unique"
        return Refusal(400, words, error_code=DUPLICATE_CONTACT_CODE)

    def rekey(self) -> None:
        """Writes the keys of every record anew, after a field became unique; 400 when values repeat."""
        store = self._crm.store
        for row in store.rows("module = ?", (self._module.name,)):
            pairs = self._keys(row)
            if not row.deleted:
                self._check_unique(row, pairs)
            store.set_keys(row.module, row.id, pairs)

    def _links(self, row: Row, body: Json) -> None:
        store = self._crm.store
        if row.module == "contact":
            if "sales_accounts" in body:
                found = contactparts.read_accounts(self._crm, body["sales_accounts"])
                store.set_links("contact_account", row.id, found)
            elif "sales_account_id" in body:
                given = body["sales_account_id"]
                key = None if given is None else record_of(self._crm, "sales_account", given, "Account")
                store.set_links("contact_account", row.id, [] if key is None else [(key, True)])
        elif row.module == "sales_account" and "parent_sales_account_id" in body:
            parent = row.data.get("parent_sales_account_id")
            store.set_links("account_parent", row.id, [(parent, True)] if parent else [])
        elif row.module == "deal":
            self._deal_links(row, body)

    def _deal_links(self, row: Row, body: Json) -> None:
        crm, store = self._crm, self._crm.store
        account = self._deal_account(body)
        if account is not None or "sales_account_id" in body:
            store.set_links("deal_account", row.id, [(account, True)] if account else [])
        current = [key for key, _ in store.linked("deal_contact", row.id)]
        wanted = dealparts.read_contacts(crm, body, current)
        if wanted != current:
            store.set_links("deal_contact", row.id, [(key, False) for key in wanted])
        if self._module.fields["sales_account_id"].required and not store.linked("deal_account", row.id):
            raise empty(self._module.fields["sales_account_id"].label)

    def _deal_account(self, body: Json) -> int | None:
        """`sales_account_id`, or a nested `sales_account {name}` that is found or made (section 5)."""
        crm, nested = self._crm, body.get("sales_account")
        if body.get("sales_account_id") is not None:
            return record_of(crm, "sales_account", body["sales_account_id"], "Account")
        if nested is None:
            return None
        if not isinstance(nested, dict):
            raise wrong_type("sales_account")
        if (key := as_id(nested.get("id"))) is not None:
            return record_of(crm, "sales_account", key, "Account")
        name = str(nested.get("name") or "")
        found = crm.store.by_key("sales_account", "name", name.lower())
        if found:
            return found[0]
        return Writer(crm, crm.schema.modules["sales_account"], actor=self._actor).create({"name": name}).id


def read_body(body: Any, name: str) -> Json:
    """The values of a write: wrapped in the singular name or bare, both are accepted (section 1)."""
    if isinstance(body, dict):
        inner = body.get(name, body)
        if isinstance(inner, dict):
            return inner
    raise wrong_type(name)
