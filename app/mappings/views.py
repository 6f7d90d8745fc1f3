"""Mapping versions as the schemas of the API."""

from app.domain.mapping import MappingDocument
from app.domain.proposing import Problem
from app.mappings.schemas import MappingFault, MappingView
from app.models.mapping import Mapping


def show_mapping(mapping: Mapping, warnings: list[Problem] | None = None) -> MappingView:
    """One version, with what to look at."""
    return MappingView(
        **mapping.model_dump(exclude={"tenant_id", "document"}),
        document=MappingDocument.model_validate(mapping.document),
        warnings=None if warnings is None else [show_fault(problem) for problem in warnings if not problem.blocking],
    )


def show_fault(problem: Problem) -> MappingFault:
    """One fault."""
    return MappingFault.model_validate(problem.model_dump())
