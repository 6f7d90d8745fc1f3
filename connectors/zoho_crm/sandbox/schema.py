"""The sandbox's metadata in memory: modules, fields, options, layouts and pipelines, kept as documents in the store."""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from connectors.zoho_crm.sandbox import catalogue
from connectors.zoho_crm.sandbox.answers import Json, invalid_module
from connectors.zoho_crm.sandbox.store import Store

_LINE = re.compile(r"(?P<name>\S+) (?P<type>[A-Za-z]+)(?P<size>\d*)(?P<rest>[^#]*)(?:# (?P<label>.+))?")
_NO_SIZE = {"datetime": 120, "date": 120, "boolean": 5}


@dataclass(slots=True)
class Option:
    """One picklist option; stages carry probability and forecast as well."""

    id: int
    display: str
    actual: str
    probability: int | None = None
    forecast: str | None = None
    used: bool = True


@dataclass(slots=True)
class Field:
    """One field of one module. `definition` keeps the creation attributes that only travel through (tooltip, ...)."""

    id: int
    api_name: str
    label: str
    data_type: str
    length: int
    decimal_place: int | None = None
    custom: bool = False
    mandatory: bool = False
    read_only: bool = False
    unique: bool = False
    external: str | None = None
    lookup: str | None = None
    options: list[Option] = field(default_factory=list)
    global_picklist: int | None = None
    definition: Json = field(default_factory=dict)
    created: int = 0
    modified: int = 0

    def option(self, value: str) -> Option | None:
        """The option whose stored or shown text is `value`."""
        return next((o for o in self.options if o.used and value in (o.actual, o.display)), None)


@dataclass(slots=True)
class Layout:
    """The one layout of a module: which fields it demands and which it does not show."""

    id: int
    section_id: int
    name: str = "Standard"
    required: set[str] = field(default_factory=set)
    unused: set[str] = field(default_factory=set)
    sections: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Pipeline:
    """A deal pipeline: ids of stage options in order, with the name shown for each."""

    id: int
    name: str
    default: bool
    stages: list[tuple[int, str]]


@dataclass(slots=True)
class Module:
    """One module with its fields by API name."""

    id: int
    api_name: str
    singular: str
    plural: str
    kind: str
    name_field: str
    duplicate_field: str | None
    layout: Layout
    items_field: str | None = None
    profiles: list[str] = field(default_factory=list)
    fields: dict[str, Field] = field(default_factory=dict)
    modified: int = 0

    @property
    def keyed_fields(self) -> list[Field]:
        """Unique and external fields, oldest first: the ones checked on every insert."""
        return [f for f in self.fields.values() if f.unique or f.external]

    def field_by_id(self, field_id: int) -> Field | None:
        return next((f for f in self.fields.values() if f.id == field_id), None)


