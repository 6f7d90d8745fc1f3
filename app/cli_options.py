"""What the commands of `tranship` share: options, the settings behind them, and refusals with one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from app.settings import Settings

Port = Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 picks a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the embedded servers; default TRANSHIP_DATA_DIR.")]


def fail(message: str, code: int = 2) -> NoReturn:
    """Ends the command with one message on standard error."""
    typer.echo(f"tranship: {message}", err=True)
    raise typer.Exit(code)


def settings(data: Path | None = None, **overrides: object) -> "Settings":
    """The settings of this process; `--data` wins over TRANSHIP_DATA_DIR. Ends the command when they are unusable."""
    from app.settings import SettingsError, load_settings

    if data is not None:
        overrides["data_dir"] = data
    try:
        return load_settings(**overrides)
    except SettingsError as wrong:
        fail(str(wrong))


def database_url(configured: "Settings") -> str:
    """The configured database, else that of the embedded servers which `tranship serve` runs in this data folder."""
    from app.embedded import EmbeddedServers

    if configured.database_url is not None:
        return configured.database_url.get_secret_value()
    try:
        urls = EmbeddedServers.attach(configured.data_dir)
    except PermissionError:
        fail(f"the embedded servers in {configured.data_dir} belong to another user")
    if urls is None:
        fail(
            f"no database: TRANSHIP_DATABASE_URL is not set and no `tranship serve --data {configured.data_dir}` "
            "runs with embedded servers"
        )
    return urls.database_url


@contextmanager
def at_the_database() -> Iterator[None]:
    """Ends the command with one sentence and code 1 when no database answers, it refuses the role or has no schema."""
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    refusals = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
    try:
        yield
    except OSError as away:
        fail(f"no database answers ({away or type(away).__name__}); look at TRANSHIP_DATABASE_URL", code=1)
    except refusals as refused:
        fail(f"the database refuses: {refused}; look at TRANSHIP_DATABASE_URL", code=1)
    except DBAPIError as wrapped:
        cause = wrapped.orig.__cause__ if wrapped.orig is not None else None
        if not isinstance(cause, refusals):
            raise
        fail(f"the database refuses: {cause}; look at TRANSHIP_DATABASE_URL", code=1)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        fail("the database's schema is not that of this release; run `tranship migrate` first", code=1)


def check_pair(pair: str) -> None:
    """Refuses what is not SOURCE:DESTINATION; whether the pair exists is the registry's word."""
    source, separator, destination = pair.partition(":")
    if not (separator and source and destination) or ":" in destination:
        fail(f"{pair!r} is not a pair; write SOURCE:DESTINATION, for example servicetracker:zoho_crm")


def parse_options(given: list[str]) -> dict[str, str]:
    """`["a=1", "b=x=y"]` → `{"a": "1", "b": "x=y"}`; ends the command for an entry without key or `=`."""
    parsed: dict[str, str] = {}
    for entry in given:
        key, separator, value = entry.partition("=")
        if not separator or not key.strip():
            fail(f"--option takes KEY=VALUE, not {entry!r}")
        if key.strip() in parsed:
            fail(f"--option {key.strip()} is given twice")
        parsed[key.strip()] = value
    return parsed
