"""Reads the registry: platforms by their manifests, pairs by their blueprints. Nothing here is written twice."""

from pydantic import JsonValue, SecretStr

from app.domain.blueprint import Blueprint, ObjectRow
from app.domain.grading import grade
from app.errors import NotFound, UnknownPair
from app.platforms.schemas import (
    Adjacent,
    CredentialField,
    EditionView,
    ExclusionView,
    GotchaView,
    GradeView,
    PairRef,
    PairView,
    PlatformRef,
    PlatformView,
    RowView,
    StepView,
    TimelineView,
)
from connectors import registry
from connectors.base import Platform


def list_platforms() -> list[PlatformView]:
    """All platforms by name."""
    return [_platform(each) for each in sorted(registry.PLATFORMS.values(), key=lambda each: each.name)]


def get_platform(slug: str) -> PlatformView:
    """Raises NotFound."""
    platform = registry.PLATFORMS.get(slug)
    if platform is None:
        raise NotFound(f"No such platform; known are {', '.join(sorted(registry.PLATFORMS))}.")
    return _platform(platform)


def list_pairs(source: str | None = None, destination: str | None = None) -> list[PairRef]:
    """All pairs in the order of their slugs, narrowed to one side where it is named."""
    return [
        _ref(registry.load_blueprint(*pair))
        for pair in sorted(registry.BLUEPRINTS)
        if source in (None, pair[0]) and destination in (None, pair[1])
    ]


def pairs_as_json() -> list[dict[str, JsonValue]]:
    """Every pair as its page states it: grade, compatibility, timeline, and the rows of its table."""
    made: list[dict[str, JsonValue]] = []
    for pair in sorted(registry.BLUEPRINTS):
        blueprint = registry.load_blueprint(*pair)
        rows: list[JsonValue] = [
            {
                "source_object": row.source_object,
                "destination_object": row.destination_object,
                "compatibility": row.compatibility,
                "note": " ".join(row.note.split()),
            }
            for row in blueprint.rows
        ]
        made.append(
            {
                "source": blueprint.source,
                "destination": blueprint.destination,
                "grade": grade(blueprint, {}).grade.value,
                "compatibility": compatibility_text(blueprint),
                "timeline": blueprint.timeline.label,
                "objects": rows,
            }
        )
    return made


def compatibility_text(blueprint: Blueprint) -> str:
    """ "10 of 11 objects map 1:1"."""
    return f"{blueprint.one_to_one} of {len(blueprint.rows)} objects map 1:1"


def find_blueprint(source: str, destination: str) -> Blueprint:
    """Raises UnknownPair."""
    try:
        return registry.load_blueprint(source, destination)
    except registry.UnknownPair as unknown:
        raise UnknownPair("GET /v1/pairs lists the pairs that are offered.") from unknown


def get_pair(source: str, destination: str) -> PairView:
    """The pair's page. Raises UnknownPair."""
    blueprint = find_blueprint(source, destination)
    others = [each for each in list_pairs() if (each.source.slug, each.destination.slug) != (source, destination)]
    files = {export.key: export.file for export in blueprint.exports}
    return PairView(
        **_ref(blueprint).model_dump(exclude={"object"}),
        version=blueprint.version,
        overview=blueprint.overview,
        mapped_of_eight=blueprint.mapped_of_eight,
        objects_in_category=blueprint.objects_in_category,
        complexity=GradeView.model_validate(grade(blueprint, {}).model_dump(mode="json")),
        duration=TimelineView.model_validate(blueprint.timeline.model_dump()),
        objects=[_row(row, files) for row in blueprint.rows],
        gotchas=[GotchaView.model_validate(each.model_dump()) for each in blueprint.gotchas],
        steps=[StepView(number=number, **step.model_dump()) for number, step in enumerate(blueprint.steps, start=1)],
        exclusions=[ExclusionView.model_validate(each.model_dump()) for each in blueprint.exclusions],
        adjacent=Adjacent(
            leaving=[each for each in others if each.source.slug == source],
            arriving=[each for each in others if each.destination.slug == destination],
        ),
    )


def _platform(platform: Platform) -> PlatformView:
    roles = [name for name in ("source", "destination") if getattr(platform, name) is not None]
    return PlatformView(
        slug=platform.slug,
        name=platform.name,
        category=platform.category,
        roles=roles,
        credentials=[
            CredentialField(name=name, required=field.is_required(), secret=SecretStr in _types(field.annotation))
            for name, field in platform.credentials.model_fields.items()
        ],
        capabilities=platform.capabilities.model_dump(),
        limits=platform.limits.model_dump(mode="json"),
        editions={key: EditionView.model_validate(each.model_dump()) for key, each in platform.editions.items()},
        objects={key: each.model_dump(mode="json") for key, each in platform.objects.items()},
        facts=dict(platform.facts),
        guarantees=registry.load_guarantees(platform.slug),
    )


def _types(annotation: object) -> tuple[object, ...]:
    """The members of a union, or the type itself."""
    return getattr(annotation, "__args__", None) or (annotation,)


def _ref(blueprint: Blueprint) -> PairRef:
    return PairRef(
        source=_platform_ref(blueprint.source),
        destination=_platform_ref(blueprint.destination),
        category=blueprint.category,
        grade=grade(blueprint, {}).grade.value,
        timeline=blueprint.timeline.label,
        compatibility=compatibility_text(blueprint),
        one_to_one=blueprint.one_to_one,
        rows=len(blueprint.rows),
        url=f"/v1/pairs/{blueprint.source}/{blueprint.destination}",
    )


def _platform_ref(slug: str) -> PlatformRef:
    return PlatformRef(slug=slug, name=registry.PLATFORMS[slug].name)


def _row(row: ObjectRow, files: dict[str, str]) -> RowView:
    return RowView(
        key=row.key,
        source_object=row.source_object,
        destination_object=row.destination_object,
        cardinality=row.cardinality,
        compatibility=row.compatibility,
        note=row.note,
        moves=bool(row.loads),
        files=[files[key] for key in row.exports if key in files],
    )
