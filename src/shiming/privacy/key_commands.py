"""`shiming kek`: the keys that wrap the data keys of all evidence - see them, add one, move over to it."""

# ruff: noqa: PLC0415 - commands import what they need when they run: --help stays fast
import json
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from shiming.vocabulary.errors import Text

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from shiming.infrastructure.clock import Clock
    from shiming.infrastructure.settings import Settings
    from shiming.privacy.use_cases.tools import PrivacyTools

kek = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Key-encryption keys: list them, make a new one, re-wrap all data keys by it."
    "\n\nExample: shiming kek new && shiming kek rotate",
)
app = kek

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


class KeyPlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it."""

    @property
    def settings(self) -> "Settings": ...  # noqa: D102 - named by its type
    @property
    def engine(self) -> "Engine": ...  # noqa: D102
    @property
    def privacy(self) -> "PrivacyTools": ...  # noqa: D102
    @property
    def clock(self) -> "Clock": ...  # noqa: D102
    @property
    def language(self) -> str: ...  # noqa: D102


@kek.command("list")
def list_command(context: typer.Context, as_json: AsJson = False) -> None:
    """List the key-encryption keys, and how many data keys each one wraps.

    Example: shiming kek list
    """
    from dataclasses import asdict

    from shiming.infrastructure.database import reading
    from shiming.privacy.use_cases.rotation import list_keks

    platform: KeyPlatform = context.obj()
    with reading(platform.engine) as connection:
        found = list_keks(platform.privacy, connection)
    if as_json:
        typer.echo(json.dumps({"keks": [asdict(state) for state in found]}))
        return
    words = {
        "present": Text(zh="当前", en="wraps new data keys"),
        "older": Text(zh="仅解密", en="only unwraps"),
        "lost": Text(zh="缺失！", en="MISSING: its data cannot be read"),
    }
    for state in found:
        word = words["lost" if not state.known else "present" if state.present else "older"]
        typer.echo(f"{state.kek_id:10} {state.data_keys:10} {word.in_language(platform.language)}")


@kek.command()
def new(context: typer.Context, as_json: AsJson = False) -> None:
    """Make a new key-encryption key the present one; the older ones then only unwrap.

    Copy the key file to its safe place before `shiming kek rotate`. Example: shiming kek new
    """
    from shiming.infrastructure.database import unit_of_work
    from shiming.infrastructure.key_choice import add_key_encryption_key
    from shiming.privacy.use_cases.rotation import record_new_kek

    platform: KeyPlatform = context.obj()
    name = add_key_encryption_key(platform.settings, platform.privacy.keys)
    with unit_of_work(platform.engine) as connection:
        record_new_kek(platform.privacy, connection, name, now=platform.clock.now())
    if as_json:
        typer.echo(json.dumps({"kek": name}))
        return
    said = Text(
        zh=f"新密钥 {name} 已启用。请先备份密钥，再执行 shiming kek rotate。",
        en=f"{name} wraps new data keys now. Copy the keys to their safe place, then: shiming kek rotate",
    )
    typer.echo(said.in_language(platform.language))


@kek.command()
def rotate(context: typer.Context, as_json: AsJson = False) -> None:
    """Wrap every data key by the present key-encryption key, while everybody works.

    A run that was stopped is continued by the next. Example: shiming kek rotate
    """
    from shiming.privacy.use_cases.rotation import rotate_keks

    platform: KeyPlatform = context.obj()
    if as_json:
        done = rotate_keks(platform.privacy, platform.engine, clock=platform.clock.now)
        typer.echo(json.dumps({"rewrapped": done}))
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("data keys", total=None)
        done = rotate_keks(
            platform.privacy,
            platform.engine,
            clock=platform.clock.now,
            progress=lambda done, left: bar.update(task, completed=done, total=done + left),
        )
    said = Text(zh=f"已重新加密 {done} 个数据密钥。", en=f"{done} data keys are wrapped by the present key.")
    typer.echo(said.in_language(platform.language))
