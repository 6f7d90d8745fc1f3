"""Where calls to a platform are told to whoever traces them; nothing is told until somebody asks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Answered = Callable[[int], None]
Around = Callable[[str, str, str], AbstractContextManager[Answered]]


@contextmanager
def _untraced(_purpose: str, _method: str, _host: str) -> Iterator[Answered]:
    yield _nothing


def _nothing(_status: int) -> None:
    return


_around: Around = _untraced


def trace_calls(around: Around | None) -> None:
    """From now on every call stands inside `around(purpose, method, host)`, which is told the answer's status.

    It sees neither path, parameters, headers nor bodies: those hold ids, tokens and record values.
    """
    global _around  # noqa: PLW0603  one tracer a process, set when it starts
    _around = around or _untraced


def traced_call(purpose: str, method: str, host: str) -> AbstractContextManager[Answered]:
    """The span of one call, or nothing."""
    return _around(purpose, method, host)
