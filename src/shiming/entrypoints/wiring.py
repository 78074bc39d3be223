"""The only place that builds objects: settings, recognition tools, policy, stores, use cases."""

import os
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiming.entrypoints.installation import Installation
from shiming.infrastructure.settings import Settings

if TYPE_CHECKING:  # what a command does not need is not imported: `--help` stays fast
    from sqlalchemy.engine import Connection

    from shiming.accounts.asking import HttpGatekeeper, KnownCaller
    from shiming.accounts.use_cases.token_keys import TokenKeys
    from shiming.accounts.use_cases.tools import AccountTools
    from shiming.entrypoints.recognition_tools import Recognition
    from shiming.identity_proofing.ports import AuthorityPort
    from shiming.identity_proofing.sandbox_authority.verification import Comparer
    from shiming.identity_proofing.use_cases.tools import ProofingTools
    from shiming.infrastructure.job_queue.worker import WorkerTools
    from shiming.infrastructure.webhooks.destinations import Destinations
    from shiming.jurisdictions.model import Policy
    from shiming.jurisdictions.pack_reader import Pack
    from shiming.jurisdictions.scenarios import Topics
    from shiming.recognition.inference import InferenceObserver
    from shiming.registrations.model.registration import RegistrationPolicy
    from shiming.registrations.use_cases.hot_path import Registrar
    from shiming.registrations.use_cases.notices import NoticeTools
    from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools
    from shiming.registrations.use_cases.tools import RegistrationTools
    from shiming.transfers.use_cases.tools import TransferTools


def platform_from_environment() -> "Platform":
    """Build the platform that the environment describes."""
    return Platform(Settings.from_environment(os.environ))


