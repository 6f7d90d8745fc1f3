"""An export as a source without an API would hand it over, made by its generator."""

import importlib
from pathlib import Path

from app.demo.errors import DemoFailed


def write_export(slug: str, folder: Path, scale: int) -> None:
    """Fills `folder` with a generated export of the platform. Raises DemoFailed."""
    generator = importlib.import_module(f"connectors.{slug}.generator")
    rows: dict[str, int] = generator.write_export(folder, scale, 1)
    if not rows:
        raise DemoFailed(f"the generator of {slug} wrote nothing")
