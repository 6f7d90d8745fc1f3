"""Says what a destination holds in words that do not depend on its ids, so that two orgs can be compared."""

import re
from collections import Counter
from typing import Any

Dump = list[dict[str, Any]]
_FORMER = re.compile(r"^servicetracker:\w+:\w+")
_MARKER = re.compile(r"\[(servicetracker:Note:\w+)\]")


def without_ids(dump: Dump) -> dict[str, Any]:
    """Every record under a name that says where it came from, references replaced by such names, blanks left out.

    What we did not bring keeps its id as name. Fails when two records claim the same origin.
    """
    names = {line["id"]: _name(line) for line in dump if "data" in line and line["module"] != "Relations"}
    found: dict[str, Any] = {}
    for line in dump:
        if line["module"] == "Attachments":
            name = f"file {names[line['parent']['id']]}/{line['file_name']}"
            value: Any = {"size": line["size"], "sha256": line["sha256"], "link": bool(line["url"])}
        elif line["module"] == "Relations":
            name, value = f"relation {line['kind']} {names[line['left']]} {names[line['right']]}", line["data"]
        else:
            name, value = names[line["id"]], _renamed(line["data"], names)
        assert name not in found, f"{name} is there twice"
        found[name] = value
    return found


def unequal(first: Dump, second: Dump, ignoring: str = "") -> list[str]:
    """What differs between two orgs, as "name: field" or "name"; empty when they hold the same but one field."""
    one, other = without_ids(first), without_ids(second)
    found = sorted(one.keys() ^ other.keys())
    for name in sorted(one.keys() & other.keys()):
        keys = (one[name].keys() | other[name].keys()) - {ignoring}
        found += [f"{name}: {key}" for key in sorted(keys) if one[name].get(key) != other[name].get(key)]
    return found


def counts(dump: Dump) -> Counter[str]:
    """Records per module."""
    return Counter(line["module"] for line in dump)


def _name(line: dict[str, Any]) -> str:
    data = line["data"]
    if line["module"] == "Notes":
        marker = _MARKER.search(str(data.get("Note_Content") or ""))
        return f"Notes {marker[1]}" if marker else f"Notes {line['id']}"
    former = next((one for one in data.values() if isinstance(one, str) and _FORMER.match(one)), None)
    return f"{line['module']} {former or line['id']}"


def _renamed(data: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {
        key: names.get(value, value) if isinstance(value, str) else value
        for key, value in data.items()
        if value not in (None, "", [], False)
    }
