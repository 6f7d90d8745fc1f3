"""Modules and their fields, standard and custom (Freshsales fact sheet sections 11 and 12)."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connectors.freshsales.sandbox import catalogue
from connectors.freshsales.sandbox.answers import Json, bad, not_found
from connectors.freshsales.sandbox.options import Options
from connectors.freshsales.sandbox.plans import Plan, kind_of
from connectors.freshsales.sandbox.store import Store

# Names used in paths, and the singular ones used in bodies (section 2).
PLURALS = {
    "contact": "contacts", "sales_account": "sales_accounts", "deal": "deals", "lead": "leads",
    "sales_activity": "sales_activities", "product": "products",
}  # fmt: skip
_SPECS = {
    "contact": catalogue.CONTACT, "sales_account": catalogue.SALES_ACCOUNT, "deal": catalogue.DEAL,
    "lead": catalogue.LEAD, "sales_activity": catalogue.SALES_ACTIVITY, "product": catalogue.PRODUCT,
}  # fmt: skip
MODELS = {
    "contact": "Contact", "sales_account": "SalesAccount", "deal": "Deal", "lead": "Lead",
    "sales_activity": "SalesActivity", "product": "CpqProduct",
}  # fmt: skip
TYPES = (
    "text", "textarea", "number", "dropdown", "radio", "multi_select_dropdown", "checkbox", "date", "date_time_split",
    "lookup", "formula", "auto_number",
)  # fmt: skip
_CHOICE_TYPES = ("dropdown", "radio", "multi_select_dropdown")
READ_ONLY_TYPES = ("formula", "auto_number")
MAX_CHOICES = 300  # section 14
MODULE_FIELDS = 310  # section 11
ACTIVITY_FIELDS = 5  # section 16
UNIQUE_SLOTS = {"contact": 4, "sales_account": 2}  # section 14; custom modules 2


@dataclass(slots=True)
class Field:
    """One field; `selector` names the list whose ids it takes, `target` the module of a lookup."""

    id: int
    name: str
    label: str
    type: str
    position: int
    custom: bool = False
    required: bool = False
    read_only: bool = False
    visible: bool = True
    unique: bool = False
    selector: str | None = None
    target: str | None = None
    choices: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Module:
    """A kind of record: `name` is the singular one of bodies, `plural` the one of paths."""

    name: str
    plural: str
    form_id: int
    fields: dict[str, Field]
    views: dict[int, str]
    custom: Json | None = None

    @property
    def model(self) -> str:
        return MODELS.get(self.name, self.name)


def _standard(spec: str) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for number, line in enumerate(spec.split("\n")[1:-1], 1):
        name, label, type_, *rest = line.split("|")
        extras = rest[0].split() if rest else []
        made = Field(number, name, label, type_, number, required="req" in extras, read_only="ro" in extras)
        made.visible, made.unique = "hid" not in extras, "uniq" in extras
        for extra in extras:
            if extra.startswith("sel="):
                made.selector = extra[4:]
            elif extra.startswith("in="):
                pairs = [pair.split(":") for pair in catalogue.FIXED_CHOICES[extra[3:]].split(",")]
                made.choices = [
                    {"id": key, "value": value, "position": place} for place, (key, value) in enumerate(pairs, 1)
                ]
        fields[name] = made
    return fields


def slug(label: str) -> str:
    """`cf_` and the label in lower case with underscores (section 11)."""
    return "cf_" + (re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "field")


class Schema:
    """All modules of the account; custom fields and custom modules are written through to the store."""

    def __init__(self, store: Store, plan: Plan, options: Options) -> None:
        self._store = store
        self._plan = plan
        self._options = options
        self.modules: dict[str, Module] = {}

    def load(self) -> None:
        """Reads the account's schema, or makes that of a fresh one."""
        self.modules = {}
        kept = self._store.document("views", 0)
        views: dict[str, list[int]] = kept or self._new_views()
        for number, (name, spec) in enumerate(_SPECS.items(), 1):
            named = dict(zip(views.get(name, []), catalogue.VIEWS.get(name, ()), strict=True))
            self.modules[name] = Module(name, PLURALS[name], number, _standard(spec), named)
        for body in self._store.documents("module"):
            self._enter(body)
        for body in self._store.documents("field"):
            module = self.modules[body.pop("module")]
            module.fields[body["name"]] = Field(**body)
        self._apply_options()

    def _new_views(self) -> dict[str, list[int]]:
        made = {name: [self._store.next_id() for _ in names] for name, names in catalogue.VIEWS.items()}
        self._store.save_document("views", 0, made)
        return made

    def _apply_options(self) -> None:
        options, contact, deal = self._options, self.modules["contact"].fields, self.modules["deal"].fields
        contact["emails"].unique = options.email_unique
        contact["emails"].required = options.contact_needs_email
        contact["mobile_number"].unique = options.mobile_unique
        self.modules["sales_account"].fields["name"].unique = options.account_name_unique
        deal["sales_account_id"].required = options.deal_needs_account
        for rule in filter(None, options.required_fields.split(",")):
            module, _, name = rule.strip().partition(".")
            self.require(module, name)
        kept = self._store.document("rules", 0) or {"required": [], "unique": []}
        for module, name in kept["required"]:
            self.field(module, name).required = True
        for module, name in kept["unique"]:
            self.field(module, name).unique = True

    def require(self, module: str, name: str) -> None:
        """Marks a field required; a custom field that does not exist yet is kept in mind until it is made."""
        fields = self.modules[module].fields if module in self.modules else {}
        if name in fields:
            fields[name].required = True
        elif not name.startswith("cf_"):
            raise ValueError(f"unknown field {module}.{name} in option 'required_fields'")

    def keep_rule(self, kind: str, module: str, name: str) -> None:
        """Stores an administrator's required or unique rule."""
        kept = self._store.document("rules", 0) or {"required": [], "unique": []}
        kept[kind].append([module, name])
        self._store.save_document("rules", 0, kept)

    def field(self, module: str, name: str) -> Field:
        """KeyError for an unknown module or field."""
        return self.modules[module].fields[name]

    def by_plural(self, plural: str) -> Module:
        """The module of a path part; 404 for an unknown one."""
        for module in self.modules.values():
            if module.plural == plural or (module.custom and module.name == plural):
                return module
        raise not_found()

    # custom modules and fields

    def _enter(self, body: Json) -> Module:
        name = body["entity_name"]
        views = {body["view_id"]: f"All {body['plural_name']}", body["bin_view_id"]: "Recycle Bin"}
        module = Module(name, name, body["form_id"], _standard(catalogue.CUSTOM_MODULE), views, custom=body)
        self.modules[name] = module
        return module

    def save_module(self, body: Json) -> Module:
        self._store.save_document("module", body["id"], body)
        old = self.modules.get(body["entity_name"])
        module = self._enter(body)
        if old is not None:
            module.fields = old.fields
        return module

    def drop_module(self, module: Module) -> None:
        assert module.custom is not None
        for made in module.fields.values():
            if made.custom:
                self._store.drop_document("field", made.id)
        self._store.drop_document("module", module.custom["id"])
        del self.modules[module.name]

    def add_field(
        self, module: Module, label: str, type_: str, *, required: bool = False, choices: list[str] | None = None,
        target: str | None = None,
    ) -> Field:  # fmt: skip
        """A new custom field; 400 when the plan's caps or the length limits refuse it (sections 14 and 16)."""
        texts = choices or []
        if type_ not in TYPES:
            raise bad("Type is invalid")
        if len(texts) > MAX_CHOICES:
            raise bad(f"Choices cannot be more than {MAX_CHOICES}")
        self._check_caps(module, type_)
        if any(made.label.lower() == label.lower() for made in module.fields.values()):
            raise bad("Label has already been taken")
        name = slug(label)
        number = 1
        while name in module.fields:
            name, number = f"{slug(label)}_{number}", number + 1
        rows = self._choices(texts) if type_ in _CHOICE_TYPES else []
        made = Field(
            self._store.next_id(), name, label, type_, len(module.fields) + 1, custom=True, required=required,
            read_only=type_ in READ_ONLY_TYPES, choices=rows, target=target,
        )  # fmt: skip
        if f"{module.name}.{name}" in self._options.required_fields.split(","):
            made.required = True
        module.fields[name] = made
        self._store.save_document("field", made.id, {"module": module.name, **made.to_json()})
        return made

    def _choices(self, texts: list[str]) -> list[Json]:
        """Choice ids of custom fields are strings (section 12)."""
        unique = dict.fromkeys(texts)
        return [{"id": str(self._store.next_id()), "value": text, "position": n} for n, text in enumerate(unique, 1)]

    def _check_caps(self, module: Module, type_: str) -> None:
        used = Counter(kind_of(made.type) for made in module.fields.values() if made.custom)
        kind, total = kind_of(type_), sum(used.values())
        most = ACTIVITY_FIELDS if module.name == "sales_activity" else self._plan.fields_total
        if module.custom:
            most = MODULE_FIELDS
        if total >= most or used[kind] >= self._plan.fields_by_kind.get(kind, 0):
            raise bad("You have reached the maximum number of custom fields for this field type in your plan")

    def unique_slots_left(self, module: Module) -> int:
        """How many more fields may be made unique (section 14); 0 for deals, which the pages do not list."""
        most = 2 if module.custom else UNIQUE_SLOTS.get(module.name, 0)
        if module.name == "lead":
            most = self._options.lead_unique_fields
        return most - sum(made.unique for made in module.fields.values())

    def shown(self, module: Module, made: Field, lists: dict[str, dict[int, Json]]) -> Json:
        """A row of `/settings/{p}/fields` (section 12)."""
        row: Json = {
            "id": made.id, "label": made.label, "name": made.name, "type": made.type, "default": not made.custom,
            "actionable": True, "position": made.position, "choices": self._shown_choices(made, lists),
            "base_model": module.model, "required": made.required, "quick_add_position": None,
            "visible": made.visible,
        }  # fmt: skip
        if made.type == "auto_complete":
            row |= {
                "auto_suggest_url": f"/search/auto_suggest/{made.name}.json?q=", "creatable": made.name == "tags",
                "creatable_data_key": made.name, "multiple": made.name in ("tags", "contacts"),
            }  # fmt: skip
        return row

    def _shown_choices(self, made: Field, lists: dict[str, dict[int, Json]]) -> list[Json]:
        """Integer ids for owner, status, stage and number of employees, strings otherwise (section 12)."""
        if made.name == "sales_activity_type_id":
            rows: list[Any] = [row for row in lists["sales_activity_types"].values() if not row["is_default"]]
        elif made.selector:
            rows = list(lists[made.selector].values())
        else:
            number = made.name == "number_of_employees"
            return [{**choice, "id": int(choice["id"]) if number else choice["id"]} for choice in made.choices]
        whole = made.selector in ("users", "contact_statuses", "deal_stages")
        return [
            {"id": row["id"] if whole else str(row["id"]), "value": row["name"], "position": row["position"]}
            for row in rows
        ]
