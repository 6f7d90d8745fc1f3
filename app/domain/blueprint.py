"""A blueprint: everything one source → destination pair promises and does, read from one YAML file.

The public pair page, the proposal, the run and the tests read the same object, so the page cannot promise what the
run does not do (ruling 12 says which figures follow from rules and which are data).
"""

from app.domain.mapping import Exclusion, Load, SchemaPlan, ValueMap
from app.domain.schema import Frozen


class ObjectRow(Frozen):
    """One line of the pair's object table; `loads` and `exports` are how it is carried out.

    `compatibility`: full | partial | none. `cardinality`: "1:1" or "many:1", as the product page states it.
    """

    key: str
    source_object: str
    destination_object: str
    cardinality: str = "1:1"
    compatibility: str = "full"
    note: str
    loads: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()


class Gotcha(Frozen):
    """A trap of one side or of the pair; `check` names the preflight or gap finding that looks for it."""

    side: str
    title: str
    note: str = ""
    check: str = ""


class Step(Frozen):
    title: str
    note: str


class Timeline(Frozen):
    """The pair's usual duration as the page states it, and in hours for the quote."""

    label: str
    min_hours: int
    max_hours: int


class ExportName(Frozen):
    """What people call the record that a column refers to: `show` of the `object` whose id stands in `field`."""

    field: str
    object: str
    show: str = "Name"
    heading: str


class Export(Frozen):
    """A file for what cannot move: columns (or JSON fields) of one source object, plus a checklist for the admin.
    `names` stand beside the ids they belong to.
    """

    key: str
    source_object: str
    file: str
    format: str = "csv"
    fields: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    names: tuple[ExportName, ...] = ()
    never: tuple[str, ...] = ()
    when: tuple[dict[str, object], ...] = ()
    checklist: tuple[str, ...] = ()


class AutomationAdvice(Frozen):
    """The recommended equivalent at the destination for a kind of automation found at the source."""

    match: str
    recommend: str


class Blueprint(Frozen):
    """One pair. `mapped_of_eight` and `one_to_one` are the page's figures (data, ruling 12)."""

    version: str
    source: str
    destination: str
    category: str = "crm"
    overview: str
    one_to_one: int
    mapped_of_eight: int
    objects_in_category: int = 8
    timeline: Timeline
    rows: tuple[ObjectRow, ...]
    gotchas: tuple[Gotcha, ...] = ()
    steps: tuple[Step, ...] = ()
    external_id: str = "Source_System_ID__c"
    loads: tuple[Load, ...]
    value_maps: dict[str, ValueMap] = {}
    plan: SchemaPlan = SchemaPlan()
    exclusions: tuple[Exclusion, ...] = ()
    exports: tuple[Export, ...] = ()
    automations: tuple[AutomationAdvice, ...] = ()
