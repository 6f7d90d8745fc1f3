"""An administrator who changes the schema while somebody is writing, and who puts everything back when asked to.

Nothing of this is in the store: what is taken away comes back with the data that the records still hold. What a change
does to an account is the vendor's; which there are, what they strike and how they are undone is the same for all.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

Undo = Callable[[], None]


class Disturbed(Protocol):
    """An account with what undoes its changes, the latest last."""

    disturbances: list[Undo]


Account = TypeVar("Account", bound=Disturbed)
Thing = TypeVar("Thing")
Changes = Mapping[str, Callable[[Account, dict[str, Any]], dict[str, Any]]]


def disturb(account: Account, body: dict[str, Any], changes: Changes[Account]) -> dict[str, Any]:
    """One change of the kind `how`: field_gone, module_gone, options_gone or field_required.

    What it strikes is the custom thing number `draw`, counted round; fields that are unique or listed in `spare` are
    left alone, `modules` narrows the choice, and `field` names one whatever it is. KeyError for an unknown kind, or
    where there is nothing to change.
    """
    return {"how": body["how"], **changes[body["how"]](account, body)}


def restore_schema(account: Disturbed, _: dict[str, Any]) -> dict[str, Any]:
    """Undoes every change, the latest first; how many there were."""
    number = len(account.disturbances)
    while account.disturbances:
        account.disturbances.pop()()
    return {"restored": number}


def chosen(found: Sequence[Thing], body: dict[str, Any]) -> Thing:
    """The thing number `draw`, counted round. KeyError where there is none."""
    if not found:
        raise KeyError("nothing of this kind to change")
    return found[int(body.get("draw", 0)) % len(found)]
