"""What an org is made of: edition, modules, fields, layouts, pipelines, users, and the slots that are left.

Read once per connector and module; provisioning forgets what it changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from app.domain.schema import FieldSpec, FieldType, ObjectSpec, PicklistValue, StageSpec, UserSpec
from connectors.answers import Answer
from connectors.errors import ContractBroken, CredentialsRejected
from connectors.fanout import for_each
from connectors.http import ApiClient
from connectors.zoho_crm import wire
from connectors.zoho_crm.editions import EDITIONS, UNIQUE_FIELDS_PER_MODULE, daily_credits, edition_slug
from connectors.zoho_crm.records import ROOT

STANDARD_MODULES = (
    "Leads", "Accounts", "Contacts", "Deals", "Products", "Vendors", "Price_Books", "Quotes", "Sales_Orders",
    "Purchase_Orders", "Invoices", "Campaigns", "Cases", "Solutions", "Tasks", "Events", "Calls", "Notes",
)  # fmt: skip
_TYPES = {
    "text": FieldType.TEXT, "textarea": FieldType.TEXTAREA, "email": FieldType.EMAIL, "phone": FieldType.PHONE,
    "website": FieldType.URL, "integer": FieldType.INTEGER, "bigint": FieldType.INTEGER, "double": FieldType.DECIMAL,
    "currency": FieldType.CURRENCY, "percent": FieldType.PERCENT, "boolean": FieldType.BOOLEAN,
    "date": FieldType.DATE, "datetime": FieldType.DATETIME, "picklist": FieldType.PICKLIST,
    "multiselectpicklist": FieldType.MULTIPICKLIST, "lookup": FieldType.LOOKUP, "ownerlookup": FieldType.USER,
    "userlookup": FieldType.USER, "autonumber": FieldType.AUTONUMBER, "fileupload": FieldType.FILE,
    "imageupload": FieldType.FILE, "profileimage": FieldType.FILE, "subform": FieldType.COMPOUND,
    "multiselectlookup": FieldType.COMPOUND, "multiuserlookup": FieldType.COMPOUND, "ALARM": FieldType.COMPOUND,
    "RRULE": FieldType.COMPOUND, "participants": FieldType.COMPOUND, "multireminder": FieldType.COMPOUND,
    "pricing": FieldType.COMPOUND, "address": FieldType.COMPOUND,
}  # fmt: skip
_CHOICES = frozenset({"picklist", "multiselectpicklist"})


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """The org, its edition as our slug (None: unknown), and licensed users."""

    org: wire.Org
    edition: str | None
    users: int


class Metadata:
    """Settings calls of one org."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._modules: list[wire.Module] | None = None
        self._fields: dict[str, list[wire.Field]] = {}
        self._layouts: dict[str, list[wire.Layout]] = {}

    async def org(self) -> OrgFacts:
        """Raises CredentialsRejected or ContractBroken when this org cannot be used at all."""
        answer = await self._api.request("GET", f"{ROOT}/org", purpose="org")
        orgs = answer.decode(wire.ORGS).org
        if not orgs:
            raise ContractBroken("the token belongs to no org")
        licence = orgs[0].license_details
        return OrgFacts(orgs[0], edition_slug(licence.paid_type), licence.users_license_purchased or 0)

    async def users(self) -> list[wire.User]:
        """All users but the deleted ones."""
        found: list[wire.User] = []
        page = 1
        while True:
            params = {"type": "AllUsers", "page": str(page), "per_page": "200"}
            answer = await self._api.request("GET", f"{ROOT}/users", purpose="users", params=params)
            if answer.status == 204:
                return found
            users = answer.decode(wire.USERS)
            found += [user for user in users.users if user.status != "deleted"]
            if not users.info.more_records or not users.users:
                return found
            page += 1

    async def modules(self) -> list[wire.Module]:
        if self._modules is None:
            answer = await self._api.request("GET", f"{ROOT}/settings/modules", purpose="describe")
            self._modules = answer.decode(wire.MODULES).modules
        return self._modules

    async def fields(self, module: str) -> list[wire.Field]:
        """All fields over all layouts; layouts say what is mandatory (section 7)."""
        if module not in self._fields:
            answer = await self._setting("fields", module)
            self._fields[module] = [] if answer is None else answer.decode(wire.FIELDS).fields
        return self._fields[module]

    async def layouts(self, module: str) -> list[wire.Layout]:
        if module not in self._layouts:
            answer = await self._setting("layouts", module)
            self._layouts[module] = [] if answer is None else answer.decode(wire.LAYOUTS).layouts
        return self._layouts[module]

    async def _setting(self, kind: str, module: str) -> Answer | None:
        params = {"module": module}
        answer = await self._api.request("GET", f"{ROOT}/settings/{kind}", purpose="describe", params=params)
        return None if answer.status == 204 else answer

    async def pipelines(self, layout: str) -> list[wire.Pipeline]:
        """Pipelines of a layout of the deals; none where pipelines are off (section 9)."""
        answer = await self._api.request(
            "GET",
            f"{ROOT}/settings/pipeline",
            purpose="describe",
            params={"layout_id": layout},
            accept=frozenset({400}),
        )
        return answer.decode(wire.PIPELINES).pipeline if answer.status == 200 else []

    async def features(self, module: str | None = None) -> dict[str, tuple[int, int]]:
        """Limit and use per feature, empty where the org does not tell (section 5)."""
        try:
            answer = await self._api.request(
                "GET",
                f"{ROOT}/__features",
                purpose="describe",
                params={"module": module} if module else None,
                accept=frozenset({400, 404}),
            )
        except CredentialsRejected as error:
            if error.code not in ("OAUTH_SCOPE_MISMATCH", "NO_PERMISSION"):
                raise
            return {}
        if answer.status != 200:
            return {}
        found: dict[str, tuple[int, int]] = {}
        for feature in answer.decode(wire.FEATURES).features:
            details = feature.details
            if feature.api_name and details and details.limits and details.used_count:
                found[feature.api_name] = (details.limits.total, details.used_count.total)
        return found

    async def profiles(self) -> list[str]:
        answer = await self._api.request("GET", f"{ROOT}/settings/profiles", purpose="describe")
        return [profile.id for profile in answer.decode(wire.PROFILES).profiles if profile.id]

    def forget(self, module: str | None = None) -> None:
        """Drops what is known of a module, or of the list of modules."""
        if module is None:
            self._modules = None
        else:
            self._fields.pop(module, None)
            self._layouts.pop(module, None)

    async def described(self) -> list[wire.Module]:
        """Modules that a migration can use: the standard ones we know and all custom ones with an API."""
        return [
            module
            for module in await self.modules()
            if module.api_supported and (module.generated_type == "custom" or module.api_name in STANDARD_MODULES)
        ]

    async def objects(self, modules: Sequence[wire.Module]) -> list[ObjectSpec]:
        """Fields of several modules, a few calls at once."""

        async def read(module: wire.Module) -> ObjectSpec:
            fields = await self.fields(module.api_name)
            return object_spec(module, fields, await self.layouts(module.api_name))

        return await for_each(modules, read)

    async def slots(self, modules: Sequence[str]) -> dict[str, dict[str, int]]:
        """Per module: unique fields and custom fields that can still be made, as far as the org tells (ruling 16)."""

        async def read(module: str) -> dict[str, int]:
            features = await self.features(module)
            found = {
                key: max(0, features[name][0] - features[name][1])
                for key, name in (("unique", "unique_field"), ("custom", "custom_field"))
                if name in features
            }
            if "unique" not in found:
                keyed = sum(bool(field.unique or field.external) for field in await self.fields(module))
                found["unique"] = max(0, UNIQUE_FIELDS_PER_MODULE - keyed)
            return found

        return dict(zip(modules, await for_each(modules, read), strict=True))

    async def stages(self) -> tuple[StageSpec, ...]:
        """Stages by pipeline, with the probability that the field `Stage` knows."""
        options = {
            option.id: option
            for field in await self.fields("Deals")
            if field.api_name == "Stage"
            for option in field.pick_list_values
            if option.type == "used"
        }
        found: list[StageSpec] = []
        for layout in await self.layouts("Deals"):
            for pipeline in await self.pipelines(layout.id):
                for stage in pipeline.maps:
                    known = options.get(stage.id)
                    found.append(
                        StageSpec(
                            name=stage.display_value or stage.actual_value,
                            pipeline=pipeline.display_value,
                            probability=known.probability if known else None,
                            forecast=stage.forecast_type or "",
                        )
                    )
        if found:
            return tuple(found)
        return tuple(
            StageSpec(name=one.display_value, probability=one.probability, forecast=one.forecast_type or "")
            for one in options.values()
        )


