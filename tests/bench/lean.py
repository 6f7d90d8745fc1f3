"""How both processes of the bench begin: without what only terminals need, and without collecting among definitions."""

import gc
import os
import sys


def begin() -> None:
    """To be called before anything else is imported."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # as the commands do
    gc.disable()  # until everything is imported
    for name in ("click", "rich"):  # command lines and coloured tracebacks, which httpx and structlog bring if they can
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
