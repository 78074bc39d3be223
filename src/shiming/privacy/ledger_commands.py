"""`shiming ledger`: seal, verify and prove the record."""

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The tamper-evident ledger.")


@app.callback()
def ledger_root() -> None:
    """Keep every command a sub-command."""
