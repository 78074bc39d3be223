"""`shiming sandbox authority` and `shiming sandbox reader`."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
from pathlib import Path
from typing import Annotated

import typer

from shiming.identity_proofing.command_line import bad_option, platform_of, read_token
from shiming.identity_proofing.sandbox_authority.faults import Fault, Faults

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Stand-ins for rehearsal.\n\nExample: shiming sandbox authority --population people.json",
)


@app.callback()
def _stand_ins() -> None:
    """Stand-ins for rehearsal."""


@app.command()
def authority(
    context: typer.Context,
    *,
    population: Annotated[Path, typer.Option("--population", help="JSON file of invented people.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8901,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="slow, down, wrong, deny, expired_card or lost_card; may be repeated."),
    ] = None,
    delay_s: Annotated[
        float, typer.Option("--delay", min=0, max=300, help="Seconds of the fault `slow`.")
    ] = 30.0,
    token_file: Annotated[Path | None, typer.Option(help="Ask callers for this bearer token.")] = None,
) -> None:
    """Pretend to be an identity authority on 127.0.0.1, with records and portraits of its own.

    It speaks OSIA `verify`; `POST /faults` with `{"faults": ["down"]}` changes its faults while it runs.

    Example: shiming sandbox authority --population specimens/population.json --port 8901
    """
    from shiming.identity_proofing.sandbox_authority import server, service
    from shiming.identity_proofing.sandbox_authority.population import PopulationFile

    platform = platform_of(context)
    people = PopulationFile(population)  # people may be added while it runs
    pretended = service.SandboxAuthority(
        population=people,
        compare=platform.portrait_comparer(),
        today=lambda: platform.today().isoformat(),
        token=read_token(token_file),
        faults=Faults(on=frozenset(_fault(name) for name in fault or ()), delay_s=delay_s),
    )
    typer.echo(f"SANDBOX AUTHORITY with {len(people)} invented people: its answers prove nothing.", err=True)
    server.serve(pretended, port=port)


def _fault(name: str) -> Fault:
    try:
        return Fault(name)
    except ValueError as error:
        raise bad_option("--fault", ", ".join(Fault)) from error


@app.command("reader")
def reader_(
    *,
    population: Annotated[Path, typer.Option("--population", help="JSON file of invented people.")],
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, help="A TCP port of this machine instead; 0 takes a free one."
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help="noise, checksum, silent, removed, torn, length, two_cards or slow; may be repeated.",
        ),
    ] = None,
) -> None:
    """Pretend to be a card reader at a pseudo-terminal, whose path is printed, with invented cards.

    The cards lie on it one after the other: each until it was read.

    Example: shiming sandbox reader --population specimens/population/people.json
    """
    import threading
    import time

    from shiming.identity_proofing.sandbox_reader.cards import read_cards
    from shiming.identity_proofing.sandbox_reader.device import ReaderFaultMade, SandboxReader
    from shiming.identity_proofing.sandbox_reader.server import HOST, at_port, at_terminal

    if unknown := set(fault or ()) - set(ReaderFaultMade):
        raise bad_option("--fault", f"{', '.join(ReaderFaultMade)} ({', '.join(sorted(unknown))}?)")
    faults = frozenset(map(ReaderFaultMade, fault or ()))
    pretended = SandboxReader(read_cards(population), faults, pause=time.sleep)
    typer.echo(f"SANDBOX READER with {len(pretended.cards)} invented cards.", err=True)
    if port is None:
        with at_terminal(pretended) as path:
            typer.echo(path)
            threading.Event().wait()
    else:
        with at_port(pretended, port) as taken:
            typer.echo(f"tcp://{HOST}:{taken}")
            threading.Event().wait()
