"""What the conformance suite writes beside a pair's own loads, so that no object of a destination goes unproved."""

from importlib.resources import files

import yaml
from pydantic import JsonValue

from app.domain.mapping import Load
from app.domain.schema import Frozen


class Wider(Frozen):
    """Loads to add to the proposal, actions of the destination's administrator that they need, and options of its
    connection.
    """

    loads: tuple[Load, ...] = ()
    needs: tuple[dict[str, JsonValue], ...] = ()
    config: dict[str, JsonValue] = {}


NOTHING = Wider()


def wider(pair: tuple[str, str]) -> Wider:
    """What `connectors/guarantees/<destination>.loads.yaml` lists for the source; nothing where there is no file."""
    file = files("connectors") / "guarantees" / f"{pair[1]}.loads.yaml"
    if not file.is_file():
        return NOTHING
    return Wider.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")).get(pair[0], {}))
