"""Warnings that the database layer causes by design, for the tests of this folder."""

from pathlib import Path

import pytest

# The database layer runs plain SQL through Session.execute, which sqlmodel advises against for selects of models.
ADVICE = r"ignore:\s*.*You probably want to use `session.exec:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(ADVICE))
