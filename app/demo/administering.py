"""The administrator of the destination: what a checklist asks of him, done in the stand-in as in the vendor's pages."""

from typing import Any

from app.demo.client import Refused
from app.demo.standins import STAND_INS
from app.demo.walking import Walk


def administrate(walk: Walk, run: dict[str, Any]) -> int:
    """Does what the provisioning run could not; returns how many things. What cannot be done is said."""
    report = walk.reports(run, "provisioning")[0]
    hand = STAND_INS[walk.pair[1]].admin
    done = 0
    for result in report["body"]["changes"]:
        if not (result.get("manual") or result.get("advice")):
            continue
        actions = hand(result)
        if not actions and result.get("manual"):
            walk.screen.warn(f"nobody can do this in the stand-in: {result['manual']}")
        for action in actions:
            try:
                walk.destination.post("/_sandbox/admin", action)
            except Refused as refused:
                walk.screen.warn(f"the administrator was refused: {refused}")
                continue
            done += 1
            told = ", ".join(str(value) for key, value in action.items() if key != "action" and value)
            walk.screen.say(f"the administrator: {action['action'].replace('_', ' ')} {told}")
    return done
