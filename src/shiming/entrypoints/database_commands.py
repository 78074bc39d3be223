"""`shiming db`: make the database, bring it up to date, examine it, back it up and restore it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from shiming.infrastructure.clock import Clock
from shiming.infrastructure.settings import Settings, prepare_data_folder
from shiming.infrastructure.signed_notes import NoteKey, NoteSigner
from shiming.infrastructure.signing import Signer
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import BadInput, Text

if TYPE_CHECKING:  # SQLAlchemy is not needed for --help
    from sqlalchemy.engine import Engine

REFUSED = 1

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The database: create, check, back up.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
BackupFile = Annotated[Path, typer.Argument(help="File of the backup.", dir_okay=False)]


class DatabasePlatform(Protocol):
    """What these commands need of the wired program; `context.obj()` returns it. None opens the database."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102 - named by its type
    @property
    def language(self) -> str: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102
    @property
    def privacy(self) -> PrivacyTools: ...  # noqa: D102
    @property
    def signer(self) -> Signer: ...  # noqa: D102
    @property
    def ledger_signer(self) -> NoteSigner: ...  # noqa: D102
    @property
    def ledger_keys(self) -> tuple[NoteKey, ...]:
        """Every key that signed checkpoints of this ledger, the retired ones too."""
        ...


@app.command()
def init(context: typer.Context, as_json: AsJson = False) -> None:
    """Make data folder, keys and tables; what is there already is left as it is.

    Example: shiming db init
    """
    from shiming.entrypoints.database_schema import MIGRATIONS, NEWEST_REVISION
    from shiming.infrastructure.key_choice import key_provider_from
    from shiming.infrastructure.migrations import find_revision

    platform: DatabasePlatform = context.obj()
    settings = platform.settings
    prepare_data_folder(settings)
    with _database(settings, may_be_new=True) as engine:
        # keys are only made for a database that has nothing yet: new ones would hide the loss of the old
        key_provider_from(settings, os.environ, may_create=find_revision(engine) is None)
        tombstones = platform.privacy.tombstones
        _ = platform.signer, platform.ledger_signer  # their key files are made by looking at them
        created = MIGRATIONS.create(engine)
    if created and not tombstones.path.exists():
        tombstones.append(())  # from now on its absence is a loss
    facts = {
        "created": created,
        "revision": NEWEST_REVISION,
        "data_folder": str(settings.data_folder),
        "ledger_key": platform.ledger_signer.key.text,
    }
    done = Text(zh="已初始化。", en="Initialised.")
    before = Text(zh="早已初始化，未作任何改动。", en="Initialised before; nothing was changed.")
    _tell(platform, facts, done if created else before, as_json=as_json)