class Schema:
    """All modules; loads from the store or creates the standard ones."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self.modules: dict[str, Module] = {}
        self.pipelines: dict[int, Pipeline] = {}
        self.global_picklists: dict[int, Json] = {}

    def load(self, *, currency: str) -> None:
        for raw in self._store.documents("module"):
            module = _module_from(raw)
            self.modules[module.api_name] = module
        for raw in self._store.documents("pipeline"):
            raw["stages"] = [(int(a), b) for a, b in raw["stages"]]
            self.pipelines[raw["id"]] = Pipeline(**raw)
        for raw in self._store.documents("global_picklist"):
            self.global_picklists[int(raw["id"])] = raw
        if not self.modules:
            self._create_standard(currency)

    def module(self, api_name: str) -> Module:
        """The module called `api_name`; INVALID_MODULE otherwise (Zoho fact sheet section 3)."""
        found = self.modules.get(api_name)
        if found is None or found.kind == "linking":
            raise invalid_module()
        return found

    def module_by_id(self, module_id: int) -> Module | None:
        return next((m for m in self.modules.values() if m.id == module_id), None)

    def save(self, module: Module) -> None:
        module.modified = self._now()
        self._store.save_document("module", module.id, _plain(module))

    def save_pipeline(self, pipeline: Pipeline) -> None:
        self.pipelines[pipeline.id] = pipeline
        self._store.save_document("pipeline", pipeline.id, asdict(pipeline))

    def drop_pipeline(self, pipeline_id: int) -> None:
        del self.pipelines[pipeline_id]
        self._store.drop_document("pipeline", pipeline_id)

    def new_module(self, *, api_name: str, singular: str, plural: str, kind: str = "custom") -> Module:
        """A module with the system fields and an empty standard layout, not yet saved."""
        layout = Layout(id=self._store.next_id(), section_id=self._store.next_id())
        module = Module(
            id=self._store.next_id(), api_name=api_name, singular=singular, plural=plural, kind=kind,
            name_field="Name", duplicate_field="Name", layout=layout,
        )  # fmt: skip
        for made in self._fields_of(catalogue.SYSTEM_FIELDS):
            module.fields[made.api_name] = made
        self.modules[api_name] = module
        return module

    def new_field(self, module: Module, api_name: str, label: str, data_type: str, length: int, **more: Any) -> Field:
        """Adds a field to `module`, not yet saved."""
        now = self._now()
        made = Field(self._store.next_id(), api_name, label, data_type, length, created=now, modified=now, **more)
        module.fields[api_name] = made
        return made

    def new_option(self, text: str, actual: str | None = None, **more: Any) -> Option:
        return Option(self._store.next_id(), text, actual if actual is not None else text, **more)

    def add_unlisted(self, module: Module, target: Field, value: str) -> None:
        """An unlisted picklist value becomes an option (Zoho fact sheet section 10)."""
        target.options.append(self.new_option(value))
        target.modified = self._now()
        self.save(module)

    def lookups_to(self, api_name: str) -> Iterator[tuple[Module, Field]]:
        """Every lookup field that points at module `api_name`."""
        for module in self.modules.values():
            for item in module.fields.values():
                if item.data_type == "lookup" and item.lookup == api_name:
                    yield module, item

    def _create_standard(self, currency: str) -> None:
        with self._store.transaction():
            for standard in catalogue.MODULES:
                module = self.new_module(
                    api_name=standard.api_name, singular=standard.singular,
                    plural=_plural(standard), kind="default",
                )  # fmt: skip
                module.name_field, module.duplicate_field = standard.name_field, standard.duplicate_field
                module.items_field = standard.items_field
                for made in self._fields_of(standard.lines):
                    module.fields[made.api_name] = made
                if "Currency" in module.fields:
                    module.fields["Currency"].options = [self.new_option(currency)]
                module.fields["Record_Status__s"].options = [
                    self.new_option(s) for s in ("Available", "Draft", "Trash")
                ]
                if standard.api_name == "Deals":
                    self._create_stages(module)
                self.save(module)

    def _create_stages(self, deals: Module) -> None:
        stages = [
            self.new_option(name, probability=probability, forecast=forecast)
            for name, probability, forecast in catalogue.STAGES
        ]
        deals.fields["Stage"].options = stages
        deals.fields["Pipeline"].options = [self.new_option(catalogue.STANDARD_PIPELINE)]
        pipeline_id = self._store.next_id()
        maps = [(stage.id, stage.display) for stage in stages]
        self.save_pipeline(Pipeline(pipeline_id, catalogue.STANDARD_PIPELINE, True, maps))

    def _fields_of(self, lines: str) -> Iterator[Field]:
        for line in lines.split("\n"):
            if not line.strip():
                continue
            parts = _LINE.fullmatch(line.strip())
            assert parts is not None, line
            yield self._field_of(parts)

    def _field_of(self, parts: "re.Match[str]") -> Field:
        name, kind, words = parts["name"], parts["type"], parts["rest"].split()
        picklist = next((word[1:] for word in words if word.startswith("=")), None)
        options = [self.new_option(text) for text in catalogue.PICKLISTS[picklist]] if picklist else []
        return Field(
            id=self._store.next_id(),
            api_name=name,
            label=(parts["label"] or name.removesuffix("__s").replace("_", " ")).strip(),
            data_type=kind,
            length=int(parts["size"] or _NO_SIZE.get(kind, 0)),
            decimal_place=2 if kind in ("currency", "double") else None,
            mandatory="!" in words,
            read_only="~" in words,
            lookup=next((word[1:] for word in words if word.startswith(">")), None),
            options=options,
            created=self._now(),
            modified=self._now(),
        )


def _plural(standard: catalogue.StandardModule) -> str:
    return "Meetings" if standard.api_name == "Events" else standard.api_name.replace("_", " ")


def _plain(module: Module) -> Json:
    raw = asdict(module)
    raw["layout"]["required"] = sorted(module.layout.required)
    raw["layout"]["unused"] = sorted(module.layout.unused)
    return raw


def _module_from(raw: Json) -> Module:
    layout = raw["layout"]
    layout["required"], layout["unused"] = set(layout["required"]), set(layout["unused"])
    fields = {
        name: Field(**{**item, "options": [Option(**option) for option in item["options"]]})
        for name, item in raw["fields"].items()
    }
    return Module(**{**raw, "layout": Layout(**layout), "fields": fields})
