"""The schema gap report: what the destination lacks, which plan limits stand in the way, what it takes to pass them."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.editions import (
    EditionFacts,
    FieldUsage,
    custom_objects_fit,
    custom_objects_needed,
    edition_fits,
    field_usage,
    kind_usage,
    storage_of,
)
from app.domain.folding import consolidation
from app.domain.mapping import LoadMode, MappingDocument
from app.domain.plurals import counted
from app.domain.provisioning import (
    PlannedChange,
    enabled_loads,
    find_field,
    find_object,
    missing_fields,
    missing_objects,
    missing_stages,
    missing_values,
    provisioning_plan,
)
from app.domain.schema import FieldType, Frozen, Inventory

_TEXTS = frozenset({FieldType.TEXT, FieldType.TEXTAREA})
_IS = ("is", "are")


class Severity(StrEnum):
    """Whether a finding stops the run, asks for a look, or only informs."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


class GapFinding(Frozen):
    """One gap. `code` is stable, `remedy` says what a person can do, `items` are the names concerned."""

    code: str
    severity: Severity
    text: str
    remedy: str = ""
    object: str = ""
    items: tuple[str, ...] = ()


class NotMoving(Frozen):
    """What stays behind or goes to a file; `records` is None when not counted."""

    source_object: str
    field: str = ""
    reason: str
    export: str = ""
    note: str = ""
    records: int | None = None


class GapReport(Frozen):
    """The whole report; `changes` is the provisioning plan in order."""

    edition: str
    findings: tuple[GapFinding, ...]
    usage: tuple[FieldUsage, ...]
    changes: tuple[PlannedChange, ...]
    not_moving: tuple[NotMoving, ...]

    @property
    def blocked(self) -> bool:
        return any(finding.severity is Severity.BLOCKER for finding in self.findings)


def gap_report(
    document: MappingDocument,
    destination: Inventory,
    edition: EditionFacts,
    *,
    ladder: Sequence[EditionFacts] = (),
    source: Inventory | None = None,
    file_bytes: int = 0,
    quiet: bool = True,
    restores: bool = True,
) -> GapReport:
    """Compares the document with the destination.

    `ladder` are the vendor's plans from the smallest to the largest, for the advice which upgrade would do; `source`
    adds record counts and fill rates, `file_bytes` what all files weigh. `quiet`: writes can be kept from starting
    the destination's automation; `restores`: what a rollback deletes leaves nothing behind that a person would find.
    """
    upgrade = next((one.name for one in ladder if edition_fits(document, destination, one)), "")
    usage = field_usage(document, destination, edition)
    findings = [
        *_edition_findings(document, destination, edition, upgrade),
        *_account_findings(document),
        *_object_findings(document, destination),
        *_usage_findings(document, destination, usage, upgrade, source),
        *_kind_findings(document, destination, edition, upgrade),
        *_storage_findings(destination, edition, ladder, file_bytes),
        *_vendor_findings(quiet=quiet, restores=restores),
        *_field_findings(document, destination),
        *_conflict_findings(document, destination),
        *_value_findings(document, destination),
    ]
    return GapReport(
        edition=edition.name,
        findings=tuple(findings),
        usage=usage,
        changes=provisioning_plan(document, destination),
        not_moving=not_moving(document, source),
    )


def _edition_findings(
    document: MappingDocument, destination: Inventory, edition: EditionFacts, upgrade: str
) -> list[GapFinding]:
    findings = []
    advice = f"Upgrade to {upgrade}." if upgrade else "No plan of the vendor allows this; leave loads out."
    if not edition.api_access:
        text = f"The {edition.name} plan has no API access, so nothing can be written."
        findings.append(GapFinding(code="no_api_access", severity=Severity.BLOCKER, text=text, remedy=advice))
    if not custom_objects_fit(document, destination, edition):
        missing = missing_objects(document, destination)
        needed, allowed = custom_objects_needed(document, destination), edition.custom_objects
        findings.append(
            GapFinding(
                code="custom_objects_cap",
                severity=Severity.BLOCKER,
                text=f"{counted(needed, 'custom module', _IS)} needed, the {edition.name} plan allows {allowed}.",
                remedy=f"{advice} Or switch off the loads into {', '.join(one.plural for one in missing)}.",
                items=tuple(one.key for one in missing),
            )
        )
    return findings


