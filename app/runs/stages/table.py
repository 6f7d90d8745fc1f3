"""The table of stages: what the engine runs for each kind of the plan."""

from collections.abc import Awaitable, Callable, Mapping

from app.runs.proving import prove
from app.runs.stages.choose import choose
from app.runs.stages.deletions import report_deletions
from app.runs.stages.describe import describe
from app.runs.stages.examine import examine
from app.runs.stages.exports import export
from app.runs.stages.extract import extract
from app.runs.stages.fired import measure_fired
from app.runs.stages.load import load
from app.runs.stages.provision import provision
from app.runs.stages.reassign import reassign
from app.runs.stages.reconcile import reconcile
from app.runs.stages.repair import repair
from app.runs.stages.rollback import delete, restore
from app.runs.stages.verify import verify
from app.runs.stages.widen import widen
from app.runs.trial import on_trial
from app.runs.work import StageRow, Work

Stage = Callable[[Work, StageRow], Awaitable[None]]

STAGES: Mapping[str, Stage] = {
    "describe": describe,
    "extract": extract,
    "examine": examine,
    "provision": provision,
    "choose": choose,
    "widen": widen,
    "load": load,
    "link": load,
    "note": load,
    "file": load,
    "deletions": report_deletions,
    "verify": verify,
    "reconcile": reconcile,
    "repair": repair,
    "export": export,
    "restore": restore,
    "delete": delete,
    "reassign": reassign,
    "fired": measure_fired,
    "trial_load": on_trial(load),
    "trial_restore": on_trial(restore),
    "trial_delete": on_trial(delete),
    "trial_verify": on_trial(prove),
}
