"""`shiming tour`: everything on this machine, to be looked at in a browser, and deleted on exit.

The authority, the operator's network and the worker are processes of their own; the server is this one. All
that is kept in the tour - accounts, evidence, the visitor's own picture - lies in one temporary folder.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from shiming.entrypoints.demo import require_specimens
from shiming.entrypoints.demo_processes import running, sandbox_authority, sandbox_network
from shiming.entrypoints.tour_leash import Leash, on_a_leash
from shiming.entrypoints.tour_world import (
    OPERATOR,
    SignIn,
    copy_population,
    furnish,
    tour_environment,
    use_environment,
)
from shiming.vocabulary.errors import Unavailable

if TYPE_CHECKING:
    from shiming.entrypoints.wiring import Platform

USUAL_PORT = 8000
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(add_completion=False)


class _Ended(BaseException):
    """A signal asked the tour to end."""


@app.command()
def tour(
    *,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 8000 if it is free, else any.")
    ] = None,
    if_terminal: Annotated[
        bool, typer.Option("--if-terminal", help="Without a terminal, say how to open the tour and end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Open a guided tour in your browser: pretended people, authority and network; sign-ins are printed.

    Everything is in a temporary folder and deleted at Ctrl-C. Example: shiming tour
    """
    if if_terminal and not sys.stdout.isatty():
        typer.echo("To look around in your browser, in a terminal: shiming tour")
        return
    require_specimens()
    with suppress(_Ended), _ended_by_signals(), on_a_leash() as leash:
        _run(leash, _listen(port), as_json=as_json)
    if not as_json:
        typer.echo("\nThe tour has ended. Everything that was in it is deleted.")


def _run(leash: Leash, listening: socket.socket, *, as_json: bool) -> None:
    from shiming.entrypoints.pages.tour.visit import Visit
    from shiming.entrypoints.tour_case import WaitingCase, steps_of_case
    from shiming.entrypoints.tour_server import serve_tour, tour_app
    from shiming.entrypoints.wiring import platform_from_environment
    from shiming.identity_proofing.commands import connector

    if not as_json:
        typer.echo("Preparing the tour ...")
    folder = leash.folder
    url = f"http://localhost:{listening.getsockname()[1]}"  # localhost: browsers let it use the camera
    use_environment(os.environ, tour_environment(os.environ, folder, url))
    platform = platform_from_environment()
    population = copy_population(folder)
    sign_ins = furnish(platform)
    with ExitStack() as around:
        authority = _start_peers(around, leash, platform, url)
        port = connector(authority, platform.policy(platform.default_pack, platform.today()))
        case = WaitingCase(lambda: steps_of_case(platform, port, folder))
        visit = Visit(platform, folder, population, tuple(each.account for each in sign_ins), case)

        def opened() -> None:
            _announce(url, sign_ins, leash, as_json=as_json)
            case.begin()

        serve_tour(tour_app(visit, authority=port), listening, folder / "server.log", opened, case)


def _start_peers(around: ExitStack, leash: Leash, platform: "Platform", url: str) -> str:
    """Start authority, network and worker; return the address of the authority."""
    folder, population = str(leash.folder), leash.folder / "population" / "people.json"
    address = around.enter_context(sandbox_authority(folder, population, started=leash.hold))
    around.enter_context(sandbox_network(platform, folder, OPERATOR, url, started=leash.hold))
    around.enter_context(running("worker", folder, None, ["worker"], {}, started=leash.hold))
    return address


def _listen(port: int | None) -> socket.socket:
    from shiming.entrypoints.serve_commands import listen

    host = "127.0.0.1"  # a pretended authority is nobody else's business
    if port is not None:
        return listen(host, port)
    try:
        return listen(host, USUAL_PORT)
    except Unavailable:
        return listen(host, 0)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed window end the block in order; what cleans up is not interrupted."""

    def end(_number: int, _frame: object) -> None:
        for each in _ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        raise _Ended

    before = {number: signal.signal(number, end) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(url: str, sign_ins: tuple[SignIn, ...], leash: Leash, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_json(url, sign_ins, leash), ensure_ascii=False))
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    words = urlencode({each.account.user_name: each.password for each in sign_ins})
    link = f"{url}/tour#{words}"  # a fragment, which no server and no log sees; the page fills them in
    console.print(f"\n[bold green]The tour is open:[/] [bold][link={link}]{url}/tour[/link][/]\n")
    table = Table("sign in as", "password", "who", box=None, pad_edge=False)
    for each in sign_ins:
        table.add_row(f"[bold]{each.account.user_name}[/]", each.password, each.account.what.en)
    console.print(table)
    console.print(
        "\n[dim]People, authority and network are pretended, on this machine alone, and nothing leaves it.\n"
        "No passkey is asked for here (SHIMING_PASSKEY_REQUIRED_ROLES=none); a real installation asks.[/]\n"
        f"\n[bold]Ctrl-C[/] ends the tour and deletes everything in it ({leash.folder})."
    )


def _as_json(url: str, sign_ins: tuple[SignIn, ...], leash: Leash) -> dict[str, Any]:
    return {
        "url": url,
        "tour": f"{url}/tour",
        "folder": str(leash.folder),
        "sign_ins": [
            {
                "user_name": each.account.user_name,
                "password": each.password,
                "roles": list(each.account.roles),
                "operator": each.account.operator,
            }
            for each in sign_ins
        ],
    }