def _account_findings(document: MappingDocument) -> list[GapFinding]:
    """Which way records go because of what this account has, where accounts of the vendor differ."""
    return [
        GapFinding(code="kind_of_account", severity=Severity.INFO, object=load.target_object, text=load.option)
        for load in enabled_loads(document)
        if load.option and (load.only_with or load.only_without)
    ]


def _object_findings(document: MappingDocument, destination: Inventory) -> list[GapFinding]:
    findings = [
        GapFinding(
            code="object_missing",
            severity=Severity.INFO,
            object=one.key,
            text=f"The module {one.plural} does not exist yet.",
            remedy="It is created by provisioning.",
        )
        for one in missing_objects(document, destination)
    ]
    planned = {one.key for one in document.plan.objects}
    targets = {load.target_object for load in enabled_loads(document) if load.mode in {LoadMode.CREATE, LoadMode.LINK}}
    for name in sorted(targets - planned):
        if destination.object(name) is None:
            text = f"The destination has no module {name}, or the connected user may not see it."
            remedy = "Give the user access, or switch off the loads into it."
            findings.append(
                GapFinding(code="object_unknown", severity=Severity.BLOCKER, object=name, text=text, remedy=remedy)
            )
    return findings


def _usage_findings(
    document: MappingDocument,
    destination: Inventory,
    usage: Sequence[FieldUsage],
    upgrade: str,
    source: Inventory | None,
) -> list[GapFinding]:
    findings = []
    for one in usage:
        if one.over:
            folded = consolidation(document, destination, one, source)
            advice = f"Upgrade to {upgrade}, or " if upgrade else ""
            findings.append(
                GapFinding(
                    code="custom_fields_cap",
                    severity=Severity.BLOCKER,
                    object=one.object,
                    text=f"{one.object} would have {counted(one.existing + one.added, 'custom field')}, "
                    f"the plan allows {one.cap}.",
                    remedy=f"{advice}fold these {len(folded)} rarely filled fields into one text field."
                    if folded
                    else f"{advice}leave {counted(one.over, 'field')} out.",
                    items=folded,
                )
            )
        if one.unique_short:
            findings.append(
                GapFinding(
                    code="unique_slots",
                    severity=Severity.WARNING,
                    object=one.object,
                    text=f"{one.object} has {counted(one.unique_free or 0, 'unique field')} left "
                    f"and needs {one.unique_needed}.",
                    remedy="Free a unique field; otherwise the former id becomes a plain field and is found by query.",
                )
            )
    return findings


def _kind_findings(
    document: MappingDocument, destination: Inventory, edition: EditionFacts, upgrade: str
) -> list[GapFinding]:
    """Kinds of custom fields that the plan has too few of; lookups, which some plans lack altogether, among them."""
    findings = []
    for one in kind_usage(document, destination, edition):
        if one.over:
            advice = f"Upgrade to {upgrade}, or " if upgrade else ""
            fold = "fold some into one text area" if one.kind in {"text", "dropdown"} else "leave some out"
            needed = one.existing + len(one.added)
            findings.append(
                GapFinding(
                    code="custom_fields_by_type",
                    severity=Severity.BLOCKER,
                    object=one.object,
                    text=f"{one.object} would have {counted(needed, 'custom field')} of the kind {one.kind}, "
                    f"the {edition.name} plan allows {one.cap}.",
                    remedy=f"{advice}{fold} ({one.over} too many).",
                    items=one.added,
                )
            )
    return findings


def _storage_findings(
    destination: Inventory, edition: EditionFacts, ladder: Sequence[EditionFacts], file_bytes: int
) -> list[GapFinding]:
    """The bytes of all files beside the space that the plan gives to the account's users."""
    space = storage_of(destination, edition)
    if space is None or not file_bytes:
        return []
    text = f"All files weigh {_size(file_bytes)}, the {edition.name} plan holds {_size(space)} for these users."
    if file_bytes <= space:
        return [GapFinding(code="file_storage", severity=Severity.INFO, text=text)]
    fitting = next((one for one in ladder if (storage_of(destination, one) or 0) >= file_bytes), None)
    remedy = f"Upgrade to {fitting.name}, " if fitting else "Add users, "
    remedy += "or leave files out: they can be handed over as an archive."
    return [GapFinding(code="file_storage", severity=Severity.BLOCKER, text=text, remedy=remedy)]


