"""The preflight: streams canonical records once and finds what the load would stumble over.

Memory per object is bounded except for 64-bit keyed hashes of ids, e-mails and names (about 16 bytes each). Findings
hold counts and up to five source ids; option values, the only values kept, belong into a sealed report.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from app.domain.addresses import addresses
from app.domain.choices import folded
from app.domain.issues import Noted
from app.domain.mapping import FieldRule, Load, LoadMode, MappingDocument, Unmapped
from app.domain.moments import date_of, instant_of
from app.domain.provisioning import enabled_loads
from app.domain.schema import FieldSpec, FieldType, Frozen, Inventory, ObjectSpec, Record
from app.domain.texts import email, phone
from app.domain.transforms import blank
from app.domain.validating import target_after_provisioning

EXAMPLES = 5
OPTIONS_KEPT = 200
_PENDING_KEPT = 10_000
_EARLIEST, _LATEST = "1901-01-01", "2100-12-31"


class QualityFinding(Frozen):
    """One kind of trouble. `examples` are source ids; `values` (option → count) may be personal: seal them."""

    code: str
    object: str
    field: str = ""
    count: int
    examples: tuple[str, ...] = ()
    values: dict[str, int] = {}
    limit: int | None = None

    @property
    def sealed(self) -> bool:
        """Whether the finding holds values and must not leave the sealed report."""
        return bool(self.values)

    def public(self) -> "QualityFinding":
        """The finding without values, for the open report."""
        return self.model_copy(update={"values": {}})


class FieldFill(Frozen):
    """How often a source field is filled."""

    object: str
    field: str
    filled: int
    records: int

    @property
    def rate(self) -> float:
        return self.filled / self.records if self.records else 0.0


class QualityReport(Frozen):
    """All findings, the largest first within an object, with records and fill rates."""

    records: dict[str, int]
    findings: tuple[QualityFinding, ...]
    fill: tuple[FieldFill, ...]

    def public(self) -> "QualityReport":
        return self.model_copy(update={"findings": tuple(one.public() for one in self.findings)})


class HashSet:
    """A set of 64-bit numbers in an array with open addressing: 16 bytes an entry at most, not a hundred."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 64))
        self._used = 0
        self._zero = False

    def __len__(self) -> int:
        return self._used + self._zero

    def __contains__(self, number: int) -> bool:
        return self._zero if number == 0 else self._slots[self._place(number)] == number

    def add(self, number: int) -> bool:
        """Adds the number; True when it was not there."""
        if number == 0:
            new, self._zero = not self._zero, True
            return new
        place = self._place(number)
        if self._slots[place] == number:
            return False
        self._slots[place] = number
        self._used += 1
        if self._used * 2 > len(self._slots):
            self._grow()
        return True

    def _place(self, number: int) -> int:
        slots, mask = self._slots, len(self._slots) - 1
        place = number & mask
        while (found := slots[place]) and found != number:
            place = place + 1 & mask
        return place

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for number in old:
            if number:
                self._slots[self._place(number)] = number


@dataclass(slots=True)
class _Tally:
    """A count with its first examples."""

    count: int = 0
    examples: list[str] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)
    limit: int | None = None

    def note(self, record_id: str, value: str | None = None) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(record_id)
        if value is not None and (value in self.values or len(self.values) < OPTIONS_KEPT):
            self.values[value] += 1


@dataclass(frozen=True, slots=True)
class _Lookup:
    """A reference that is loaded: the field and the source objects in which its id may be."""

    field: str
    objects: tuple[str, ...]


@dataclass(slots=True)
class _Pending:
    """References whose record has not been seen yet; ids of the first ones are kept for examples."""

    refs: "array[int]" = field(default_factory=lambda: array("Q"))
    ids: list[str] = field(default_factory=list)


