"""The pack without biometrics, from the picture of a document to the vault: three fields, nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.entrypoints.demo import sandbox_settings
from shiming.entrypoints.evidence_keeping import as_far_as_kept
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.commands import connector
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.sandbox_authority.faults import Faults
from shiming.identity_proofing.sandbox_authority.population import PersonRecord
from shiming.identity_proofing.sandbox_authority.server import serving
from shiming.identity_proofing.sandbox_authority.service import SandboxAuthority
from shiming.identity_proofing.use_cases import challenges, proving
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.infrastructure.database import reading
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import Channel, Route
from shiming.privacy.model import EvidenceKind, IdentityRecord
from shiming.privacy.use_cases.vault import list_metadata
from shiming.vocabulary.errors import BadInput
from tests.entrypoints.whole_sessions import CASES, SPECIMENS, outcome, recognition

PASSPORT = CASES["documents"]["passport_td3.jpg"]["fields"]
APPLICATION = challenges.Application(Channel.ONLINE, Route.STANDARD, "foreigner", "mx-example")


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    made = Platform(replace(sandbox_settings(tmp_path), pack="mx"))
    made.recognition = recognition()
    with made.engine.begin() as connection:
        schema.create_all(connection)
    return made


def submission(platform: Platform, *, clip: Path | None = None) -> proving.Submission:
    return proving.Submission(
        application=APPLICATION,
        on=platform.today(),
        document=SPECIMENS / "documents" / "passport_td3.jpg",
        clip=clip,
    )


def proven(platform: Platform) -> Decided:
    number = PASSPORT["document_number"]
    record = PersonRecord(number=number, name=f"{PASSPORT['surname']} {PASSPORT['given_names']}")
    authority = SandboxAuthority(
        population={number: record},
        compare=lambda _sent, _record: pytest.fail("a portrait was sent"),
        today=lambda: platform.today().isoformat(),
        token=None,
        faults=Faults(),
    )
    policy = platform.policy("", platform.today())
    with serving(authority) as address:
        port = connector(address, policy)
        assert port is not None
        try:
            return proving.prove(platform.proofing_tools(port), platform.begin, submission(platform), policy)
        finally:
            port.close()


@pytest.mark.models
def test_three_fields_of_the_identity_are_kept_and_no_picture(platform: Platform) -> None:
    decided = proven(platform)
    assert outcome(decided) == "Verified"
    with reading(platform.engine) as connection:
        kept = list_metadata(connection, case_reference=decided.session.id)
    assert [each.kind for each in kept] == [EvidenceKind.IDENTITY_RECORD]


def test_an_address_is_not_kept_though_it_was_read(platform: Platform) -> None:
    policy = platform.policy("", platform.today())
    read = ClaimedIdentity(document_type="passport", number="X1", name="ANNA", address="1 Main Street")
    assert as_far_as_kept(read, policy.retention) == IdentityRecord("passport", "X1", "ANNA", "")
    everything = platform.policy("cn", platform.today())
    assert as_far_as_kept(read, everything.retention).address == "1 Main Street"


def test_a_clip_is_refused_before_anything_is_measured(platform: Platform, tmp_path: Path) -> None:
    policy = platform.policy("", platform.today())
    asked = submission(platform, clip=tmp_path / "clip.mp4")
    with pytest.raises(BadInput, match="LIVE_EVIDENCE_NOT_ASKED"):
        proving.prove(platform.proofing_tools(), platform.begin, asked, policy)
    with platform.begin() as connection:
        tools = platform.proofing_tools()
        session = challenges.open_session(tools, connection, APPLICATION, policy)
        with pytest.raises(BadInput, match="LIVE_EVIDENCE_NOT_ASKED"):
            challenges.give_challenge(tools, connection, session, policy, Language.ENGLISH)
        left = connection.execute(sa.text("SELECT count(*) FROM proofing_challenges")).scalar_one()
    assert left == 0
