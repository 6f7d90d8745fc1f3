"""What of a load no report may show: the fields that hold sensitive values, at the source and at the destination."""

from dataclasses import dataclass

from app.domain.mapping import Load, LoadMode
from app.domain.masking import sensitive_count, sensitive_sources, sensitive_targets
from app.runs.work import Work


@dataclass(frozen=True, slots=True)
class Hidden:
    """Fields whose values no report may show: `sent` by their API names, `source` in the staged record."""

    sent: frozenset[str] = frozenset()
    source: frozenset[str] = frozenset()
    whole: bool = False
    """Files of a company with sensitive fields: their names tell as much as the fields do."""


NOTHING_HIDDEN = Hidden()


def hidden_fields(work: Work, rule: Load) -> Hidden:
    """What a load moves that is sensitive."""
    document = work.mapping()
    if rule.mode is LoadMode.FILE and sensitive_count(document):
        return Hidden(frozenset({"File_Name"}), frozenset(), whole=True)
    sent = frozenset(work.field_name(rule.target_object, name) for name in sensitive_targets(rule))
    return Hidden(sent, sensitive_sources(document, rule.source_object))
