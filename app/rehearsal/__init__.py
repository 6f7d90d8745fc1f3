"""Rehearsals under faults: a whole migration under a seeded schedule of failures, judged afterwards from raw rows."""

from app.rehearsal.rehearsing import run_rehearsal

__all__ = ["run_rehearsal"]
