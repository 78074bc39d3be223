"""Installations, each with a folder and a database of its own, for the commands of `shiming db`."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.entrypoints.database_commands import app
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import open_database, unit_of_work
from shiming.infrastructure.key_file import open_key_file
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.settings import Settings
from shiming.infrastructure.signed_notes import NoteKey, NoteSigner
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tombstone_file import TombstoneFile
from shiming.privacy.model import (
    AccessRequest,
    EvidenceContent,
    EvidenceErased,
    EvidenceRef,
    EvidenceUnknown,
    IdentityRecord,
    Purpose,
)
from shiming.privacy.use_cases.access_log import look
from shiming.privacy.use_cases.erasure import erase_evidence, erasing
from shiming.privacy.use_cases.sealing import seal_ledger
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import put_identity
from tests.databases import a_postgresql_database
from tests.entrypoints.postgresql_programs import POSTGRESQL_PROGRAMS
from tests.privacy.builders import a_retention_policy

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
CASE = "SES-0081-0G3G-50C7-1"
PERSON = IdentityRecord("resident_id", "11010519491231002X", "张三", "北京市朝阳区")


@dataclass(frozen=True)
class Installation:
    """What the commands get as their platform, built without the wiring."""

    settings: Settings
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    language: str = "en"

    @property
    def privacy(self) -> PrivacyTools:
        return PrivacyTools(
            keys=open_key_file(self.settings.key_file, may_create=False),
            objects=FolderObjectStore(self.settings.objects_folder),
            signer=self.signer,
            tombstones=TombstoneFile(self.settings.data_folder / "destroyed-keys.txt"),
        )

    @property
    def signer(self) -> Ed25519Signer:
        return Ed25519Signer.from_file_or_new(self.settings.data_folder / "receipts.ed25519")

    @property
    def ledger_signer(self) -> NoteSigner:
        key = Ed25519Signer.from_file_or_new(self.settings.data_folder / "ledger.ed25519")
        return NoteSigner("example.org/shiming", key)

    @property
    def ledger_keys(self) -> tuple[NoteKey, ...]:
        return (self.ledger_signer.key,)


@dataclass(frozen=True)
class Desk:
    """An installation and somebody who types commands."""

    installation: Installation

    @cached_property
    def engine(self) -> Engine:
        return open_database(self.installation.settings.database_url)

    @property
    def folder(self) -> Path:
        return self.installation.settings.data_folder

    def run(self, *arguments: str, programs: Path | None = POSTGRESQL_PROGRAMS) -> Result:
        environment = {"SHIMING_PG_BIN": str(programs) if programs else None}
        return CliRunner().invoke(app, list(arguments), obj=lambda: self.installation, env=environment)

    def keep(self) -> EvidenceRef:
        tools = self.installation.privacy
        with unit_of_work(self.engine) as connection:
            return put_identity(
                tools,
                connection,
                subject="p1.somebody",
                case_reference=CASE,
                identity=PERSON,
                retention=a_retention_policy(),
                now=NOW,
                operator="cn-mobile",
            )

    def read(self, evidence_id: str) -> EvidenceContent | EvidenceErased | EvidenceUnknown:
        request = AccessRequest(actor="ACC-1", purpose=Purpose.DISPUTE, case_reference=CASE)
        with unit_of_work(self.engine) as connection:
            return look(self.installation.privacy, connection, evidence_id, request, now=NOW)

    def erase(self, evidence_id: str) -> None:
        tools = self.installation.privacy
        with erasing(tools, self.engine) as connection:
            erase_evidence(tools, connection, evidence_id, why="asked_for", actor="ACC-1", now=NOW)

    def seal(self) -> None:
        seal_ledger(
            self.engine,
            self.installation.privacy.keys,
            self.installation.ledger_signer,
            self.installation.clock,
        )


@contextmanager
def a_desk(kind: str, folder: Path, *, keys_of: Desk | None = None) -> Iterator[Desk]:
    """A fresh installation; `keys_of`: with the key files and tombstones of another, and no objects."""
    folder.mkdir(mode=0o700)
    if keys_of:
        for file in keys_of.folder.iterdir():
            if file.is_file() and not file.name.startswith(("shiming.db", ".")):
                shutil.copy(file, folder)
    with a_postgresql_database() if kind == "postgresql" else nullcontext("") as url:
        environment = {"SHIMING_DATA": str(folder), "SHIMING_DATABASE_URL": url}
        desk = Desk(Installation(Settings.from_environment(environment)))
        try:
            yield desk
        finally:
            desk.engine.dispose()
