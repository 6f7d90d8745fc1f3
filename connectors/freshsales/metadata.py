"""What an account is made of: fields, forms, selectors, custom modules, users. Each is asked for once per connector.

Field lists carry the options of system dropdowns with their ids, so that hardly any selector has to be called;
provisioning forgets what it changed.
"""

import re
from collections.abc import Sequence
from typing import Any

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, PicklistValue, StageSpec, UserSpec
from connectors.errors import CredentialsRejected
from connectors.fanout import for_each
from connectors.freshsales import modules, wire
from connectors.freshsales.modules import Module
from connectors.http import ApiClient

_TYPES = {
    "text": FieldType.TEXT, "textarea": FieldType.TEXTAREA, "number": FieldType.DECIMAL, "decimal": FieldType.DECIMAL,
    "dropdown": FieldType.PICKLIST, "radio": FieldType.PICKLIST, "multi_select_dropdown": FieldType.MULTIPICKLIST,
    "checkbox": FieldType.BOOLEAN, "date": FieldType.DATE, "date_time_split": FieldType.DATETIME,
    "date_time": FieldType.DATETIME, "lookup": FieldType.LOOKUP, "formula": FieldType.TEXT,
    "auto_number": FieldType.AUTONUMBER, "phone": FieldType.PHONE, "mobile": FieldType.PHONE,
    "email": FieldType.EMAIL, "group_field": FieldType.COMPOUND, "auto_complete": FieldType.LOOKUP,
}  # fmt: skip
_READ_ONLY_TYPES = frozenset({"formula", "auto_number", "group_field"})
# System fields (section 13): written ones are at best ignored.
_SYSTEM = frozenset({
    "created_at", "updated_at", "creater_id", "creator_id", "updater_id", "last_contacted", "lead_score", "recent_note",
    "customer_fit", "age", "expected_deal_value", "base_currency_amount", "stage_updated_time", "lead_quality",
    "last_assigned_at", "rotten_days", "display_name",
})  # fmt: skip
_USERS = frozenset({"owner_id", "creater_id", "creator_id", "updater_id"})
_REFERENCES = {
    "sales_account_id": "sales_accounts", "parent_sales_account_id": "sales_accounts", "contacts": "contacts",
    "parent_product": "products",
}  # fmt: skip
_MONEY = frozenset({"amount", "annual_revenue"})
_PLURALS = {"contact": "contacts", "sales_account": "sales_accounts", "deal": "deals", "product": "products"}
_MODULE_NAME = re.compile(r"cm_[a-z0-9_]{1,80}")


