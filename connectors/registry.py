"""Which platforms and pairs there are: listed by hand, nothing is scanned."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml
from pydantic import JsonValue

from app.domain.blueprint import Blueprint
from connectors import clinic, freshsales, octopuspro, rsoft, servicetracker, zoho_crm
from connectors.base import Platform

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        platform.slug: platform
        for platform in (
            servicetracker.PLATFORM,
            octopuspro.PLATFORM,
            clinic.PLATFORM,
            rsoft.PLATFORM,
            freshsales.PLATFORM,
            zoho_crm.PLATFORM,
        )
    }
)
"""Every platform by its slug."""

BLUEPRINTS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("clinic", "freshsales"): "clinic-freshsales.yaml",
        ("clinic", "zoho_crm"): "clinic-zoho_crm.yaml",
        ("octopuspro", "freshsales"): "octopuspro-freshsales.yaml",
        ("octopuspro", "zoho_crm"): "octopuspro-zoho_crm.yaml",
        ("rsoft", "freshsales"): "rsoft-freshsales.yaml",
        ("rsoft", "zoho_crm"): "rsoft-zoho_crm.yaml",
        ("servicetracker", "freshsales"): "servicetracker-freshsales.yaml",
        ("servicetracker", "zoho_crm"): "servicetracker-zoho_crm.yaml",
    }
)
"""The file of every pair, by source and destination slug."""


@cache
def load_guarantees(slug: str) -> dict[str, JsonValue] | None:
    """What the conformance suite proved of a destination, as `tranship conform` wrote it; None where it never ran."""
    file = files("connectors") / "guarantees" / f"{slug}.json"
    if slug not in PLATFORMS or not file.is_file():
        return None
    table: dict[str, JsonValue] = json.loads(file.read_text(encoding="utf-8"))
    return table


class UnknownPair(LookupError):
    """There is no road from this source to this destination."""

    def __init__(self, source: str, destination: str) -> None:
        super().__init__(f"no blueprint from {source} to {destination}")
        self.source = source
        self.destination = destination


@cache
def load_blueprint(source: str, destination: str) -> Blueprint:
    """The pair's blueprint, read once. Raises UnknownPair; pydantic's ValidationError for a faulty file."""
    name = BLUEPRINTS.get((source, destination))
    if name is None:
        raise UnknownPair(source, destination)
    text = (files("connectors") / "blueprints" / name).read_text(encoding="utf-8")
    return Blueprint.model_validate(yaml.safe_load(text))
