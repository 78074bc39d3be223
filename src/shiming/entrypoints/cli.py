"""The `shiming` command.

Exit codes: 0 done; 1 refused or not verified; 2 bad input; 3 something needed is unavailable.
"""

import json
import os
import sys
from typing import Annotated

import typer

from shiming.entrypoints.lazy_commands import LazyGroup
from shiming.vocabulary.errors import ShimingError

EPILOG = (
    "Start with: shiming demo   Then: shiming COMMAND --help   "
    "Exit codes: 0 done, 1 refused or not verified, 2 bad input, 3 unavailable."
)

app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    epilog=EPILOG,
    pretty_exceptions_enable=False,
)


def show_version(asked: bool) -> None:
    """Print the version and stop."""
    if asked:
        from importlib.metadata import version

        typer.echo(version("shiming"))
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Shiming (实名): prove that a person holds a document, and register a telephone line in their name.

    The main job: draw a challenge, prove the person, register the number. `shiming demo` shows it whole.
    """
    from shiming.entrypoints.wiring import platform_from_environment

    context.obj = platform_from_environment


def language() -> str:
    """Return the user's language: `SHIMING_LANGUAGE`, else the locale's."""
    return os.environ.get("SHIMING_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG", "en")


def explain(error: ShimingError, *, as_json: bool) -> None:
    """Print an error for a program (JSON) or for a person (both code and advice in their language)."""
    if as_json:
        typer.echo(json.dumps(error.to_json(), ensure_ascii=False, default=str))
        return
    text, advice = (part.in_language(language()) for part in (error.text, error.advice))
    typer.echo(f"{error.code}: {text} {advice}".rstrip(), err=True)
    for name, value in error.details.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            typer.echo(f"  {name}: {each}", err=True)


def main() -> None:
    """Run the command line; turn typed errors into their exit codes."""
    try:
        app()
    except ShimingError as error:
        explain(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