class QualityScan:
    """Feed it every record once, objects in any order (referred ones first saves memory), then `finish`.

    `key` makes the hashes useless to anybody else; `region` is the country assumed for phone numbers whose rule in the
    mapping names none.
    """

    def __init__(
        self, document: MappingDocument, source: Inventory, destination: Inventory, *, key: bytes, region: str = ""
    ) -> None:
        self._key = key[:64]
        self._region = region
        self._regions = dict(_phone_regions(document))
        self._specs = {spec.name: spec for spec in source.objects}
        loads = enabled_loads(document)
        self._lookups = _lookups(loads)
        self._limits = {name: list(_limits(document, destination, name)) for name in self._specs}
        self._options = {name: dict(_options(document, self._specs[name])) for name in self._specs}
        self._typed = {name: _typed(spec, self._options[name]) for name, spec in self._specs.items()}
        self._keys = {name: _key_field(spec) for name, spec in self._specs.items()}
        self._addresses = {name: addresses(spec) for name, spec in self._specs.items()}
        self._pairs = {name: tuple(_date_pairs(spec)) for name, spec in self._specs.items()}
        self._records: Counter[str] = Counter()
        self._filled: dict[str, Counter[str]] = {name: Counter() for name in self._specs}
        self._tallies: dict[tuple[str, str, str], _Tally] = {}
        self._ids: dict[str, HashSet] = {name: HashSet() for name in self._specs}
        self._seen: dict[tuple[str, str], HashSet] = {}
        self._pending: dict[tuple[str, _Lookup], _Pending] = {}

    def add(self, object_name: str, record: Record) -> None:
        """Takes one canonical record. Raises KeyError for an object that the source inventory does not have.

        Deleted records count as such and nothing more: what refers to them is an orphan. Merged ones lead to their
        survivor, so references to them are sound.
        """
        record_id = str(record.get(self._keys[object_name], ""))
        merged = not blank(record.get("MasterRecordId"))
        if record.get("IsDeleted") is True or merged:
            self._tally("merged" if merged else "deleted", object_name, "").note(record_id)
            if merged:
                self._ids[object_name].add(self._hash(record_id))
            return
        self._records[object_name] += 1
        self._ids[object_name].add(self._hash(record_id))
        filled, typed = self._filled[object_name], self._typed[object_name]
        for name, value in record.items():
            if blank(value):
                continue
            filled[name] += 1
            if name in typed:
                self._check(object_name, typed[name], value, record_id)
        for name, target, limit in self._limits[object_name]:
            value = record.get(name)
            if isinstance(value, str) and len(value) > limit:
                tally = self._tally("too_long", object_name, f"{name} → {target}")
                tally.limit = limit
                tally.note(record_id)
        for lookup in self._lookups.get(object_name, ()):
            self._refer(object_name, lookup, record, record_id)
        self._duplicates(object_name, record, record_id)
        self._order_of_dates(object_name, record, record_id)
        for one in self._addresses[object_name]:
            if one.incomplete(record):
                self._tally("incomplete_address", object_name, one.street).note(record_id)

    def finish(self) -> QualityReport:
        """The report over everything fed so far."""
        self._orphans()
        findings = [
            QualityFinding(
                code=code, object=name, field=field_name, count=tally.count, examples=tuple(tally.examples),
                values=dict(tally.values.most_common()), limit=tally.limit,
            )
            for (code, name, field_name), tally in self._tallies.items()
        ]  # fmt: skip
        findings.sort(key=lambda one: (one.object, -one.count, one.code, one.field))
        fill = tuple(
            FieldFill(object=name, field=one.name, filled=self._filled[name][one.name], records=self._records[name])
            for name, spec in self._specs.items()
            if self._records[name]
            for one in spec.fields
        )
        return QualityReport(records=dict(self._records), findings=tuple(findings), fill=fill)

    def _hash(self, text: str) -> int:
        return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8, key=self._key).digest(), "little")

    def _tally(self, code: str, object_name: str, field_name: str) -> _Tally:
        return self._tallies.setdefault((code, object_name, field_name), _Tally())

    def _check(self, object_name: str, spec: FieldSpec, value: Any, record_id: str) -> None:
        if spec.type is FieldType.EMAIL:
            made = email(value, "blank")
            if isinstance(made, Noted) and made.value is None:
                self._tally("bad_email", object_name, spec.name).note(record_id)
        elif spec.type is FieldType.PHONE:
            if not _is_phone(str(value), self._regions.get((object_name, spec.name), self._region)):
                self._tally("bad_phone", object_name, spec.name).note(record_id)
        elif spec.type in {FieldType.DATE, FieldType.DATETIME}:
            self._check_date(object_name, spec, value, record_id)
        elif spec.type in {FieldType.PICKLIST, FieldType.MULTIPICKLIST} and spec.name in self._options[object_name]:
            known = self._options[object_name][spec.name]
            for option in value if isinstance(value, list) else [value]:
                if folded(str(option)) not in known:
                    self._tally("unknown_value", object_name, spec.name).note(record_id, str(option)[:120])

    def _check_date(self, object_name: str, spec: FieldSpec, value: Any, record_id: str) -> None:
        if date_of(value) is None and instant_of(value) is None:
            self._tally("bad_date", object_name, spec.name).note(record_id)
        elif not _EARLIEST <= str(value)[:10] <= _LATEST:
            self._tally("odd_date", object_name, spec.name).note(record_id)

    def _order_of_dates(self, object_name: str, record: Record, record_id: str) -> None:
        for start, end in self._pairs[object_name]:
            first, last = record.get(start), record.get(end)
            if isinstance(first, str) and isinstance(last, str) and last < first:
                self._tally("ends_before_start", object_name, end).note(record_id)

    def _duplicates(self, object_name: str, record: Record, record_id: str) -> None:
        for name, spec in self._typed[object_name].items():
            if spec.type is FieldType.EMAIL and isinstance(record.get(name), str):
                self._double("duplicate_email", object_name, name, record[name], record_id)
        if isinstance(record.get("Name"), str):
            self._double("duplicate_name", object_name, "Name", record["Name"], record_id)

    def _double(self, code: str, object_name: str, field_name: str, value: str, record_id: str) -> None:
        text = " ".join(value.split()).casefold()
        if text and not self._seen.setdefault((object_name, field_name), HashSet()).add(self._hash(text)):
            self._tally(code, object_name, field_name).note(record_id)

    def _refer(self, object_name: str, lookup: _Lookup, record: Record, record_id: str) -> None:
        value = record.get(lookup.field)
        if not isinstance(value, str) or not value:
            return
        number = self._hash(value)
        if any(number in self._ids[name] for name in lookup.objects if name in self._ids):
            return
        pending = self._pending.setdefault((object_name, lookup), _Pending())
        pending.refs.append(number)
        if len(pending.ids) < _PENDING_KEPT:
            pending.ids.append(record_id)

    def _orphans(self) -> None:
        for (object_name, lookup), pending in self._pending.items():
            sets = [self._ids[name] for name in lookup.objects if name in self._ids]
            tally = _Tally()
            for at, number in enumerate(pending.refs):
                if any(number in ids for ids in sets):
                    continue
                tally.count += 1
                if at < len(pending.ids) and len(tally.examples) < EXAMPLES:
                    tally.examples.append(pending.ids[at])
            if tally.count:
                self._tallies["orphan", object_name, lookup.field] = tally


