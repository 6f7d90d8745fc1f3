"""System dropdowns by name: mappings speak of "Won" and "Customer", the API of ids that differ per account.

A name that the account does not have is never guessed at: `UnknownName` becomes a refused record.
"""

from collections.abc import Mapping
from typing import Any

from connectors.freshsales import modules, wire
from connectors.freshsales.metadata import Metadata
from connectors.freshsales.modules import Module

_PLAIN_TYPES = frozenset({"dropdown", "radio"})
_NOT_NAMED = frozenset({"owner_id", "creater_id", "creator_id", "updater_id"})
_TASK_STATUS = {"open": 0, "done": 1}


class UnknownName(ValueError):
    """A value that a system dropdown of this account does not offer; `field` is its API name."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the account has no such option of {field}")
        self.field = field


def as_id(value: Any) -> int | str:
    """An id as the API takes it: an integer where it is one."""
    if isinstance(value, dict):
        value = value.get("id")
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else text


class Names:
    """Ids and names of one module's system dropdowns."""

    def __init__(
        self, options: Mapping[str, list[wire.Choice]], stages: list[wire.Pipeline], statuses: list[wire.Named]
    ) -> None:
        self._stages = stages
        self._statuses = statuses
        self._ids: dict[str, dict[str, int | str]] = {}
        self._names: dict[str, dict[str, str]] = {}
        for field, choices in options.items():
            known = [(one.value, one.id) for one in choices if one.value and one.id is not None]
            self._ids[field] = {name.strip().casefold(): as_id(key) for name, key in reversed(known)}
            self._names[field] = {str(key): name for name, key in known}
        for pipeline in stages:
            self._names.setdefault("deal_pipeline_id", {})[str(pipeline.id)] = pipeline.name
            for stage in pipeline.deal_stages:
                self._names.setdefault("deal_stage_id", {})[str(stage.id)] = stage.name

    def __contains__(self, field: object) -> bool:
        return field in self._ids

    def id_of(self, field: str, value: Any, record: Mapping[str, Any]) -> int | str | None:
        """The id behind a name (or an id that is one already). Raises UnknownName.

        `record` is the whole payload: a stage belongs to its pipeline, a status to its lifecycle stage.
        """
        if value is None:
            return None
        text = str(value).strip()
        if field == "deal_stage_id" and self._stages:
            return self._stage(text, record.get("deal_pipeline_id"))
        if field == "contact_status_id" and self._statuses:
            return self._status(text, record.get("lifecycle_stage_id"))
        found = self._ids[field].get(text.casefold())
        if found is None and text in self._names[field]:
            found = as_id(text)
        if found is None:
            raise UnknownName(field)
        return found

    def name_of(self, field: str, value: Any) -> Any:
        """The name behind an id; an id that the account does not list any more stays as it is."""
        if value is None or isinstance(value, list | dict):
            return value
        return self._names.get(field, {}).get(str(value), value)

    def _stage(self, text: str, pipeline: Any) -> int | str:
        """Stages of one name in several pipelines are told apart by the record's own, else the default one."""
        chosen = [one for one in self._stages if one.is_default] or self._stages[:1]
        if pipeline is not None:
            wanted = str(pipeline).strip().casefold()
            chosen = [one for one in self._stages if wanted in (one.name.strip().casefold(), str(one.id))]
            if not chosen:
                raise UnknownName("deal_pipeline_id")
        for stage in (stage for one in chosen for stage in one.deal_stages if not stage.is_deleted):
            if text.casefold() == stage.name.strip().casefold() or text == str(stage.id):
                return as_id(stage.id)
        raise UnknownName("deal_stage_id")

    def _status(self, text: str, lifecycle: Any) -> int | str:
        stage = None if lifecycle is None else str(self.id_of("lifecycle_stage_id", lifecycle, {}))
        for row in self._statuses:
            same = (row.name or "").strip().casefold() == text.casefold() or str(row.id) == text
            if same and (stage is None or row.lifecycle_stage_id is None or str(row.lifecycle_stage_id) == stage):
                return as_id(row.id)
        raise UnknownName("contact_status_id")

    def lifecycle_of(self, status: Any) -> Any:
        """The lifecycle stage that a contact status belongs to, by ids."""
        return next((row.lifecycle_stage_id for row in self._statuses if str(row.id) == str(status)), None)


async def names_of(metadata: Metadata, module: Module) -> Names:
    """The dropdowns of a module. Statuses cost a call only where contacts have some, pipelines only for deals."""
    options = {
        field.name: field.choices or []
        for field in await metadata.fields(module)
        if not field.is_custom and field.type in _PLAIN_TYPES and field.name not in _NOT_NAMED
    }
    stages = await metadata.pipelines() if module.name == "deals" else []
    statuses = await metadata.selector("contact_statuses") if "contact_status_id" in options else []
    return Names(options, stages, statuses)


async def activity_names(metadata: Metadata, name: str) -> Names:
    """The dropdowns of activities, from selectors; a task's status is 0 or 1 (section 7)."""
    if name == modules.SALES_ACTIVITIES:
        return await names_of(metadata, Module(name, "/sales_activities", "sales_activity"))
    options: dict[str, list[wire.Choice]] = {}
    if name == modules.TASKS:
        options["status"] = [wire.Choice(key, word.capitalize()) for word, key in _TASK_STATUS.items()]
        options["task_type_id"] = _choices(await metadata.selector("sales_activity_entity_types"))
    if name in (modules.TASKS, modules.APPOINTMENTS):
        options["outcome_id"] = _choices(await metadata.selector("sales_activity_outcomes"))
    return Names(options, [], [])


def _choices(rows: list[wire.Named]) -> list[wire.Choice]:
    return [wire.Choice(row.id, row.name) for row in rows]