class Metadata:
    """Settings and selector calls of one account."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._fields: dict[str, list[wire.Field]] = {}
        self._forms: dict[str, list[wire.Form]] = {}
        self._selectors: dict[str, list[wire.Named]] = {}
        self._pipelines: list[wire.Pipeline] | None = None
        self._modules: list[wire.CustomModule] | None = None
        self._users: list[wire.User] | None = None
        self._views: dict[str, dict[str, str]] = {}

    async def _get(self, path: str, *, missing: bool = False) -> Any:
        """An answer; with `missing` None where the account does not offer the call."""
        accept = frozenset({403, 404}) if missing else frozenset[int]()
        answer = await self._api.request("GET", path, purpose="describe", accept=accept)
        return None if answer.status in accept else answer

    async def users(self) -> list[wire.User]:
        """Users who can own records. Raises CredentialsRejected where the key's user may not list them (section 1)."""
        if self._users is None:
            self._users = (await self._get("/selector/owners")).decode(wire.USERS).users
        return self._users

    async def users_or_none(self) -> list[wire.User] | None:
        try:
            return await self.users()
        except CredentialsRejected as error:
            if error.status != 403:
                raise
            return None

    async def fields(self, module: Module) -> list[wire.Field]:
        """All fields of a module; a custom module shows them in its form only (section 11)."""
        if module.name not in self._fields:
            found: list[wire.Field] = []
            if not module.custom:
                answer = await self._get(f"/settings/{module.settings}/fields", missing=True)
                found = answer.decode(wire.FIELDS).fields if answer else []
            self._fields[module.name] = found or flattened(await self.forms(module))
        return self._fields[module.name]

    async def forms(self, module: Module) -> list[wire.Form]:
        """The module's forms, where the account shows them: they tell which fields are unique."""
        if module.name not in self._forms:
            answer = await self._get(f"/settings/{module.settings}/forms", missing=True)
            self._forms[module.name] = answer.decode(wire.FORMS).forms if answer else []
        return self._forms[module.name]

    async def unique_fields(self, module: Module) -> frozenset[str]:
        """Fields proven unique in this account; a contact's external id always is (section 14)."""
        named = {
            field.name
            for field in flattened(await self.forms(module))
            if field.field_options is not None and field.field_options.unique
        }
        return frozenset(named | ({"external_id"} if module.name == "contacts" else set()))

    async def pipelines(self) -> list[wire.Pipeline]:
        if self._pipelines is None:
            self._pipelines = (await self._get("/selector/deal_pipelines")).decode(wire.PIPELINES).deal_pipelines
        return self._pipelines

    async def selector(self, name: str) -> list[wire.Named]:
        """Rows of a plain selector; none where the account does not have it."""
        if name not in self._selectors:
            answer = await self._get(f"/selector/{name}", missing=True)
            rows = answer.decode(wire.SELECTOR) if answer else {}
            self._selectors[name] = next(iter(rows.values()), [])
        return self._selectors[name]

    async def custom_modules(self) -> list[wire.CustomModule]:
        """Custom modules with a name that calls can be made of."""
        if self._modules is None:
            answer = await self._get("/settings/module_customizations", missing=True)
            listed = answer.decode(wire.MODULES).module_customizations if answer else []
            self._modules = [one for one in listed if one.custom and _MODULE_NAME.fullmatch(one.entity_name)]
        return self._modules

    async def views(self, module: Module) -> dict[str, str]:
        """Ids of the saved views by name."""
        if module.name not in self._views:
            answer = await self._get(f"{module.path}/filters")
            self._views[module.name] = {view.name: str(view.id) for view in answer.decode(wire.VIEWS).filters}
        return self._views[module.name]

    async def whole_views(self, module: Module) -> list[str]:
        """Ids of the views that together hold all live records of a module; none where the account lacks one."""
        known = await self.views(module)
        names = module.views or tuple(name for name in known if name.startswith("All "))[:1]
        return [known[name] for name in names] if all(name in known for name in names) else []

    async def has_leads(self) -> bool:
        """Whether this is the classic suite, which has leads (section 2)."""
        return await self._get("/leads/filters", missing=True) is not None

    def forget(self, module: Module | None = None) -> None:
        """Drops what is known of a module's fields, or of the list of custom modules."""
        if module is None:
            self._modules = None
        else:
            self._fields.pop(module.name, None)
            self._forms.pop(module.name, None)

    def forget_all(self) -> None:
        """What a person may have changed meanwhile is looked at again; ids of views do not change."""
        self._fields, self._forms, self._selectors = {}, {}, {}
        self._pipelines = self._modules = self._users = None

    def learn(self, module: Module, fields: list[wire.Field], forms: list[wire.Form]) -> None:
        """Takes over what a successful change has made of a module's fields, instead of reading them again."""
        self._fields[module.name] = fields
        self._forms[module.name] = forms

    async def objects(self, *, catalogue: bool) -> list[ObjectSpec]:
        """Everything records can be written to, described in as few calls as the account allows."""
        await for_each((self._common, self._activity_lists), lambda read: read())
        found = [await self._record_spec(module) for module in (modules.ACCOUNTS, modules.CONTACTS, modules.DEALS)]
        leads = await self.has_leads()
        if leads:
            found.append(await self._record_spec(modules.LEADS))
        currencies = await self._currencies()
        if catalogue:
            found += [await self._product_spec(currencies), modules.line_spec(currencies)]
        found += modules.activity_specs(
            _names(await self.selector("sales_activity_entity_types")),
            _names(await self.selector("sales_activity_outcomes")),
            leads=leads,
        )
        found.append(await self._sales_activity_spec(leads))
        found.append(modules.file_spec(leads=leads))
        return found + await for_each(await self.custom_modules(), self._custom_spec)

    async def object(self, name: str) -> ObjectSpec | None:
        """One object, asked anew where an administrator can change it; None where the account does not have it."""
        module = modules.module_of(name)
        if name == modules.PRODUCTS.name:
            self.forget(modules.PRODUCTS)
            return await self._product_spec(await self._currencies())
        if module is None:
            return next((one for one in await self.objects(catalogue=True) if one.name == name), None)
        self.forget(module)
        if not module.custom:
            return await self._record_spec(module)
        self.forget()
        found = [one for one in await self.custom_modules() if one.entity_name == name]
        return await self._custom_spec(found[0]) if found else None

    async def _common(self) -> None:
        await self.fields(modules.CONTACTS)
        await self.custom_modules()

    async def _activity_lists(self) -> None:
        await self.selector("sales_activity_entity_types")
        await self.selector("sales_activity_outcomes")

    async def _record_spec(self, module: Module) -> ObjectSpec:
        fields = await self.fields(module)
        unique = await self.unique_fields(module)
        specs = [field_spec(field, field.name in unique) for field in fields]
        return ObjectSpec(name=module.name, label=_label(module.name), fields=(*_extras(module, unique), *specs))

    async def _product_spec(self, currencies: tuple[str, ...]) -> ObjectSpec:
        fields = await self.fields(modules.PRODUCTS)
        if not fields:
            return modules.product_spec(currencies)
        specs = (*(field_spec(field) for field in fields), *modules.price_fields(currencies))
        return ObjectSpec(name=modules.PRODUCTS.name, label="Products", fields=(_ID, *specs))

    async def _sales_activity_spec(self, leads: bool) -> ObjectSpec:
        module = Module(modules.SALES_ACTIVITIES, "/sales_activities", "sales_activity")
        specs = [field_spec(field) for field in await self.fields(module)]
        return ObjectSpec(
            name=module.name, label="Sales activities", fields=(_ID, *(_targeted(one, leads) for one in specs))
        )

    async def _custom_spec(self, found: wire.CustomModule) -> ObjectSpec:
        module = modules.custom_module(found.entity_name)
        unique = await self.unique_fields(module)
        specs = [field_spec(field, field.name in unique) for field in await self.fields(module)]
        label = found.plural_name or found.entity_name
        return ObjectSpec(name=module.name, label=label, custom=True, fields=(_ID, *specs))

    async def _currencies(self) -> tuple[str, ...]:
        for field in await self.fields(modules.DEALS):
            if field.name == "currency_id" and field.choices:
                return tuple(one.value for one in field.choices if one.value)
        return ()

    async def stages(self) -> tuple[StageSpec, ...]:
        """Stages by pipeline with probability and outcome (section 12)."""
        return tuple(
            StageSpec(
                name=stage.name,
                pipeline=pipeline.name,
                probability=None if stage.probability is None else round(stage.probability),
                forecast=stage.forecast_type or "",
            )
            for pipeline in await self.pipelines()
            for stage in pipeline.deal_stages
            if not stage.is_deleted
        )


