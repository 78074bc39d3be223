"""A vault and a ledger on real files, and policies that say only what a test needs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.engine import Engine

import shiming.entrypoints.schema
from shiming.infrastructure.database import open_database, unit_of_work
from shiming.infrastructure.encryption import KeyProvider, subject_pseudonym
from shiming.infrastructure.key_file import open_key_file
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.settings import Settings, prepare_data_folder
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tables import schema
from shiming.infrastructure.tombstone_file import TombstoneFile
from shiming.jurisdictions.model import ClockStart, Confidence, RetentionPolicy, RetentionRule
from shiming.privacy.use_cases.tools import PrivacyTools

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def a_retention_rule(period: str, clock: ClockStart) -> RetentionRule:
    cited = {"citation": "order25:11", "confidence": Confidence.SECONDARY, "since": date(2013, 9, 1)}
    return RetentionRule.model_validate(
        {"period": {"value": period, **cited}, "clock": {"value": clock, **cited}}
    )


def a_retention_policy() -> RetentionPolicy:
    service = a_retention_rule("P2Y", ClockStart.SERVICE_END)
    decision = a_retention_rule("P0D", ClockStart.DECISION)
    return RetentionPolicy(
        identity=service,
        document_images=service,
        portrait=service,
        clip=decision,
        audio=decision,
        face_templates=decision,
        access_log=a_retention_rule("P3Y", ClockStart.ACCESS),
    )


@dataclass(frozen=True)
class Vault:
    settings: Settings
    engine: Engine
    keys: KeyProvider
    tools: PrivacyTools

    def subject(self, number: str = "11010519491231002X") -> str:
        return subject_pseudonym(self.keys, "cn_resident_number", number)

    def bytes_on_disk(self) -> bytes:
        """Everything in the data folder and of a SQLite database, except the key file; names included."""
        folders = {self.settings.data_folder}
        if self.engine.dialect.name == "sqlite":
            folders.add(Path(str(self.engine.url.database)).parent)
        files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        return b"".join(
            path.name.encode() + path.read_bytes() for path in files if path != self.settings.key_file
        )


def a_vault(folder: Path, url: str | None = None) -> Vault:
    """A vault in `folder`, on the database at `url`; without one on a SQLite file of its own.

    Whoever opens one on PostgreSQL closes it (`vault.engine.dispose()`); the fixture `vault` does.
    """
    settings = Settings.from_environment({"SHIMING_DATA": str(folder / "data")})
    prepare_data_folder(settings)
    keys = open_key_file(settings.key_file, may_create=True)
    engine = open_database(url or settings.database_url)
    if url is None:
        assert shiming.entrypoints.schema.TABLES  # every feature's tables are in the schema
        with unit_of_work(engine) as connection:
            schema.create_all(connection)
    tools = PrivacyTools(
        keys=keys,
        objects=FolderObjectStore(settings.objects_folder),
        signer=Ed25519Signer.from_seed(bytes(32)),
        tombstones=TombstoneFile(settings.data_folder / "destroyed-keys.txt"),
    )
    return Vault(settings, engine, keys, tools)