def _typed(spec: ObjectSpec, options: dict[str, frozenset[str]]) -> dict[str, FieldSpec]:
    """The fields whose values have a form that can be wrong."""
    kinds = {FieldType.EMAIL, FieldType.PHONE, FieldType.DATE, FieldType.DATETIME}
    return {one.name: one for one in spec.fields if one.type in kinds or one.name in options}


def _key_field(spec: ObjectSpec) -> str:
    return next((one.name for one in spec.fields if one.primary_key), "Id")


def _date_pairs(spec: ObjectSpec) -> Iterator[tuple[str, str]]:
    """Fields that begin and end the same span: "StartDate" and "EndDate", "SchedStartTime" and "SchedEndTime"."""
    times = {one.name: one.type for one in spec.fields if one.type in {FieldType.DATE, FieldType.DATETIME}}
    for name, kind in times.items():
        end = name.replace("Start", "End")
        if end != name and times.get(end) is kind:
            yield name, end


def _phone_regions(document: MappingDocument) -> Iterator[tuple[tuple[str, str], str]]:
    """The country that the mapping assumes for the numbers of a source field, where it says one."""
    for load in enabled_loads(document):
        for rule in load.fields:
            region = rule.args.get("region")
            if isinstance(region, str) and region:
                yield from (((load.source_object, path), region) for path in rule.sources)


