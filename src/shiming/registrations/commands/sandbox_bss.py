"""`shiming sandbox bss`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Stand-ins for rehearsal.")


@app.callback()
def _stand_ins() -> None:
    """Stand-ins for rehearsal."""


@app.command()
def bss(
    *,
    store: Annotated[Path, typer.Option("--store", help="SQLite file that it remembers everything in.")],
    token_file: Annotated[Path, typer.Option("--token-file", help="Bearer token that it asks for.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8902,
    callback: Annotated[
        str | None, typer.Option("--callback", help="URL for callbacks, as `shiming bss add` shows it.")
    ] = None,
    callback_secret_file: Annotated[
        Path | None, typer.Option("--callback-secret-file", help="Secret that signs callbacks, whsec_...")
    ] = None,
    faults: Annotated[
        str,
        typer.Option(
            "--faults",
            help="Rates of slow, server_error, lost_callback, duplicate_callback, refuse, fail: slow=0.2,...",
        ),
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="The same seed strikes the same orders.")] = 0,
    step_s: Annotated[float, typer.Option("--step-s", min=0.0, max=60.0, help="Seconds a step.")] = 0.2,
    slow_s: Annotated[float, typer.Option("--slow-s", min=0.0, max=60.0, help="Seconds of `slow`.")] = 2.0,
) -> None:
    """Pretend to be an operator's BSS on 127.0.0.1: TMF641 orders, TMF638 inventory, signed callbacks.

    Example: shiming sandbox bss --store bss.db --token-file token --port 8902 --faults slow=0.2 --seed 1
    """
    from shiming.registrations.commands.secret_files import read_secret
    from shiming.registrations.sandbox_bss.callbacks import CallbackTarget
    from shiming.registrations.sandbox_bss.faults import Faults
    from shiming.registrations.sandbox_bss.order_book import OrderBook
    from shiming.registrations.sandbox_bss.server import serve
    from shiming.registrations.sandbox_bss.service import SandboxBss

    target = None
    if callback is not None and callback_secret_file is not None:
        target = CallbackTarget(callback, read_secret(callback_secret_file))
    pretended = SandboxBss(
        OrderBook(store),
        read_secret(token_file),
        target,
        Faults.parse(faults, seed=seed),
        step_s=step_s,
        slow_s=slow_s,
    )
    typer.echo("SANDBOX BSS: no network does what it says; nothing here is provisioned.", err=True)
    serve(pretended, port=port)
