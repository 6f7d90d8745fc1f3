"""The mapping as a sheet that people read, check and sign: CSV with one table, XLSX with a tab per question."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import xlsxwriter

from app.domain.cells import guarded
from app.domain.mapping import FieldRule, Load, MappingDocument, Unmapped, ValueMap
from app.domain.schema import FieldSpec, Inventory

Row = Sequence[str]

_CELL = 32_000
_WIDEST = 60  # characters; a longer cell is read in the bar above the sheet
_CUT = "… (cut: a cell of a workbook holds no more; the CSV has it all)"

_UNLISTED = {
    Unmapped.HOLD: "the record is held until somebody decides",
    Unmapped.KEEP: "kept as it is",
    Unmapped.BLANK: "left blank",
}

HEADINGS = (
    *("Load", "Phase", "Moves", "Source object", "Source fields", "Source labels"),
    *("Destination object", "Destination field", "Destination label", "New field", "Type"),
    *("Transform", "Arguments", "Value map", "Link to", "Default for blanks", "Required", "Owner", "Sensitive"),
    *("Proposed by", "Probability", "Reasons"),
)


def to_csv(document: MappingDocument, source: Inventory | None, destination: Inventory | None) -> bytes:
    """One row per rule, then one per object or field that stays behind. UTF-8 with a byte order mark, so that Excel
    reads names right; cells that a spreadsheet would run as a formula start with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for row in field_rows(document, source, destination):
        writer.writerow([guarded(cell) for cell in row])
    for exclusion in document.exclusions:
        row = [""] * len(HEADINGS)
        row[2], row[3], row[4] = "no", exclusion.source_object, exclusion.field
        row[6] = exclusion.export
        reason = _words(exclusion.reason)
        row[-1] = f"{reason}: {exclusion.note}" if exclusion.note else reason
        writer.writerow([guarded(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def to_xlsx(document: MappingDocument, source: Inventory | None, destination: Inventory | None) -> bytes:
    """Tabs Fields, Value maps, New fields and Not moving. Every cell is written as text, so nothing is a formula."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    bold = book.add_format({"bold": True, "bottom": 1})
    _tab(book, bold, "Fields", HEADINGS, field_rows(document, source, destination))
    _tab(book, bold, "Value maps", ("Value map", "Source value", "Becomes"), value_rows(document))
    heads = ("Destination object", "Field", "Label", "Type", "Length", "Options", "Refers to", "Unique")
    _tab(book, bold, "New fields", heads, new_field_rows(document))
    _tab(
        book, bold, "Not moving", ("Source object", "Field", "Reason", "Goes to file", "Note"), exclusion_rows(document)
    )
    book.close()
    return out.getvalue()


def field_rows(document: MappingDocument, source: Inventory | None, destination: Inventory | None) -> Iterator[Row]:
    """A row per rule, in the order of the document."""
    for load in document.loads:
        for rule in load.fields:
            yield _field_row(document, load, rule, source, destination)


def _field_row(
    document: MappingDocument, load: Load, rule: FieldRule, source: Inventory | None, destination: Inventory | None
) -> Row:
    planned = next(
        (one for one in document.plan.fields if (one.object, one.key) == (load.target_object, rule.target)), None
    )
    found = _find(destination, load.target_object, rule.target)
    labels = [spec.label for path in rule.sources if (spec := _find(source, load.source_object, path)) and spec.label]
    table = document.value_maps.get(rule.value_map or "")
    kind = found.type.value if found else planned.type.value if planned else ""
    return (
        load.key,
        load.phase,
        "yes" if load.enabled else "no",
        load.source_object,
        ", ".join(rule.sources),
        ", ".join(labels),
        load.target_object,
        rule.target,
        found.label if found else planned.label if planned else "",
        "yes" if planned and not found else "",
        kind,
        rule.transform,
        "; ".join(f"{name}: {_plain(value)}" for name, value in rule.args.items()),
        _table_text(rule.value_map or "", table) if table else "",
        ", ".join(rule.lookup.loads) if rule.lookup else "",
        "" if rule.default is None else _plain(rule.default),
        "yes" if rule.required else "",
        "yes" if rule.owner else "",
        "yes" if rule.sensitive else "",
        rule.origin.value,
        f"{rule.probability:.2f}",
        " ".join(reason.text for reason in rule.reasons),
    )


def value_rows(document: MappingDocument) -> Iterator[Row]:
    """A row per entry of each value map, then what happens to values that are not listed."""
    for name, table in document.value_maps.items():
        for before, after in table.entries.items():
            yield (name, before, after)
        yield (name, "(any other)", _unlisted(table))


def new_field_rows(document: MappingDocument) -> Iterator[Row]:
    """A row per field that provisioning creates."""
    for one in document.plan.fields:
        length = "" if one.length is None else str(one.length)
        options = "; ".join(one.picklist)
        unique = "yes" if one.unique or one.external else ""
        yield (one.object, one.key, one.label, one.type.value, length, options, one.references, unique)


def exclusion_rows(document: MappingDocument) -> Iterator[Row]:
    """A row per object or field that stays behind."""
    for one in document.exclusions:
        yield (one.source_object, one.field, _words(one.reason), one.export, one.note)


def _tab(book: Any, bold: Any, name: str, headings: Row, rows: Iterable[Row]) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    widths = [len(heading) + 4 for heading in headings]  # room for the filter's arrow
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    last = 0
    for last, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if cell:
                sheet.write_string(last, column, cell if len(cell) <= _CELL else cell[:_CELL] + _CUT)
                widths[column] = max(widths[column], len(cell) + 1)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, _WIDEST))
    sheet.autofilter(0, 0, max(last, 1), len(headings) - 1)


def _find(inventory: Inventory | None, object_name: str, path: str) -> FieldSpec | None:
    """The field behind a path; a dotted one is followed through the first object that has it."""
    spec = inventory.object(object_name) if inventory else None
    first, _, rest = path.partition(".")
    found = spec.field(first) if spec else None
    if inventory is None or found is None or not rest:
        return found
    targets = (inventory.object(name) for name in found.references)
    return next((one for target in targets if target and (one := target.field(rest))), None)


def _table_text(name: str, table: ValueMap) -> str:
    entries = "; ".join(f"{before} → {after}" for before, after in table.entries.items())
    return f"{name}: {entries}; any other: {_unlisted(table)}"


def _unlisted(table: ValueMap) -> str:
    return f"becomes {table.default}" if table.unmapped is Unmapped.DEFAULT else _UNLISTED[table.unmapped]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