def _size(number: int) -> str:
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:,.1f} {unit}"
    return f"{number} bytes"


def _vendor_findings(*, quiet: bool, restores: bool) -> list[GapFinding]:
    """What the vendor's API cannot keep from happening: a person has to see to it, or to know it (ruling 23)."""
    findings = []
    if not quiet:
        findings.append(
            GapFinding(
                code="workflows_off",
                severity=Severity.WARNING,
                text="Nothing in a write keeps workflows, assignment rules and sequences from starting.",
                remedy="An administrator switches them off before the first write, and on again after go-live.",
            )
        )
    if not restores:
        findings.append(
            GapFinding(
                code="rollback_leftovers",
                severity=Severity.INFO,
                text="What a rollback deletes stays in the recycle bin, and files stay where no call deletes them.",
                remedy="Rehearse in an account of its own; the rollback names what it leaves behind.",
            )
        )
    return findings


def _field_findings(document: MappingDocument, destination: Inventory) -> list[GapFinding]:
    missing = missing_fields(document, destination)
    return [
        GapFinding(
            code="fields_missing",
            severity=Severity.INFO,
            object=name,
            text=f"{counted(sum(field.object == name for field in missing), 'field', _IS)} missing on {name}.",
            remedy="They are created by provisioning.",
            items=tuple(field.key for field in missing if field.object == name),
        )
        for name in dict.fromkeys(field.object for field in missing)
    ]


def _conflict_findings(document: MappingDocument, destination: Inventory) -> list[GapFinding]:
    """Fields that exist under a planned name but cannot hold what the plan means."""
    findings = []
    for planned in document.plan.fields:
        spec = find_object(document, destination, planned.object)
        field = find_field(document, spec, planned.object, planned.key) if spec else None
        if field is None:
            continue
        if field.type is not planned.type and not {field.type, planned.type} <= _TEXTS:
            text = f"{planned.object}.{field.name} exists as {field.type.value}, the plan needs {planned.type.value}."
            code, severity = "field_type_differs", Severity.BLOCKER
        elif planned.length and field.length and field.length < planned.length:
            text = f"{planned.object}.{field.name} holds {field.length} characters, the plan needs {planned.length}."
            code, severity = "field_too_short", Severity.WARNING
        else:
            continue
        remedy = "Rename the existing field, or map to another one."
        findings.append(
            GapFinding(
                code=code, severity=severity, object=planned.object, text=text, remedy=remedy, items=(planned.key,)
            )
        )
    return findings


def _value_findings(document: MappingDocument, destination: Inventory) -> list[GapFinding]:
    findings = [
        GapFinding(
            code="picklist_values_missing",
            severity=Severity.INFO,
            object=name,
            text=f"{name}.{key} lacks {counted(len(absent), 'option')}.",
            remedy="They are added by provisioning.",
            items=absent,
        )
        for (name, key), absent in missing_values(document, destination).items()
    ]
    return [*findings, *_stage_findings(document, destination)]


def _stage_findings(document: MappingDocument, destination: Inventory) -> list[GapFinding]:
    stages = missing_stages(document, destination)
    remedy = "They are created by provisioning; where the API refuses, an administrator adds them."
    findings = []
    for pipeline in dict.fromkeys(stage["pipeline"] for stage in stages):
        names = tuple(str(stage["name"]) for stage in stages if stage["pipeline"] == pipeline)
        text = f"{counted(len(names), 'stage', _IS)} missing in the pipeline {pipeline}."
        findings.append(
            GapFinding(code="stages_missing", severity=Severity.WARNING, text=text, remedy=remedy, items=names)
        )
    return findings


def not_moving(document: MappingDocument, source: Inventory | None = None) -> tuple[NotMoving, ...]:
    """Objects and fields that are left out, exported or absorbed, and loads that are switched off."""
    counts = source.counts if source else {}
    listed = [
        NotMoving(
            source_object=one.source_object,
            field=one.field,
            reason=one.reason,
            export=one.export,
            note=one.note,
            records=counts.get(one.source_object),
        )
        for one in document.exclusions
    ]
    disabled = [
        NotMoving(
            source_object=load.source_object,
            reason="load_switched_off",
            note=f"The load {load.key} into {load.target_object} is switched off.",
            records=counts.get(load.source_object),
        )
        for load in document.loads
        if not load.enabled
    ]
    return (*listed, *disabled)
