"""How a demo can end other than well."""

from typing import Any


class DemoFailed(Exception):
    """Something does not hold; `problem` is the problem document behind it, where there is one."""

    def __init__(self, message: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem = problem