def org_facts(found: OrgFacts) -> dict[str, JsonValue]:
    """Facts of the org under the names the manifest documents."""
    edition = EDITIONS.get(found.edition or "")
    facts: dict[str, JsonValue] = {
        "org_id": found.org.zgid,
        "company": found.org.company_name,
        "org_type": found.org.type,
        "currency": found.org.iso_code,
        "time_zone": found.org.time_zone,
        "edition": found.edition,
        "users_licensed": found.users,
        "credits_per_day": daily_credits(found.edition, found.users),
        "api_access": edition.api_access if edition else True,
    }
    if edition is not None:
        facts |= {"concurrency": edition.concurrency, **edition.facts}
    return facts


def object_spec(module: wire.Module, fields: Sequence[wire.Field], layouts: Sequence[wire.Layout]) -> ObjectSpec:
    """Our view of a module; a field is required when the system or an active layout demands it."""
    required = {
        field.api_name
        for layout in layouts
        if layout.status == "active"
        for section in layout.sections
        for field in section.fields
        if field.required
    }
    return ObjectSpec(
        name=module.api_name,
        label=module.plural_label or module.api_name,
        custom=module.generated_type == "custom",
        fields=tuple(field_spec(field, field.api_name in required) for field in fields),
    )


def field_spec(field: wire.Field, required: bool) -> FieldSpec:
    primary = field.api_name == "id"
    return FieldSpec(
        name=field.api_name,
        label=field.field_label or field.api_name,
        type=FieldType.ID if primary else _TYPES.get(field.data_type, FieldType.TEXT),
        length=field.length or None,
        scale=field.decimal_place,
        required=field.system_mandatory or required,
        unique=bool(field.unique),
        external_id=bool(field.external),
        writable=field.operation_type.api_create or field.operation_type.api_update,
        custom=field.custom_field,
        primary_key=primary,
        picklist=_options(field),
        references=(field.target,) if field.target else (),
    )


def _options(field: wire.Field) -> tuple[PicklistValue, ...]:
    if field.data_type not in _CHOICES:
        return ()
    return tuple(
        PicklistValue(
            value=option.actual_value or option.display_value, label=option.display_value, active=option.type == "used"
        )
        for option in field.pick_list_values
        if option.actual_value or option.display_value
    )


def user_specs(users: Sequence[wire.User]) -> tuple[UserSpec, ...]:
    return tuple(
        UserSpec(
            id=user.id,
            name=user.full_name or "",
            email=(user.email or "").strip().lower(),
            active=user.status == "active",
        )
        for user in users
    )