_ID = FieldSpec(name="id", label="ID", type=FieldType.ID, primary_key=True, writable=False)


def flattened(forms: Sequence[wire.Form]) -> list[wire.Field]:
    """The fields of all forms without their sections, each once."""
    found: dict[str, wire.Field] = {}

    def walk(fields: Sequence[wire.Field]) -> None:
        for field in fields:
            if field.type != "section" and field.name and field.type:
                found.setdefault(field.name, field)
            else:
                walk(field.fields or ())

    for form in forms:
        walk(form.fields)
    return list(found.values())


def field_spec(field: wire.Field, unique: bool = False) -> FieldSpec:
    """A field in our words. Options of system dropdowns are names; the ids stay with the connector."""
    kind = _kind(field)
    writable = field.name not in _SYSTEM and field.type not in _READ_ONLY_TYPES and field.editable is not False
    length = {FieldType.TEXT: modules.TEXT_LENGTH, FieldType.TEXTAREA: modules.AREA_LENGTH, FieldType.PHONE: 30}
    number = kind in (FieldType.DECIMAL, FieldType.CURRENCY)
    return FieldSpec(
        name=field.name,
        label=field.label or field.name,
        type=kind,
        length=11 if number else length.get(kind),  # 11 digits before the point, 4 after it (section 14)
        scale=(2 if field.name == "amount" else 4) if number else None,
        required=bool(field.required),
        unique=unique,
        external_id=field.name == "external_id" and unique,
        writable=writable,
        custom=field.is_custom,
        picklist=_options(field) if kind in (FieldType.PICKLIST, FieldType.MULTIPICKLIST) else (),
        references=_references(field) if kind is FieldType.LOOKUP else (),
        restricted=kind is FieldType.PICKLIST,
    )


def _kind(field: wire.Field) -> FieldType:
    if field.name in _USERS:
        return FieldType.USER
    if field.name == "tags":
        return FieldType.MULTIPICKLIST
    if field.name in _MONEY:
        return FieldType.CURRENCY
    if field.name in ("mobile_number", "work_number", "phone"):
        return FieldType.PHONE
    return _TYPES.get(field.type or "", FieldType.TEXT)


def _references(field: wire.Field) -> tuple[str, ...]:
    if field.name in _REFERENCES:
        return (_REFERENCES[field.name],)
    target = field.lookup_entity or ""
    return (_PLURALS.get(target, target),) if target else ()


def _options(field: wire.Field) -> tuple[PicklistValue, ...]:
    names = dict.fromkeys(one.value for one in field.choices or () if one.value)
    return tuple(PicklistValue(value=name, label=name) for name in names)


def _extras(module: Module, unique: frozenset[str]) -> tuple[FieldSpec, ...]:
    """Our flat names for what the API nests: a primary e-mail address, a contact's account, a lead's company."""
    if module.name not in ("contacts", "leads"):
        return (_ID,)
    email = FieldSpec(
        name="email", label="Email", type=FieldType.EMAIL, length=modules.TEXT_LENGTH, unique="emails" in unique
    )
    if module.name == "leads":
        return (_ID, email, FieldSpec(name="company_name", label="Company name", length=modules.TEXT_LENGTH))
    account = FieldSpec(name="sales_account", label="Account", type=FieldType.LOOKUP, references=("sales_accounts",))
    return (_ID, email, account)


def _targeted(spec: FieldSpec, leads: bool) -> FieldSpec:
    """What an activity hangs on."""
    if spec.name != "targetable_id":
        return spec
    update = {"type": FieldType.LOOKUP, "references": modules.target_objects(leads)}
    return spec.model_copy(update=update)


def _names(rows: Sequence[wire.Named]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.name for row in rows if row.name))


def _label(name: str) -> str:
    return {"sales_accounts": "Accounts"}.get(name, name.capitalize())


def user_specs(users: Sequence[wire.User]) -> tuple[UserSpec, ...]:
    return tuple(
        UserSpec(
            id=str(user.id),
            name=user.display_name or "",
            email=(user.email or "").strip().lower(),
            active=user.is_active is not False,
        )
        for user in users
    )
