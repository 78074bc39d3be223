"""`shiming sandbox`: the stand-ins of all features in one group."""

import typer

from shiming.identity_proofing.sandbox_commands import app as authority
from shiming.registrations.commands.sandbox_bss import app as bss

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Stand-ins for rehearsal.\n\nExample: shiming sandbox authority --population people.json",
)
app.registered_commands = [*authority.registered_commands, *bss.registered_commands]