@app.command()
def upgrade(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the database of an older version up to date, in one transaction. Back it up first.

    Example: shiming db upgrade
    """
    from shiming.entrypoints.database_schema import MIGRATIONS

    platform: DatabasePlatform = context.obj()
    with _database(platform.settings) as engine:
        before, after = MIGRATIONS.upgrade(engine)
    text = (
        Text(zh=f"已是最新版本 {after}。", en=f"It is up to date already ({after}).")
        if before == after
        else Text(zh=f"已从 {before} 升级到 {after}。", en=f"Upgraded from {before} to {after}.")
    )
    _tell(platform, {"before": before, "after": after}, text, as_json=as_json)


@app.command()
def check(
    context: typer.Context,
    objects: Annotated[
        bool, typer.Option("--objects", help="Look for every object too; may be slow.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Examine database, schema and keys; exit code 1 when something is wrong. Nothing is changed.

    Example: shiming db check --objects
    """
    from shiming.entrypoints.database_checks import check_database

    platform: DatabasePlatform = context.obj()
    with _database(platform.settings) as engine:
        answers = list(check_database(engine, platform.privacy, objects=objects))
    well = all(answer.well for answer in answers)
    if as_json:
        listed = [{"check": one.question, "well": one.well, "found": one.found} for one in answers]
        typer.echo(json.dumps({"well": well, "checks": listed}, ensure_ascii=False))
    else:
        for answer in answers:
            typer.echo(f"{'ok  ' if answer.well else 'BAD '} {answer.question:<11} {answer.found}")
    raise typer.Exit(0 if well else REFUSED)


@app.command()
def backup(context: typer.Context, file: BackupFile, as_json: AsJson = False) -> None:
    """Write a backup of the database while the others go on; objects and keys are copied apart.

    Example: shiming db backup /backups/2026-05-01.shiming
    """
    from shiming.entrypoints.database_backups import Store, back_up

    platform: DatabasePlatform = context.obj()
    program, now = f"shiming {version('shiming')}", platform.clock.now()
    with _database(platform.settings) as engine, _progress(quiet=as_json) as progress:
        store = Store(engine, platform.privacy, os.environ)
        manifest = back_up(store, file, program=program, now=now, progress=progress)
    facts = {
        "file": str(file),
        "engine": manifest.engine,
        "revision": manifest.revision,
        "size": manifest.size,
    }
    text = Text(zh=f"备份已写入 {file}。", en=f"The backup is written to {file}.")
    _tell(platform, {**facts, "sha256": manifest.sha256}, text, as_json=as_json)


@app.command()
def restore(
    context: typer.Context,
    file: BackupFile,
    without_tombstones: Annotated[
        bool, typer.Option("--without-tombstones", help="Nothing was erased since; there is no such file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty database; erased people stay erased, the ledger is verified.

    Copy the key file and the file of destroyed keys into the data folder first.
    Example: shiming db restore /backups/2026-05-01.shiming
    """
    from shiming.entrypoints.database_backups import Store
    from shiming.entrypoints.database_backups import restore as restore_into
    from shiming.infrastructure.key_choice import key_provider_from
    from shiming.privacy.model import LedgerVerified
    from shiming.privacy.use_cases.verifying import verify_ledger

    platform: DatabasePlatform = context.obj()
    settings = platform.settings
    prepare_data_folder(settings)
    key_provider_from(settings, os.environ, may_create=False)  # the keys of the backup, or nothing happens
    if not without_tombstones and not platform.privacy.tombstones.path.exists():
        raise _no_tombstones(platform.privacy.tombstones.path)
    with _database(settings, may_be_new=True) as engine:
        with _progress(quiet=as_json) as progress:
            store = Store(engine, platform.privacy, os.environ)
            restored = restore_into(store, file, now=platform.clock.now(), progress=progress)
        found = verify_ledger(engine, platform.privacy.keys, platform.ledger_keys)
    verified = isinstance(found, LedgerVerified)
    facts = {
        "taken_at": restored.manifest.taken_at.isoformat(),
        "keys_destroyed_again": restored.keys_destroyed,
        "ledger_verified": verified,
    }
    _tell(platform, facts, _RESTORED if verified else _RESTORED_BROKEN, as_json=as_json)
    raise typer.Exit(0 if verified else REFUSED)


_RESTORED = Text(zh="已恢复，账本完整。", en="Restored; the ledger is whole.")
_RESTORED_BROKEN = Text(
    zh="已恢复，但账本不完整；请运行 shiming ledger verify。",
    en="Restored, but the ledger is not whole: run shiming ledger verify.",
)


@contextmanager
def _database(settings: Settings, *, may_be_new: bool = False) -> "Iterator[Engine]":
    """Open the database as it is, whatever its revision; only `may_be_new` leaves a new file behind."""
    from sqlalchemy.engine import make_url

    from shiming.infrastructure.database import open_database
    from shiming.infrastructure.migrations import not_initialised

    url = settings.database_url
    if url.startswith("sqlite") and not may_be_new and not Path(make_url(url).database or "").exists():
        raise not_initialised()
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _no_tombstones(path: Path) -> BadInput:
    return BadInput(
        "TOMBSTONES_MISSING",
        Text(
            zh=f"缺少已销毁密钥的文件 {path}。",
            en=f"The file of destroyed keys, {path}, is missing.",
        ),
        Text(
            zh="请从其备份复制；没有它，已删除人员的材料会重新可读。确无删除时可加 --without-tombstones。",
            en="Copy it there: without it, erased people would be readable again. "
            "If nothing was erased since the backup, say --without-tombstones.",
        ),
    )


def _tell(platform: DatabasePlatform, facts: dict[str, Any], text: Text, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(text.in_language(platform.language))
    for name, value in facts.items():
        typer.echo(f"  {name.replace('_', ' ')}: {value}")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Give a function that shows how far something is."""
    if quiet:
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeElapsedColumn

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
