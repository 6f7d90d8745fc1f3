"""What the demo shows: steps, progress bars, and the tables at the end."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.demo.counting import OUTCOMES, Row
from app.demo.result import Result

PLAIN_WIDTH = 120
Watch = Callable[[], Iterable[str]]


class Screen:
    """Everything that is printed goes through here."""

    def __init__(self) -> None:
        self._console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
        self._steps = 0
        self._began = time.monotonic()

    def step(self, title: str) -> None:
        """The headline of the next step."""
        self._steps += 1
        elapsed = time.monotonic() - self._began
        self._console.print(f"\n[bold]{self._steps:>2}. {escape(title)}[/bold] [dim]({elapsed:.1f} s)[/dim]")

    def say(self, text: str) -> None:
        self._console.print(f"    {text}", markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self._console.print(f"    {text}", markup=False, style="yellow", soft_wrap=True)

    def fail(self, text: str) -> None:
        self._console.print(text, markup=False, style="bold red", soft_wrap=True)

    def list(self, entries: Mapping[str, object] | Iterable[tuple[str, object]], *, most: int = 30) -> None:
        """Name and value per line."""
        pairs = list(entries.items() if isinstance(entries, Mapping) else entries)
        width = max((len(name) for name, _ in pairs[:most]), default=0)
        for name, value in pairs[:most]:
            self.say(f"  {name:<{width}}  {value}")
        if len(pairs) > most:
            self.say(f"  and {len(pairs) - most} more, see the reports")

    def progress(self) -> Progress:
        """A bar that is gone when its run has ended."""
        return Progress(
            TextColumn("    {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[phase]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def table(self, title: str, headings: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        """The first columns of text to the left, numbers to the right."""
        lines = [list(row) for row in rows]
        self._console.print(
            f"    [bold]{escape(title)}[/bold]", soft_wrap=True
        )  # a title in the table wraps at its width
        table = Table()
        for place, heading in enumerate(headings):
            numbers = bool(lines) and all(isinstance(line[place], int) for line in lines)
            table.add_column(heading, justify="right" if numbers else "left", no_wrap=numbers)
        for line in lines:
            table.add_row(*(escape(str(cell)) for cell in line))
        self._console.print(table)

    def objects(self, rows: Iterable[Row]) -> None:
        """The table per object."""
        self.table(
            "What became of every record (from the ledger)",
            ("object", "target", "read", *OUTCOMES),
            ([row.object, row.target, row.read, *(getattr(row, name) for name in OUTCOMES)] for row in rows),
        )

    def ending(self, result: Result, places: Mapping[str, object]) -> None:
        """All figures, where things lie, and whether everything holds."""
        self._console.print()
        self.objects(result.objects)
        calls = result.calls
        figures: dict[str, object] = {
            "sample": _words(result.sample),
            "reconciliation": _words(result.reconciliation),
            "delta": _words(result.delta),
            "calls of the full run": f"{calls.get('made', 0)} made, {calls.get('forecast', 0)} forecast, "
            f"{calls.get('rejected_429', 0)} rejected with 429",
            "rollback": _words(result.rollback) if result.rollback is not None else "not asked for (ROLLBACK=1)",
            "webhooks delivered": result.webhooks_delivered,
            **places,
        }
        self.list(figures)
        for fault in result.faults:
            self.fail(f"  does not hold: {fault}")
        verdict = "everything holds" if not result.faults else f"{len(result.faults)} things do not hold"
        self._console.print(f"\n[bold]{result.seconds:.1f} s, {verdict}.[/bold]")


def _words(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
