"""The only place that builds objects: settings, recognition tools, policy, stores, use cases."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from shiming.infrastructure.settings import Settings

if TYPE_CHECKING:  # what a command does not need is not imported: `--help` stays fast
    from sqlalchemy.engine import Connection, Engine

    from shiming.entrypoints.recognition_tools import Recognition
    from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
    from shiming.identity_proofing.ports import AuthorityPort
    from shiming.identity_proofing.sandbox_authority.verification import Comparer
    from shiming.identity_proofing.use_cases.tools import ProofingTools
    from shiming.infrastructure.clock import Clock
    from shiming.infrastructure.encryption import KeyProvider
    from shiming.infrastructure.signing import Signer
    from shiming.jurisdictions.model import Policy
    from shiming.jurisdictions.pack_reader import Pack
    from shiming.privacy.use_cases.tools import PrivacyTools
    from shiming.recognition.inference import InferenceObserver
    from shiming.registrations.model import RegistrationPolicy
    from shiming.registrations.use_cases.tools import RegistrationTools

DEFAULT_PACK = "cn"
#: Documents that carry one and the same number: their holder is one person with one cap.
NUMBER_KINDS = {
    "resident_id": "cn_resident_number",
    "temporary_resident_id": "cn_resident_number",
    "household_register": "cn_resident_number",
}


def platform_from_environment() -> "Platform":
    """Build the platform that the environment describes."""
    return Platform(Settings.from_environment(os.environ))


class Platform:
    """Everything wired for one installation; parts are built on first use and kept."""

    def __init__(self, settings: Settings, observer: "InferenceObserver | None" = None) -> None:
        self.settings = settings
        self.language = settings.language
        self._observer = observer
        self._packs: dict[str, Pack] = {}

    @cached_property
    def clock(self) -> "Clock":
        """Return the system's clock."""
        from shiming.infrastructure.clock import SystemClock

        return SystemClock()

    def today(self) -> date:
        """Return the day by the machine's own clock and time zone: documents expire by the local calendar."""
        return self.clock.now().astimezone().date()

    @cached_property
    def recognition(self) -> "Recognition":
        """Return the recognition engines."""
        from shiming.entrypoints.recognition_tools import Recognition

        return Recognition(self._observer)

    def pack(self, name: str) -> "Pack":
        """Return a policy pack, read once; raises `BadInput` for an unknown one."""
        from shiming.jurisdictions.pack_reader import read_pack

        if name not in self._packs:
            self._packs[name] = read_pack(name)
        return self._packs[name]

    def policy(self, pack: str, on: date) -> "Policy":
        """Return the rules of a pack on a day."""
        from shiming.jurisdictions.pack_reader import policy_on

        return policy_on(self.pack(pack), on)

    # -- storage and keys ----------------------------------------------------------------------

    @cached_property
    def data_folder(self) -> Path:
        """Return the data folder, created for its owner alone."""
        from shiming.infrastructure.settings import prepare_data_folder

        return prepare_data_folder(self.settings)

    @cached_property
    def keys(self) -> "KeyProvider":
        """Return the installation's keys; new ones are only made where there is no database yet."""
        from shiming.infrastructure.key_file import open_key_file

        database = self.data_folder / "shiming.db"
        return open_key_file(self.settings.key_file, may_create=not database.exists())

    @cached_property
    def signer(self) -> "Signer":
        """Return the signer of receipts."""
        from shiming.infrastructure.signing import Ed25519Signer

        return Ed25519Signer.from_file_or_new(self.data_folder / "receipts.ed25519")

    @cached_property
    def engine(self) -> "Engine":
        """Return the database with all tables."""
        import shiming.entrypoints.schema  # every table is known before any is made
        from shiming.infrastructure.database import create_tables, open_database
        from shiming.infrastructure.tables import schema

        _ = self.keys  # before the database: its absence is what allows new keys
        engine = open_database(self.settings.database_url)
        create_tables(engine, schema)
        return engine

    def begin(self) -> "AbstractContextManager[Connection]":
        """Open a transaction that is committed at its end."""
        from shiming.infrastructure.database import unit_of_work

        return unit_of_work(self.engine)

    # -- features ------------------------------------------------------------------------------

    @cached_property
    def privacy(self) -> "PrivacyTools":
        """Return the evidence vault's and the ledger's tools."""
        from shiming.infrastructure.object_store import FolderObjectStore
        from shiming.privacy.use_cases.tools import PrivacyTools

        return PrivacyTools(keys=self.keys, objects=FolderObjectStore(self.settings.objects_folder))

    def proofing_tools(self, authority: "AuthorityPort | None" = None) -> "ProofingTools":
        """Return the tools of identity proofing with this authority; None: none is asked."""
        from shiming.entrypoints.pictures import jpeg
        from shiming.identity_proofing.connectors.fake import NullAuthority
        from shiming.identity_proofing.use_cases.tools import ProofingTools

        seen = self.recognition
        return ProofingTools(
            read_document=lambda picture: seen.document(picture, today=self.today()),
            measure_clip=seen.clip,
            measure_portrait=seen.portrait,
            compare_faces=seen.compare,
            measure_digits=seen.digits,
            encode_jpeg=jpeg,
            authority=authority or NullAuthority(),
            clock=self.clock,
            signer=self.signer,
            pseudonym=self._pseudonym,
            record=self._record,
            keep_evidence=self._keep_evidence,
            program=f"shiming {version('shiming')}",
        )

    def portrait_comparer(self) -> "Comparer":
        """Return how the sandbox authority compares a portrait that was sent with its own of that person."""
        thresholds = self.policy(DEFAULT_PACK, self.today()).thresholds
        recognition = self.recognition

        def shows_the_person(sent: bytes, on_record: Path) -> bool:
            votes = recognition.compare(recognition.picture(sent), recognition.picture(on_record))
            second = votes.second_similarity
            return (
                votes.similarity >= thresholds.face_similarity_min.value
                and second is not None
                and second >= thresholds.face_second_similarity_min.value
            )

        return shows_the_person

    @cached_property
    def registrations(self) -> "RegistrationTools":
        """Return the tools of registration."""
        from shiming.registrations.use_cases.tools import RegistrationTools

        return RegistrationTools(
            privacy=self.privacy,
            signer=self.signer,
            sandbox=self.settings.sandbox,
        )

    @cached_property
    def registration_policy(self) -> "RegistrationPolicy":
        """Return today's rules of registration."""
        from shiming.jurisdictions.pack_reader import policy_on, read_pack
        from shiming.registrations.model import RegistrationPolicy

        pack = read_pack(DEFAULT_PACK)
        return RegistrationPolicy.of(policy_on(pack, self.today()), number_regions=pack.header.number_regions)

    def _pseudonym(self, document_type: str, number: str) -> str:
        from shiming.infrastructure.encryption import subject_pseudonym

        return subject_pseudonym(self.keys, NUMBER_KINDS.get(document_type, document_type), number)

    def _record(
        self,
        connection: "Connection",
        *,
        kind: str,
        facts: Mapping[str, str | int | bool | None],
        operator: str,
    ) -> None:
        from shiming.privacy.use_cases.ledger import record

        record(connection, self.keys, kind=kind, facts=facts, now=self.clock.now(), operator=operator)

    def _keep_evidence(
        self,
        connection: "Connection",
        *,
        session_id: str,
        subject: str,
        identity: "ClaimedIdentity",
        files: Mapping[str, Path],
    ) -> None:
        """Keep a decided case under the retention rules of the session's own pack."""
        from shiming.identity_proofing.store import get_session
        from shiming.privacy.model import EvidenceKind, IdentityRecord
        from shiming.privacy.use_cases.cases import keep_case

        kinds = {
            "document": EvidenceKind.DOCUMENT_FRONT,
            "document_back": EvidenceKind.DOCUMENT_BACK,
            "clip": EvidenceKind.CLIP,
            "digits": EvidenceKind.AUDIO,
        }
        now = self.clock.now()
        pack = get_session(connection, session_id).pack_id
        keep_case(
            self.privacy,
            connection,
            subject=subject,
            case_reference=session_id,
            identity=IdentityRecord(
                document_type=identity.document_type,
                number=identity.number or "",
                name=identity.name or "",
                address=identity.address or "",
            ),
            files={kinds[name]: file for name, file in files.items()},
            retention=self.policy(pack, self.today()).retention,
            decided_at=now,
        )
