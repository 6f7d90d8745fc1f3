"""The `tranship` command. Each command reads its options, imports late and calls the function that works.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings.
"""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.cli_options import Data, Host, Port, at_the_database, check_pair, database_url, fail, parse_options, settings
from app.keys_commands import keys

# No plugin of pydantic is used; looking for some costs every process of ours 50 ms at its start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

app = typer.Typer(
    name="tranship",
    help="Moves a company from one CRM to another: mapped by machine, confirmed by a person, reconciled, reversible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(keys, name="keys")

# 1,000,000 records is what a sandbox promises to hold (ruling 35); the margin is for counts that round up.
MAX_SCALE = 1_100_000


class SandboxName(StrEnum):
    """The vendor stand-ins that can be started."""

    SERVICETRACKER = "servicetracker"
    ZOHO_CRM = "zoho_crm"
    FRESHSALES = "freshsales"
    OCTOPUSPRO = "octopuspro"
    CLINIC = "clinic"
    RSOFT = "rsoft"


@app.command()
def demo(
    pair: Annotated[
        str, typer.Option(envvar="PAIR", metavar="SOURCE:DESTINATION", help="Road to walk.")
    ] = "servicetracker:zoho_crm",
    scale: Annotated[int, typer.Option(envvar="SCALE", min=100, max=MAX_SCALE, help="Source records, about.")] = 2000,
    rollback: Annotated[
        bool, typer.Option("--rollback", envvar="ROLLBACK", help="End with a rollback and compare the destination.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Leave everything running, print URLs.")] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", envvar="DEMO_JSON", dir_okay=False, help="Write the result as JSON.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(envvar="SOURCE", exists=True, file_okay=False, help="Fill the source from a folder of CSV files."),
    ] = None,
) -> None:
    """Walk the whole road on embedded servers and vendor stand-ins, then end."""
    from app.demo import run_demo

    check_pair(pair)
    raise typer.Exit(run_demo(pair=pair, scale=scale, rollback=rollback, keep=keep, json_path=json_path, source=source))


@app.command()
def rehearse(
    pair: Annotated[str, typer.Option(metavar="SOURCE:DESTINATION", help="Road to walk.")] = "servicetracker:zoho_crm",
    faults: Annotated[str, typer.Option(help="all, none, or names separated by commas.")] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same schedule of faults.")] = 1,
    records: Annotated[int, typer.Option(min=100, max=MAX_SCALE, help="Source records, about.")] = 400,
    schedules: Annotated[int, typer.Option(min=1, max=1_000, help="Schedules one after the other, from seed on.")] = 1,
    json_path: Annotated[
        Path | None,
        typer.Option("--json", help="Write the figures here instead of printing them; of several schedules a folder."),
    ] = None,
) -> None:
    """Walk a whole migration under a seeded schedule of faults and judge it from raw rows."""
    from app.rehearsal import run_rehearsal
    from app.rehearsal.faults import UnknownFault, chosen

    check_pair(pair)
    try:
        picked = chosen(faults)
    except UnknownFault as wrong:
        fail(str(wrong))
    source, _, destination = pair.partition(":")
    seeds = range(seed, seed + schedules)
    code = run_rehearsal(pair=(source, destination), faults=picked, seeds=seeds, records=records, json_path=json_path)
    raise typer.Exit(code)


@app.command()
def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    data: Data = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
) -> None:
    """Run API, workers and, where no URL is set, embedded servers, until stopped."""
    from app.embedded import EmbeddedServersError
    from app.serving import serve as run

    configured = settings(data)
    try:
        run(configured, host=host, port=port, workers=workers)
    except EmbeddedServersError as wrong:
        fail(str(wrong))


@app.command()
def api(port: Port = 8000, host: Host = "127.0.0.1") -> None:
    """Run one API process."""
    from app.serving import run_api

    run_api(settings(), host=host, port=port)


@app.command()
def worker(
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve Prometheus metrics on this port.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics.")] = "127.0.0.1",
) -> None:
    """Run one worker process."""
    from workers.main import run_worker

    run_worker(settings(), metrics_at=(metrics_host, metrics_port) if metrics_port else None)


