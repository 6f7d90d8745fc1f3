"""The administrator's lists behind the selectors: users, pipelines, stages, sources ... (fact sheet section 12)."""

from typing import Any

from connectors.freshsales.sandbox.answers import Json
from connectors.freshsales.sandbox.catalogue import (
    BUILT_IN_ACTIVITY_TYPES,
    DEAL_STAGES,
    INDUSTRIES,
    LIFECYCLE,
    PLAIN_SELECTORS,
    TASK_TYPES,
    USERS,
)
from connectors.freshsales.sandbox.plans import Plan
from connectors.freshsales.sandbox.store import Store

KINDS = (
    *PLAIN_SELECTORS, "users", "industry_types", "deal_pipelines", "deal_stages", "lifecycle_stages",
    "contact_statuses", "currencies", "sales_activity_types", "sales_activity_entity_types",
    "sales_activity_outcomes",
)  # fmt: skip


class Book:
    """All selector rows in memory, written through to the store."""

    def __init__(self, store: Store, plan: Plan, currency: str) -> None:
        self._store = store
        self._plan = plan
        self._currency = currency
        self.rows: dict[str, dict[int, Json]] = {}

    def load(self) -> None:
        """Reads the lists of the store, or makes those of a fresh account."""
        self.rows = {kind: {row["id"]: row for row in self._store.documents(f"sel:{kind}")} for kind in KINDS}
        if not self.rows["users"]:
            with self._store.transaction():
                self._seed()

    def add(self, kind: str, name: str, **more: Any) -> Json:
        """One more row `{id, name, position, partial}` plus `more`."""
        row: Json = {
            "id": self._store.next_id(), "name": name, "position": len(self.rows[kind]) + 1, "partial": True, **more,
        }  # fmt: skip
        self.rows[kind][row["id"]] = row
        self.save(kind, row)
        return row

    def save(self, kind: str, row: Json) -> None:
        self._store.save_document(f"sel:{kind}", row["id"], row)

    def named(self, kind: str, name: str) -> Json | None:
        return next((row for row in self.rows[kind].values() if row["name"] == name), None)

    def first(self, kind: str) -> Json:
        return next(iter(self.rows[kind].values()))

    @property
    def admin(self) -> Json:
        """The user to whom the API key belongs."""
        return self.first("users")

    def user_by_email(self, email: str) -> Json | None:
        return next((row for row in self.rows["users"].values() if row["email"] == email), None)

    def add_user(self, name: str, email: str, *, active: bool = True) -> Json:
        return self.add("users", name, display_name=name, email=email, is_active=active, work_number=None,
                        mobile_number=None)  # fmt: skip

    def active_users(self) -> int:
        return sum(row["is_active"] for row in self.rows["users"].values())

    def add_pipeline(self, name: str, stages: list[tuple[str, int, str]]) -> Json:
        pipeline = self.add(
            "deal_pipelines", name, is_default=not self.rows["deal_pipelines"], rotting_days=30, configs=[],
            aggregated_field=None,
        )  # fmt: skip
        for stage, probability, forecast in stages:
            self.add_stage(pipeline, stage, probability, forecast)
        return pipeline

    def add_stage(self, pipeline: Json, name: str, probability: int, forecast: str) -> Json:
        """`choice_type` 5 first, 2 middle, 4 closed (section 12)."""
        others = self.stages_of(pipeline["id"])
        middle = 2 if others else 5
        return self.add(
            "deal_stages", name, value=name, position=len(others) + 1, forecast_type=forecast,
            deal_pipeline_id=pipeline["id"], choice_type=middle if forecast == "Open" else 4, is_deleted=False,
            probability=probability,
        )  # fmt: skip

    def stages_of(self, pipeline_id: int) -> list[Json]:
        return [row for row in self.rows["deal_stages"].values() if row["deal_pipeline_id"] == pipeline_id]

    @property
    def default_pipeline(self) -> Json:
        return next(row for row in self.rows["deal_pipelines"].values() if row["is_default"])

    def add_lifecycle_stage(self, name: str, *, default: bool = False) -> Json:
        return self.add("lifecycle_stages", name, disabled=False, default=default, type=name, contact_status_ids=[])

    def add_status(self, stage: Json, name: str, forecast: str) -> Json:
        row = self.add("contact_statuses", name, forecast_type=forecast, lifecycle_stage_id=stage["id"])
        stage["contact_status_ids"].append(row["id"])
        self.save("lifecycle_stages", stage)
        return row

    def add_activity_type(self, name: str, *, default: bool = False) -> Json:
        """A sales activity type; built-in ones carry `is_default` (sections 7 and 12)."""
        return self.add(
            "sales_activity_types", name, internal_name=name.lower().replace(" ", "_"), show_in_conversation=True,
            is_default=default, is_checkedin=False, is_checkedin_mandatory=False, is_outcome_mandatory=False,
        )  # fmt: skip

    def _seed(self) -> None:
        for person, email, active in USERS:
            self.add_user(person, email, active=active)
        for kind, names in PLAIN_SELECTORS.items():
            for name in names:
                self.add(kind, name)
        for number in range(1, INDUSTRIES + 1):
            self.add("industry_types", f"Industry {number:02}")
        self.add_pipeline("Default Pipeline", list(DEAL_STAGES))
        for position, (name, statuses) in enumerate(LIFECYCLE):
            stage = self.add_lifecycle_stage(name, default=position == 0)
            for status, forecast in statuses:
                self.add_status(stage, status, forecast)
        self.add_currency(self._currency, "1.0", base=True)
        if self._plan.multi_currency:
            for code, rate in (("EUR", "0.9"), ("INR", "85.0")):
                if code != self._currency:
                    self.add_currency(code, rate, base=False)
        self._seed_activity_types()

    def _seed_activity_types(self) -> None:
        for name in BUILT_IN_ACTIVITY_TYPES:
            made = self.add_activity_type(name, default=True)
            more = {"sales_activity_type_id": made["id"]}
            for task_type in TASK_TYPES if name == "Task" else ():
                self.add("sales_activity_entity_types", task_type, sales_activity_type_name=name, **more)
            for outcome in ("Successful", "No response") if name in ("Phone", "Meeting") else ():
                self.add("sales_activity_outcomes", outcome, **more)

    def add_currency(self, code: str, rate: str, *, base: bool) -> Json:
        """A currency and its rate: units per one of the base currency."""
        return self.add("currencies", code, is_active=True, currency_code=code, exchange_rate=rate,
                        currency_type=1 if base else 2, schedule_info=None)  # fmt: skip
