"""Turns a parsed query into SQL over the store: which columns, which joins, which rows in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.servicetracker.sandbox.errors import ApiError, invalid_field, malformed_query
from connectors.servicetracker.sandbox.fields import ADDRESS_PARTS, NUMBER_TYPES, Field, SObject
from connectors.servicetracker.sandbox.schema import OBJECTS, find_object
from connectors.servicetracker.sandbox.soql_conditions import condition_sql
from connectors.servicetracker.sandbox.soql_syntax import Comparison, Condition, Junction, Negation, Select, parse

LARGEST_OFFSET = 2_000
LARGEST_ALL = 200
_DEEPEST_WALK = 5
_NAME_FIELDS = frozenset({"id", "name"})


@dataclass(frozen=True, slots=True)
class Column:
    """One selected field: the path as it was written, the walk of relationship names, the field and its SQL."""

    written: str
    walk: tuple[str, ...]
    owner: SObject | None
    field: Field
    sql: str


@dataclass(slots=True)
class Plan:
    """A query ready to run; `joins` maps each walked relationship to its alias and object (None: polymorphic)."""

    sobject: SObject
    include_deleted: bool
    columns: list[Column] = field(default_factory=list)
    joins: dict[tuple[str, ...], tuple[str, SObject | None]] = field(default_factory=dict)
    join_sql: list[str] = field(default_factory=list)
    where: str = "1"
    values: list[str | int] = field(default_factory=list)
    order: str = "t.Id"
    limit: int | None = None
    offset: int | None = None
    count: str | None = None
    count_name: str = "expr0"

    @property
    def source(self) -> str:
        return " ".join([f'FROM "{self.sobject.name}" AS t', *self.join_sql])

    @property
    def ids_sql(self) -> str:
        """SQL for the ids of all result rows in their order; parameters are `values`."""
        bounds = (
            "" if self.limit is None and self.offset is None else f" LIMIT {self._limit()} OFFSET {self.offset or 0}"
        )
        return f"SELECT t.Id {self.source} WHERE {self.where} ORDER BY {self.order}{bounds}"

    @property
    def count_sql(self) -> str:
        return f"SELECT count(*) FROM ({self.ids_sql})"  # noqa: S608

    def _limit(self) -> int:
        return -1 if self.limit is None else self.limit

    def page_sql(self, selected: Sequence[str], rows: int) -> str:
        """SQL for `rows` rows by id, in no order; the id is the first column."""
        marks = ", ".join("?" * rows)
        return f"SELECT {', '.join(['t.Id', *selected])} {self.source} WHERE t.Id IN ({marks})"


def plan(text: str, *, include_deleted: bool, open_links: bool = False) -> Plan:
    """Parses and checks a query.

    `include_deleted` is queryAll: deleted and archived rows too (source fact sheet sections 1.2, 1.7). `open_links`
    lifts the filter that ContentDocumentLink demands (section 1.8). Raises ApiError 400 with MALFORMED_QUERY,
    INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR or NUMBER_OUTSIDE_VALID_RANGE.
    """
    select = parse(text)
    sobject = find_object(select.sobject)
    if sobject is None:
        raise ApiError(
            400,
            "INVALID_TYPE",
            f"sObject type '{select.sobject}' is not supported. If you are attempting to use a custom object, be sure "
            "to append the '__c' after the entity name.",
        )
    made = Plan(sobject, include_deleted, limit=select.limit, offset=select.offset, count=select.count)
    made.count_name = select.count_name
    _check_bounds(select)
    resolver = Resolver(made, select.alias)
    for path in _selected(select, sobject):
        made.columns.append(resolver.column(path))
    if select.count:
        resolver.column(select.count)
    if select.where is not None:
        made.where, made.values = condition_sql(select.where, resolver.filtered)
    if sobject.name == "ContentDocumentLink" and not open_links and not _names_link(select.where):
        raise malformed_query(
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
            "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
        )
    hidden = "" if include_deleted else " AND t.IsDeleted = 0" + (" AND t.IsArchived = 0" if sobject.archived else "")
    made.where = f"({made.where}){hidden}"
    made.order = _order(select, resolver)
    return made


def _check_bounds(select: Select) -> None:
    if select.every is not None and (select.limit is None or select.limit > LARGEST_ALL):
        raise malformed_query("The SOQL FIELDS function must have a LIMIT of at most 200")
    if select.offset is not None and select.offset > LARGEST_OFFSET:
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {LARGEST_OFFSET}")


def _selected(select: Select, sobject: SObject) -> list[str]:
    if select.every is None:
        seen: set[str] = set()
        for path in select.paths:
            if path.lower() in seen:
                raise malformed_query(f"duplicate field selected: {path}")
            seen.add(path.lower())
        return list(select.paths)
    if select.every not in {"ALL", "STANDARD", "CUSTOM"}:
        raise malformed_query(f"unexpected token: '{select.every}'")
    return [
        one.name
        for one in sobject.fields
        if select.every == "ALL" or one.custom == (select.every == "CUSTOM") or one.name == "Id"
    ]


def _order(select: Select, resolver: "Resolver") -> str:
    parts = []
    for sorting in select.order:
        column = resolver.column(sorting.path)
        if not column.field.filterable:
            raise invalid_field(f"field '{sorting.path}' can not be sorted in a query call")
        key = f"CAST({column.sql} AS REAL)" if column.field.type in NUMBER_TYPES else column.sql
        # Nulls come first in both directions unless the query says otherwise.
        parts.append(
            f"{key} {'DESC' if sorting.descending else 'ASC'} NULLS {'LAST' if sorting.nulls_last else 'FIRST'}"
        )
    return ", ".join([*parts, "t.Id"])


def _names_link(where: Condition | None) -> bool:
    if isinstance(where, Junction):
        return where.word == "AND" and any(_names_link(part) for part in where.parts)
    if isinstance(where, Negation) or where is None:
        return False
    assert isinstance(where, Comparison)
    return where.path.lower() in {"contentdocumentid", "linkedentityid"} and where.operator in {"=", "IN"}


class Resolver:
    """Finds the fields behind paths such as `Account.Owner.Name` and adds the joins they need."""

    def __init__(self, made: Plan, alias: str | None) -> None:
        self._plan = made
        own = {made.sobject.name.lower()} - set(made.sobject.by_relationship)
        self._own_names = own | ({alias.lower()} if alias else set())

    def column(self, path: str) -> Column:
        """The column of `path`; raises ApiError 400 INVALID_FIELD for an unknown name on the way."""
        *steps, last = path.split(".")
        if steps and steps[0].lower() in self._own_names:
            steps = steps[1:]
        if len(steps) > _DEEPEST_WALK:
            raise malformed_query(f"a relationship path may have {_DEEPEST_WALK} steps: {path}")
        walk: tuple[str, ...] = ()
        alias, sobject = "t", self._plan.sobject
        for place, step in enumerate(steps):
            reference = sobject.by_relationship.get(step.lower())
            if reference is None:
                raise invalid_field(
                    f"Didn't understand relationship '{step}' in field path. If you are attempting to use a custom "
                    "relationship, be sure to append the '__r' after the custom relationship name."
                )
            assert reference.relationship is not None
            walk = (*walk, reference.relationship)
            if len(reference.refers) > 1:
                if place + 1 < len(steps):
                    raise invalid_field(f"No such relation '{steps[place + 1]}' on entity 'Name'")
                return self._polymorphic(path, walk, alias, reference, last)
            alias, sobject = self._join(walk, alias, reference)
        found = sobject.field(last)
        if found is None:
            raise _no_column(last, sobject.name)
        return Column(path, walk, sobject, found, field_sql(alias, found))

    def filtered(self, path: str) -> tuple[Field, str]:
        """Field and SQL for a condition."""
        column = self.column(path)
        if not column.field.filterable:
            raise invalid_field(f"field '{path}' can not be filtered in a query call")
        return column.field, column.sql

    def _join(self, walk: tuple[str, ...], alias: str, reference: Field) -> tuple[str, SObject]:
        target = OBJECTS[reference.refers[0]]
        if walk not in self._plan.joins:
            new = f"j{len(self._plan.joins)}"
            alive = "" if self._plan.include_deleted else f" AND {new}.IsDeleted = 0"
            self._plan.join_sql.append(
                f'LEFT JOIN "{target.name}" AS {new} ON {new}.Id = {alias}."{reference.name}"{alive}'
            )
            self._plan.joins[walk] = (new, target)
        return self._plan.joins[walk][0], target

    def _polymorphic(self, path: str, walk: tuple[str, ...], alias: str, reference: Field, last: str) -> Column:
        """A reference to several objects offers only what all have: Id and Name."""
        if last.lower() not in _NAME_FIELDS:
            raise _no_column(last, "Name")
        looked_up = []
        for target in (OBJECTS[name] for name in reference.refers):
            shown = "Id" if last.lower() == "id" or target.name_field is None else target.name_field.name
            source = f'"{target.name}" AS p WHERE p.Id = {alias}."{reference.name}"'
            looked_up.append(f'(SELECT p."{shown}" FROM {source})')  # noqa: S608  # names come from the schema
        self._plan.joins.setdefault(walk, (f'{alias}."{reference.name}"', None))
        shape = Field("Id", "id") if last.lower() == "id" else Field("Name", "string", length=255)
        return Column(path, walk, None, shape, f"COALESCE({', '.join(looked_up)}, NULL)")


def field_sql(alias: str, one: Field) -> str:
    """SQL for a field: an address becomes a JSON object, a blob the id of its record."""
    if one.type == "base64":
        return f"{alias}.Id"
    if one.type != "address":
        return f'{alias}."{one.name}"'
    parts = [f'{alias}."{part}"' for part in one.parts]
    keys = [f"{key[0].lower()}{key[1:]}" for key in ADDRESS_PARTS]
    pairs = ", ".join(f"'{key}', {part}" for key, part in zip(keys, parts, strict=True))
    extra = "'geocodeAccuracy', NULL, 'latitude', NULL, 'longitude', NULL"
    return f"CASE WHEN COALESCE({', '.join(parts)}) IS NULL THEN NULL ELSE json_object({pairs}, {extra}) END"


def _no_column(name: str, entity: str) -> ApiError:
    return invalid_field(
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate "
        "names."
    )