class Platform(Installation):
    """Everything wired for one installation; parts are built on first use and kept."""

    def __init__(self, settings: Settings, observer: "InferenceObserver | None" = None) -> None:
        super().__init__(settings)
        self._observer = observer
        self._packs: dict[str, Pack] = {}
        self._registration_policy: tuple[date, RegistrationPolicy] | None = None

    @property
    def default_pack(self) -> str:
        """Return the name of the pack whose rules this installation follows."""
        return self.settings.pack

    @cached_property
    def recognition(self) -> "Recognition":
        """Return the recognition engines."""
        from shiming.entrypoints.recognition_tools import Recognition

        return Recognition(self._observer)

    def pack(self, name: str) -> "Pack":
        """Return a policy pack (empty: the installation's own), read once; BadInput for an unknown one.

        The installation's own may be a folder; it is then known by the name that it gives itself too.
        """
        from shiming.jurisdictions.pack_reader import read_pack

        if not self._packs:
            own = read_pack(self.default_pack)
            self._packs = {"": own, self.default_pack: own, own.id: own}
        if name not in self._packs:
            self._packs[name] = read_pack(name)
        return self._packs[name]

    def policy(self, pack: str, on: date) -> "Policy":
        """Return the rules of a pack on a day."""
        from shiming.jurisdictions.pack_reader import policy_on

        return policy_on(self.pack(pack), on)

    def proofing_tools(self, authority: "AuthorityPort | None" = None) -> "ProofingTools":
        """Return the tools of identity proofing with this authority; None: none is asked."""
        from shiming.entrypoints.evidence_keeping import VaultKeeper
        from shiming.entrypoints.pictures import jpeg
        from shiming.identity_proofing.connectors.fake import NullAuthority
        from shiming.identity_proofing.use_cases.tools import ProofingTools, RehearsedChallenge
        from shiming.recognition.images import read_image

        seen = self.recognition
        return ProofingTools(
            read_document=lambda picture: seen.document(picture, today=self.today()),
            measure_clip=seen.clip,
            measure_portrait=seen.portrait,
            compare_faces=seen.compare,
            measure_digits=seen.digits,
            encode_jpeg=jpeg,
            read_picture=read_image,
            authority=authority or NullAuthority(),
            clock=self.clock,
            signer=self.signer,
            pseudonym=self._pseudonym,
            record=self._record,
            keeper=VaultKeeper(self),
            program=f"shiming {version('shiming')}",
            rehearsed=RehearsedChallenge.parse(self.settings.sandbox_challenge),
        )

    def portrait_comparer(self) -> "Comparer":
        """Return how the sandbox authority compares a portrait that was sent with its own of that person."""
        thresholds = self.policy(self.default_pack, self.today()).thresholds
        recognition = self.recognition
        template_on_record = lru_cache(maxsize=64)(recognition.picture)  # an authority has its templates

        def shows_the_person(sent: bytes, on_record: Path) -> bool:
            votes = recognition.compare(recognition.picture(sent), template_on_record(on_record))
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
    def notices(self) -> "NoticeTools":
        """Return how holders are told something: into the log, while no channel is connected."""
        from shiming.registrations.connectors.log_notices import LogNotices
        from shiming.registrations.use_cases.notices import NoticeTools

        return NoticeTools(self.privacy, LogNotices(), self.settings.public_url)

    def read_organisation_code(self, code: str) -> str:
        """Return a code of the public register of organisations in its one form; raise BadInput."""
        from shiming.entrypoints.organisation_codes import read_organisation_code

        scheme = self.policy(self.default_pack, self.today()).enterprise.code_scheme
        return read_organisation_code(scheme.value if scheme else None, code)

    @cached_property
    def registrar(self) -> "Registrar":
        """Return what registers lines for a server; `await registrar.close()` when it stops."""
        from shiming.registrations.use_cases.hot_path import open_registrar

        return open_registrar(self.registrations, self.engine)

    @property
    def registration_policy(self) -> "RegistrationPolicy":
        """Return today's rules of registration; a server that runs past midnight takes up the new day's."""
        from shiming.registrations.model.registration import RegistrationPolicy

        today = self.today()
        if self._registration_policy is None or self._registration_policy[0] != today:
            header = self.pack(self.default_pack).header
            policy = RegistrationPolicy.of(
                self.policy(self.default_pack, today),
                number_regions=header.number_regions,
                time_zone=header.time_zone,
            )
            self._registration_policy = today, policy
        return self._registration_policy[1]

    @cached_property
    def transfers(self) -> "TransferTools":
        """Return the tools of transfers."""
        from shiming.entrypoints.transfer_tools import transfer_tools

        return transfer_tools(self)

    @property
    def scenario_topics(self) -> "Topics":
        """Return what the scenarios of packs can be about."""
        from shiming.entrypoints.law.topics import all_topics

        return all_topics()

    # -- accounts --------------------------------------------------------------------------------

    @cached_property
    def accounts(self) -> "AccountTools":
        """Return the tools of accounts; every sign-in and permission change is a leaf of the ledger."""
        from shiming.accounts.connectors.openid_provider import OpenIdProvider
        from shiming.accounts.use_cases.tools import AccountSettings, AccountTools
        from shiming.privacy.use_cases.ledger import record

        def write(connection: "Connection", **leaf: Any) -> object:
            return record(connection, self.keys, **leaf)

        settings = AccountSettings.from_environment(os.environ)
        return AccountTools(
            record=write,
            keys=self.keys,
            clock=self.clock,
            settings=settings,
            provider=OpenIdProvider(settings.provider) if settings.provider else None,
        )

    @cached_property
    def token_keys(self) -> "TokenKeys":
        """Return the keys that sign access tokens."""
        from shiming.accounts.use_cases.token_keys import TokenKeys

        return TokenKeys(self.accounts, self.engine)

    @cached_property
    def gatekeeper(self) -> "HttpGatekeeper":
        """Return who knows callers and what they may do."""
        from shiming.accounts.asking import HttpGatekeeper
        from shiming.accounts.use_cases.gatekeeper import Gatekeeper

        inner = Gatekeeper(self.accounts, self.engine, self.token_keys)
        return HttpGatekeeper(inner, cookies_secure=self.accounts.settings.cookies_secure)

    def sign_in_staff(self, user_name: str, password: str) -> "KnownCaller":
        """Return who acts at a terminal; raise BadInput when that is nobody."""
        return self.gatekeeper.sign_in_staff(user_name, password)

    def operator_name(self, operator: str) -> str:
        """Return the name of an operator as image copies show it; its code where no name is set."""
        return self.settings.operator_names.get(operator) or operator or "Shiming"

    # -- jobs ------------------------------------------------------------------------------------

    @cached_property
    def destinations(self) -> "Destinations":
        """Return where webhooks may go: https to public addresses and to networks that the settings name."""
        from shiming.infrastructure.webhooks.destinations import Destinations

        return Destinations(loopback=self.settings.sandbox, networks=self.settings.webhook_networks)

    @cached_property
    def provisioning(self) -> "ProvisioningTools":
        """Return the tools of provisioning: orders go to the BSS that operators have named."""
        from shiming.registrations.connectors.bss import TmfBss
        from shiming.registrations.use_cases.provisioning_tools import ProvisioningTools

        return ProvisioningTools(
            registrations=self.registrations,
            engine=self.engine,
            clock=self.clock,
            bss=TmfBss(self.destinations),
            policy=lambda: self.policy(self.default_pack, self.today()),
            public_url=self.settings.public_url,
        )

    @cached_property
    def worker_tools(self) -> "WorkerTools":
        """Return the worker with every feature's jobs."""
        from shiming.entrypoints.jobs_of_features import worker_of

        return worker_of(self)

    def worker_heartbeat(self) -> "datetime | None":
        """Return when a worker last gave a sign of life."""
        from shiming.infrastructure.database import reading
        from shiming.infrastructure.job_queue.presence import workers_seen

        with reading(self.engine) as connection:
            seen = workers_seen(connection, now=self.clock.now())
        return max((each.seen_at for each in seen), default=None)

    def _pseudonym(self, document_type: str, number: str) -> str:
        from shiming.infrastructure.encryption import subject_pseudonym

        # documents that carry one and the same number have one type of it: one person, one cap
        kinds = self.policy(self.default_pack, self.today()).authority.identifier_types.value
        return subject_pseudonym(self.keys, kinds.get(document_type, document_type).lower(), number)

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
