"""`tranship keys`: API keys and the rotation of master keys."""

import json
from typing import Annotated

import typer

from app.cli_options import Data, at_the_database, database_url, fail, settings

keys = typer.Typer(
    help="API keys: create, list, revoke; master keys: rotate.", no_args_is_help=True, rich_markup_mode=None
)


@keys.command("create")
def create_key(
    tenant: Annotated[str, typer.Argument(help="Name of the tenant; made when new.")] = "default",
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="A scope; repeat for more. Default: all of a client.")] = None,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the key with its id, tenant and scopes.")] = False,
) -> None:
    """Create a key and print it once: it is stored as a hash only."""
    from app.keys_cli import create_record

    configured = settings(data)
    with at_the_database():
        made = create_record(configured, database_url(configured), tenant=tenant, label=label, scopes=scope or [])
    typer.echo(json.dumps(made, default=str) if as_json else made["key"])


@keys.command("list")
def list_keys(
    tenant: Annotated[str | None, typer.Argument(help="Only this tenant's.")] = None,
    data: Data = None,
) -> None:
    """List keys as JSON lines, without the secrets."""
    from app.keys_cli import list_all

    configured = settings(data)
    with at_the_database():
        rows = list_all(configured, database_url(configured), tenant=tenant)
    for row in rows:
        typer.echo(json.dumps(row, default=str))


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="As shown by `keys list`.")], data: Data = None) -> None:
    """Revoke a key; requests with it are refused from then on."""
    from app.keys_cli import revoke

    configured = settings(data)
    with at_the_database():
        revoked = revoke(configured, database_url(configured), key_id=key_id)
    if not revoked:
        fail(f"no live key {key_id}", code=1)


@keys.command("rotate-master")
def rotate_master(data: Data = None) -> None:
    """Seal everything anew under the first key of TRANSHIP_MASTER_KEYS; run it after putting a new key there."""
    from app.keys_cli import key_ring
    from app.rotating import rotate

    configured = settings(data)
    with at_the_database():
        done = rotate(key_ring(configured), database_url(configured))
    typer.echo(f"{done.resealed} sealed anew, {done.current} current already, {done.broken} that no key opens")
    raise typer.Exit(1 if done.broken else 0)