def _is_phone(text: str, region: str) -> bool:
    """Whether a person could dial it: seven to fifteen digits, and no words; the run keeps such text as it is."""
    made = phone(text, region, "e164")
    if not isinstance(made, Noted) or "phone_not_parsed" not in made.codes:
        return True
    digits = sum(letter.isdigit() for letter in text)
    return not region and 7 <= digits <= 15 and not any(letter.isalpha() for letter in text)


def _lookups(loads: tuple[Load, ...]) -> dict[str, tuple[_Lookup, ...]]:
    """Per source object the references that some load resolves; dotted paths belong to another record."""
    by_key = {load.key: load for load in loads}
    found: dict[str, dict[str, dict[str, None]]] = {}
    for load in loads:
        for rule in load.fields:
            for path in rule.sources if rule.lookup else ():
                if "." not in path and path != "Id":
                    objects = found.setdefault(load.source_object, {}).setdefault(path, {})
                    needed = rule.lookup.loads if rule.lookup else ()
                    objects.update({by_key[key].source_object: None for key in needed if key in by_key})
    return {
        name: tuple(_Lookup(path, tuple(objects)) for path, objects in paths.items()) for name, paths in found.items()
    }


def _limits(document: MappingDocument, destination: Inventory, source_object: str) -> Iterator[tuple[str, str, int]]:
    """(source field, target, characters) for text that goes into a field of limited length."""
    for load in enabled_loads(document):
        if load.source_object != source_object or load.mode in {LoadMode.LINK, LoadMode.FILE}:
            continue
        made = target_after_provisioning(document, destination, load.target_object)
        for rule in load.fields if made else ():
            spec = made[0].field(made[1].get(rule.target, rule.target)) if made else None
            if spec is not None and spec.length and _is_text(rule, spec) and "." not in rule.sources[0]:
                yield rule.sources[0], f"{load.target_object}.{rule.target}", spec.length


def _is_text(rule: FieldRule, spec: FieldSpec) -> bool:
    texts = {FieldType.TEXT, FieldType.TEXTAREA, FieldType.EMAIL, FieldType.PHONE, FieldType.URL}
    return len(rule.sources) == 1 and rule.lookup is None and not rule.owner and spec.type in texts


def _options(document: MappingDocument, spec: ObjectSpec) -> Iterator[tuple[str, frozenset[str]]]:
    """Source fields with the values that the mapping knows: those of its value map, else the source's own options."""
    mapped: dict[str, frozenset[str]] = {}
    for load in enabled_loads(document):
        for rule in load.fields if load.source_object == spec.name else ():
            table = document.value_maps.get(rule.value_map or "")
            if table is not None and len(rule.sources) == 1 and table.unmapped is not Unmapped.KEEP:
                mapped[rule.sources[0]] = frozenset(folded(key) for key in table.entries)
    for one in spec.fields:
        if one.name in mapped:
            yield one.name, mapped[one.name]
        elif one.picklist:
            yield one.name, frozenset(folded(option.value) for option in one.picklist)
