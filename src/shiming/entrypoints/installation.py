"""One installation: its settings, clock, data folder, keys, signers, database and object store.

Parts are built on first use and kept. A database that does not exist yet is the only one for which new keys
are made, so that lost keys are noticed and never replaced in silence.
"""

import os
from contextlib import AbstractContextManager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shiming.infrastructure.settings import Settings

if TYPE_CHECKING:  # what a command does not need is not imported: `--help` stays fast
    from sqlalchemy.engine import Connection, Engine

    from shiming.infrastructure.clock import Clock
    from shiming.infrastructure.encryption import KeyProvider
    from shiming.infrastructure.signed_notes import NoteKey, NoteSigner
    from shiming.infrastructure.signing import Signer
    from shiming.privacy.use_cases.tools import PrivacyTools

LEDGER_KEYS_OF_OLD = "ledger-retired.keys"  # one verifier key (C2SP signed-note) a line


class Installation:
    """What every feature stands on."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.language = settings.language

    @cached_property
    def clock(self) -> "Clock":
        """Return the system's clock."""
        from shiming.infrastructure.clock import SystemClock

        return SystemClock()

    def today(self) -> date:
        """Return the day by the machine's own clock and time zone: documents expire by the local calendar."""
        return self.clock.now().astimezone().date()

    @cached_property
    def data_folder(self) -> Path:
        """Return the data folder, created for its owner alone."""
        from shiming.infrastructure.settings import prepare_data_folder

        return prepare_data_folder(self.settings)

    @cached_property
    def keys(self) -> "KeyProvider":
        """Return the installation's keys; new ones are only made where there is no database yet."""
        from shiming.entrypoints.database_schema import may_make_keys
        from shiming.infrastructure.key_choice import key_provider_from

        may_create = may_make_keys(self._database)  # PostgreSQL gets its keys by `db init`
        return key_provider_from(self.settings, os.environ, may_create=may_create)

    @cached_property
    def signer(self) -> "Signer":
        """Return the signer of receipts."""
        from shiming.infrastructure.signing import Ed25519Signer

        return Ed25519Signer.from_file_or_new(self.data_folder / "receipts.ed25519")

    @cached_property
    def ledger_signer(self) -> "NoteSigner":
        """Return the signer of the ledger's checkpoints."""
        from shiming.infrastructure.signed_notes import log_signer
        from shiming.infrastructure.signing import Ed25519Signer

        signer = Ed25519Signer.from_file_or_new(self.data_folder / "ledger.ed25519")
        return log_signer(signer, self.settings.ledger_origin or "")

    @cached_property
    def witness_keys(self) -> "tuple[NoteKey, ...]":
        """The keys by which cosignatures of witnesses are checked; BadInput (NOTE_KEY_FORMAT) for none."""
        from shiming.infrastructure.signed_notes import NoteKey

        return tuple(NoteKey.parse(text) for text in self.settings.ledger_witnesses)

    @cached_property
    def ledger_keys(self) -> "tuple[NoteKey, ...]":
        """Return the keys that verify checkpoints: the present one, and those named as retired."""
        from shiming.infrastructure.signed_notes import NoteKey

        retired = self.data_folder / LEDGER_KEYS_OF_OLD
        lines = retired.read_text(encoding="ascii").split() if retired.exists() else []
        return (self.ledger_signer.key, *(NoteKey.parse(line) for line in lines))

    @cached_property
    def engine(self) -> "Engine":
        """Return the database; an empty SQLite file gets its tables, everything else must be up to date."""
        from shiming.entrypoints.database_schema import may_make_keys, prepare_schema

        _ = self.keys  # before the tables: their absence is what allows new keys
        new = may_make_keys(self._database)
        prepare_schema(self._database, may_create=True)
        if new and not self.privacy.tombstones.path.exists():
            self.privacy.tombstones.append(())  # from now on its absence is a loss
        return self._database

    @cached_property
    def _database(self) -> "Engine":
        from shiming.infrastructure.database import open_database

        _ = self.data_folder
        return open_database(self.settings.database_url)

    def require_keys(self) -> None:
        """Refuse to serve with keys that do not open what is stored."""
        from shiming.infrastructure.database import reading
        from shiming.privacy.use_cases.rotation import require_keks

        with reading(self.engine) as connection:
            require_keks(self.privacy, connection)

    def begin(self) -> "AbstractContextManager[Connection]":
        """Open a transaction that is committed at its end."""
        from shiming.infrastructure.database import unit_of_work

        return unit_of_work(self.engine)

    @cached_property
    def privacy(self) -> "PrivacyTools":
        """Return the evidence vault's and the ledger's tools."""
        from shiming.infrastructure.object_store_choice import object_store_from
        from shiming.infrastructure.tombstone_file import TombstoneFile
        from shiming.privacy.use_cases.tools import PrivacyTools

        return PrivacyTools(
            keys=self.keys,
            objects=object_store_from(self.settings),
            signer=self.signer,
            tombstones=TombstoneFile(self.data_folder / "destroyed-keys.txt"),
        )
