"""The knowledge files hold together."""

import pytest

from app.domain.matching.concepts import concepts
from app.domain.matching.model import BASE, RIVALRY, shipped
from app.domain.matching.objects import kinds
from app.domain.matching.options import synonyms
from app.domain.matching.systems import find_system, recognise, systems
from app.domain.schema import FieldType

KNOWN = {one for found in (*concepts().general.values(), *concepts().special.values()) for one in found}


@pytest.mark.parametrize("system", systems(), ids=lambda one: one.name)
def test_every_meaning_is_a_concept_and_every_field_is_typed(system) -> None:
    for known in system.objects.values():
        assert known.kind in kinds().names.values(), known.name
        for one in known.fields.values():
            assert set(one.concepts) <= KNOWN, (known.name, one.column.name, one.concepts)
            assert one.column.type is not None, one.column.name


@pytest.mark.parametrize("name", ["zoho_crm", "freshsales"])
def test_destinations_say_what_can_be_written(name) -> None:
    system = find_system(name)
    assert system is not None
    for known in system.objects.values():
        fields = known.fields
        assert any(one.column.primary_key for one in fields.values()), known.name
        assert any(not one.column.read_only for one in fields.values())
        placed = {one.block for one in fields.values() if one.block}
        assert not placed or known.main_block in placed, known.name
        for one in fields.values():
            if one.column.picklist:
                assert one.column.type in {FieldType.PICKLIST, FieldType.MULTIPICKLIST}, one.column.name


def test_systems_are_found_by_any_of_their_names_and_by_their_fields() -> None:
    assert find_system("Zoho CRM") is find_system("zoho")
    assert find_system("") is None
    assert find_system("no such system") is None
    salesforce = find_system("salesforce")
    assert salesforce is not None
    schema = salesforce.schema()
    assert recognise(type(schema)("unnamed export", schema.tables)) is salesforce


def test_synonyms_point_to_synonyms() -> None:
    assert {near for found in synonyms().near.values() for near in found} <= set(synonyms().near)


def test_the_shipped_coefficients_are_of_the_features_there_are() -> None:
    model = shipped()
    assert model.alone.names == BASE
    assert model.rivals.names == (*BASE, *RIVALRY)
    assert len(BASE) + len(RIVALRY) >= 25
    assert model.trained_on