@app.command()
def sandbox(
    name: Annotated[SandboxName, typer.Argument(help="The vendor to stand in for.")],
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port; 0 picks a free one.")] = None,
    host: Host = "127.0.0.1",
    edition: Annotated[str | None, typer.Option(help="The vendor's plan; decides limits.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same data.")] = 1,
    scale: Annotated[int, typer.Option(min=0, max=MAX_SCALE, help="Records to generate, about; 0 = none.")] = 0,
    state_dir: Annotated[Path | None, typer.Option(file_okay=False, help="Keep the data here.")] = None,
    csv_dir: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Fill from CSV files.")] = None,
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A switch of this vendor.")] = None,
    export: Annotated[
        Path | None, typer.Option(file_okay=False, help="Write an export of files here and end, instead of serving.")
    ] = None,
) -> None:
    """Run a local stand-in of a vendor's API until stopped, or write what a vendor without one hands over."""
    from app.sandboxes import CannotListen, NoSuchStandIn, run_sandbox, write_export
    from connectors.sandboxkit.config import SandboxConfig

    if export is not None:
        try:
            options = parse_options(option or [])
            typer.echo(json.dumps(write_export(name, export, scale=scale, seed=seed, **options)))
        except (NoSuchStandIn, TypeError, ValueError) as wrong:
            fail(str(wrong))
        return
    if port is None:
        fail("say --port for an API that answers, or --export for files")
    config = SandboxConfig(
        edition=edition,
        seed=seed,
        scale=scale,
        state_dir=state_dir,
        csv_dir=csv_dir,
        clock=settings().make_clock(),
        options=parse_options(option or []),
    )
    try:
        run_sandbox(name, config, host=host, port=port)
    except (CannotListen, NoSuchStandIn, ValueError) as wrong:
        fail(str(wrong))


@app.command()
def migrate(
    data: Data = None,
    revision: Annotated[str, typer.Option(help="Revision to reach.")] = "head",
) -> None:
    """Bring the database schema up to date."""
    from app.migrations import upgrade

    with at_the_database():
        upgrade(database_url(settings(data)), revision)


@app.command()
def conform(
    destination: Annotated[str, typer.Argument(help="The platform whose guarantees are to be proved.")],
    source: Annotated[str, typer.Option(help="Where the records come from.")] = "servicetracker",
    records: Annotated[int, typer.Option(min=100, max=MAX_SCALE, help="Source records, about.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same schedules of faults.")] = 1,
    json_path: Annotated[
        Path | None, typer.Option("--json", dir_okay=False, help="Write the table of guarantees here.")
    ] = None,
) -> None:
    """Prove a destination's guarantees under faults and write them down as the table that its page shows."""
    from app.rehearsal.conformance import run_conformance

    check_pair(f"{source}:{destination}")
    raise typer.Exit(run_conformance((source, destination), records, seed, json_path))


@app.command()
def audit(
    record: Annotated[
        str | None, typer.Option(metavar="OBJECT/ID", help="Print this source record's history with its places.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Name of one tenant; default all.")] = None,
    data: Data = None,
) -> None:
    """Prove the audit chains: every root and link, and the first broken entry where one is."""
    from app.audit_cli import prove_chains

    with at_the_database():
        code = prove_chains(database_url(settings(data)), tenant, record, typer.echo)
    raise typer.Exit(code)


@app.command()
def verify(
    report: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="A signed reconciliation or purge certificate.")
    ],
    key: Annotated[
        str | None, typer.Option(help="The public key (base64) or its fingerprint that must have signed it.")
    ] = None,
) -> None:
    """Check a signed document offline: the signature, and every root and sum of a reconciliation."""
    from app.verifying import verify_report

    raise typer.Exit(verify_report(report, key, typer.echo))


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option(dir_okay=False, help="File to write; default standard output.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail when the file differs, write nothing.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Fail when clients of --output at this git revision break.")
    ] = None,
) -> None:
    """Write the OpenAPI document of the service."""
    from app.main import openapi_document
    from app.openapi_cli import check_compatible

    if since is not None and output is not None:
        code = check_compatible(openapi_document(), output.absolute(), since, lambda line: typer.echo(line, err=True))
        if code:
            raise typer.Exit(code)
    text = json.dumps(openapi_document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
    elif not check:
        output.write_text(text, encoding="utf-8")
    elif not output.exists() or output.read_text(encoding="utf-8") != text:
        fail(f"{output} is not what the code says; run `make openapi`", code=1)


@app.command()
def propose(
    source: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, metavar="SCHEMA.json", help="The source's schema.")
    ],
    destination: Annotated[str, typer.Option(metavar="PLATFORM|SCHEMA.json", help="zoho_crm, freshsales or a schema.")],
    json_path: Annotated[
        Path | None, typer.Option("--json", dir_okay=False, help="Write the proposal as JSON.")
    ] = None,
) -> None:
    """Propose which object and field goes where, with probabilities and reasons. Works offline."""
    from app.propose_cli import ProposeFailed, outline, propose_files

    try:
        answer, proposals = propose_files(source, destination)
    except ProposeFailed as wrong:
        fail(str(wrong))
    if json_path is None:
        sys.stdout.write(outline(proposals))
    else:
        json_path.write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@app.command()
def pairs(
    as_json: Annotated[bool, typer.Option("--json", help="Print what each pair's page says, as JSON.")] = False,
) -> None:
    """List the pairs of platforms that can be moved, one per line."""
    from app.platforms.service import pairs_as_json
    from connectors.registry import BLUEPRINTS

    if as_json:
        typer.echo(json.dumps(pairs_as_json(), indent=2, ensure_ascii=False))
        return
    for pair in sorted(BLUEPRINTS):
        typer.echo(":".join(pair))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
