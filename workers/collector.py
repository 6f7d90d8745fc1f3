"""The garbage collector in a process that moves records: counting references frees them, so it need not look often."""

import gc

THRESHOLDS = (200_000, 50, 50)


def seldom() -> None:
    """To be called once everything is imported: definitions are no garbage and are not looked through again."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(*THRESHOLDS)
