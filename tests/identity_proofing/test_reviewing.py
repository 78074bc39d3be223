"""Two people who look: the queue, one picture at a time on record, findings; and other ways."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage
from sqlalchemy.engine import Connection, Engine

from shiming.entrypoints.pictures import jpeg
from shiming.identity_proofing import held_pieces, store
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.model.evidence import StaffReview
from shiming.identity_proofing.model.review import Finding, ReviewGround
from shiming.identity_proofing.model.session import EvidenceKind, Session, SessionState
from shiming.identity_proofing.rules.equal_ways import equal_ways
from shiming.identity_proofing.rules.reviewing import enough_looked, refuse_finding
from shiming.identity_proofing.rules.sessions import (
    attempts_max,
    begin_session,
    take_route,
    wait_for_people,
)
from shiming.identity_proofing.use_cases import stepwise
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.discarding import discard_held
from shiming.identity_proofing.use_cases.review_pictures import Look, LookTools, open_picture
from shiming.identity_proofing.use_cases.reviewing import (
    give_finding,
    list_waiting,
    review_case,
    reviewer_of,
)
from shiming.identity_proofing.use_cases.route_taking import take_other_route
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.infrastructure.signing import Ed25519Signer
from shiming.infrastructure.tombstone_file import TombstoneFile
from shiming.jurisdictions.model import Channel, Policy, Route
from shiming.privacy.model import AccessRequest, Purpose
from shiming.privacy.use_cases.access_log import list_accesses
from shiming.privacy.use_cases.copies import Marking
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.recognition.measurements import Image
from shiming.vocabulary.errors import BadInput
from tests.identity_proofing.proofing_builders import NOW, ON, a_policy
from tests.identity_proofing.proofing_desk import NUMBER, Desk

ONE, TWO = reviewer_of("person-1"), reviewer_of("person-2")
GREY = np.full((120, 90, 3), 128, np.uint8)


@dataclass
class Shop:
    """A desk with a session that holds a document, and who may look at it."""

    desk: stepwise.Desk
    plain: Desk
    privacy: PrivacyTools
    session: str
    engine: Engine

    def take(self, route: Route) -> Session:
        with unit_of_work(self.engine) as connection:
            return take_other_route(self.desk, connection, self.session, route)

    def look(self, picture: str, purpose: Purpose = Purpose.ASSISTED_REVIEW) -> bytes:
        tools = LookTools(self.privacy, _frames)
        request = AccessRequest("ACC-clerk", purpose, self.session)
        return open_picture(self.desk, tools, Look(self.session, picture, request, Marking("Example", ON)))

    def find(self, staff: str, room: Path, **changes: Any) -> Decided | None:
        finding = Finding(staff, same_person=True, document_genuine=True, ground=ReviewGround.FEATURES_AGREE)
        return give_finding(self.desk, self.session, replace(finding, **changes), room)

    def stored(self) -> Session:
        with reading(self.engine) as connection:
            return store.get_session(connection, self.session)

    def waiting(self, **narrowed: Any) -> list[str]:
        with reading(self.engine) as connection:
            asked = {"operator": "cn-one", "limit": 10, **narrowed}
            found = list_waiting(connection, self.plain.clock.now(), **asked)
        return [each.session_id for each in found]


def _frames(clip: bytes, shares: Sequence[float]) -> Sequence[Image]:
    assert clip
    return [GREY] * len(shares)


@pytest.fixture
def shop(tmp_path: Path, database: Engine) -> Shop:
    plain = Desk.open(tmp_path, database)
    keys = InMemoryKeys({use: {f"{use.value}-1": bytes(32)} for use in KeyUse})
    objects = FolderObjectStore(tmp_path / "objects")
    privacy = PrivacyTools(
        keys, objects, Ed25519Signer.from_seed(bytes(32)), TombstoneFile(tmp_path / "destroyed.txt")
    )
    tools = replace(plain.tools, encode_jpeg=jpeg)

    def policies(pack: str, on: date) -> Policy:
        del pack, on
        return a_policy()

    holding = HoldingTools(objects, keys, tools.new_reference)
    desk = stepwise.Desk(tools, holding, plain.begin, policies, ON)
    with unit_of_work(database) as connection:
        session = open_session(
            tools, connection, Application(Channel.SHOP, Route.STANDARD, operator="cn-one"), a_policy()
        )
    PilImage.fromarray(GREY).save(tmp_path / "front.jpg", "JPEG")
    stepwise.take_document(
        desk, session.id, tmp_path / "front.jpg", tmp_path / "back.jpg", DeclaredIdentity()
    )
    return Shop(desk, plain, privacy, session.id, database)


# -- another way ------------------------------------------------------------------------------------


def test_who_asks_for_people_waits_for_them_for_their_time(shop: Shop) -> None:
    assert shop.waiting() == []
    taken = shop.take(Route.ASSISTED)
    hours = a_policy().time_limits.review_hours_max.value
    assert taken.expires_at == shop.plain.clock.now() + timedelta(hours=hours)
    assert shop.waiting() == [shop.session]
    assert shop.waiting(operator="cn-two") == []
    assert shop.waiting(route=Route.STANDARD) == []
    assert [kind for kind, _ in shop.plain.recorded][-1] == "proofing.route_taken"
    shop.plain.clock.forward(hours=2)  # long after a session without people would be over
    assert discard_held(shop.desk.holding, shop.desk.begin, shop.plain.clock.now()) == 0
    assert shop.look("document")


def test_choosing_a_way_is_no_attempt_and_tells_no_reason(shop: Shop) -> None:
    before = shop.stored()
    taken = shop.take(Route.DIGITS_TAPPED)
    assert taken.attempts == before.attempts
    assert taken.state is before.state
    assert set(shop.plain.recorded[-1][1]) == {"session", "route"}


def test_a_closed_session_takes_no_way(shop: Shop) -> None:
    shop.plain.clock.forward(hours=30)
    with pytest.raises(BadInput, match="SESSION_EXPIRED"):
        shop.take(Route.ASSISTED)


routes = st.sampled_from(list(a_policy().routes))


@given(st.lists(routes, max_size=12), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5))
def test_going_back_and_forth_gives_no_attempts(path: list[Route], clip: int, digits: int, docs: int) -> None:
    policy, fresh = a_policy(), a_policy().attempts.on_other_route
    assert fresh is not None
    session = begin_session(
        "SES", policy, channel=Channel.SHOP, route=Route.STANDARD, subject="adult", now=NOW
    )
    used = {EvidenceKind.CLIP: clip, EvidenceKind.DIGITS: digits, EvidenceKind.DOCUMENT: docs}
    session = replace(session, attempts=used)
    given = 0
    for route in path:
        after = take_route(session, route, policy)
        assert after.attempts_at(EvidenceKind.DOCUMENT) == docs
        for kind in (EvidenceKind.CLIP, EvidenceKind.DIGITS):
            assert after.attempts_at(kind) <= session.attempts_at(kind)
        if after.route is not session.route and route not in session.routes:
            left = attempts_max(policy, EvidenceKind.CLIP) - after.attempts_at(EvidenceKind.CLIP)
            assert left >= min(fresh.value, attempts_max(policy, EvidenceKind.CLIP))
        given += session.attempts_at(EvidenceKind.CLIP) - after.attempts_at(EvidenceKind.CLIP)
        session = replace(after, attempts={**after.attempts, EvidenceKind.CLIP: 3})
    assert given <= fresh.value * (len(policy.routes) - 1)


def test_every_way_is_open_after_all_attempts_of_one() -> None:
    session = begin_session(
        "SES", a_policy(), channel=Channel.SHOP, route=Route.STANDARD, subject="adult", now=NOW
    )
    tired = replace(session, attempts=dict.fromkeys(EvidenceKind, 9))
    ways = {way.route: way for way in equal_ways(tired, a_policy())}
    assert [route for route, way in ways.items() if not way.open] == [Route.STANDARD]
    assert ways[Route.ASSISTED].by_people
    assert len({way.level for way in ways.values()}) == 1


def test_people_are_waited_for_once() -> None:
    session = begin_session(
        "SES", a_policy(), channel=Channel.SHOP, route=Route.ASSISTED, subject="adult", now=NOW
    )
    waiting = wait_for_people(session, a_policy(), NOW)
    assert wait_for_people(waiting, a_policy(), NOW + timedelta(hours=5)) == waiting


# -- pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", ["document", "portrait"])
def test_one_picture_is_opened_marked_and_on_record(shop: Shop, picture: str) -> None:
    shop.take(Route.ASSISTED)
    copy = shop.look(picture)
    with PilImage.open(io.BytesIO(copy)) as shown:
        assert shown.format == "JPEG"
        assert len(np.unique(np.asarray(shown.convert("L")))) > 30  # a mark lies on the plain grey
    subject = shop.desk.tools.pseudonym("resident_id", NUMBER)
    with reading(shop.engine) as connection:
        (access,) = list_accesses(connection, subject, shop.plain.clock.now())
        assert held_pieces.list_present(connection, shop.session)[picture] == access.evidence_id
    assert (access.actor, access.purpose, access.case_reference) == (
        "ACC-clerk",
        Purpose.ASSISTED_REVIEW,
        shop.session,
    )


def test_no_picture_before_people_are_asked_nor_for_another_purpose(shop: Shop) -> None:
    with pytest.raises(BadInput, match="REVIEW_NOT_AWAITED"):
        shop.look("document")
    shop.take(Route.ASSISTED)
    for picture, purpose in (
        ("identity", Purpose.ASSISTED_REVIEW),
        ("clip", Purpose.ASSISTED_REVIEW),
        ("best_frame", Purpose.ASSISTED_REVIEW),  # no clip was given
        ("frame_1", Purpose.ASSISTED_REVIEW),
        ("document", Purpose.LAWFUL_REQUEST),
    ):
        with pytest.raises(BadInput, match="REVIEW_PICTURE_UNKNOWN"):
            shop.look(picture, purpose)
    with reading(shop.engine) as connection:
        subject = shop.desk.tools.pseudonym("resident_id", NUMBER)
        assert list_accesses(connection, subject, shop.plain.clock.now()) == ()


# -- findings ---------------------------------------------------------------------------------------


def test_two_people_decide_and_one_person_twice_does_not(shop: Shop, tmp_path: Path) -> None:
    shop.take(Route.ASSISTED)
    assert shop.find(ONE, tmp_path) is None
    assert shop.find(ONE, tmp_path) is None  # the same person, perhaps by another account
    assert shop.stored().state is not SessionState.DECIDED
    decided = shop.find(TWO, tmp_path)
    assert decided is not None
    assert decided.adjudication.outcome == "Verified"
    assert shop.waiting() == []
    with pytest.raises(BadInput, match="REVIEW_NOT_AWAITED"):
        shop.look("document")
    kinds = [kind for kind, _ in shop.plain.recorded]
    assert kinds.count("proofing.reviewed") == 3


def test_one_no_is_looked_at_by_a_second_person(shop: Shop, tmp_path: Path) -> None:
    shop.take(Route.ASSISTED)
    no = {"same_person": False, "ground": ReviewGround.OTHER_PERSON}
    assert shop.find(ONE, tmp_path, **no) is None
    decided = shop.find(TWO, tmp_path)
    assert decided is not None
    assert decided.adjudication.outcome == "NotVerified"


def test_another_document_forgets_what_people_found_in_the_first(shop: Shop, tmp_path: Path) -> None:
    shop.take(Route.ASSISTED)
    shop.find(ONE, tmp_path)
    PilImage.fromarray(GREY + 9).save(tmp_path / "front.jpg", "JPEG")
    stepwise.take_document(
        shop.desk, shop.session, tmp_path / "front.jpg", tmp_path / "back.jpg", DeclaredIdentity()
    )
    assert shop.find(TWO, tmp_path) is None


def test_a_case_shows_figures_and_not_who_said_what(shop: Shop, tmp_path: Path) -> None:
    shop.take(Route.ASSISTED)
    shop.find(ONE, tmp_path)
    with reading(shop.engine) as connection:
        case = review_case(shop.desk, connection, shop.session)
    assert case.looked_already(ONE)
    assert not case.looked_already(TWO)
    assert "document" in case.pieces
    assert ONE not in repr(replace(case, evidence=replace(case.evidence, reviews=())))
    assert case.adjudication.outcome == "NeedsReview"


grounds = st.sampled_from(list(ReviewGround))


@given(st.booleans(), st.booleans(), grounds)
def test_a_ground_says_what_the_answers_say(same: bool, genuine: bool, ground: ReviewGround) -> None:
    session = begin_session(
        "SES", a_policy(), channel=Channel.SHOP, route=Route.ASSISTED, subject="adult", now=NOW
    )
    waiting = wait_for_people(session, a_policy(), NOW)
    finding = Finding("a", same, genuine, ground)
    refused = refuse_finding(waiting, finding, NOW)
    assert (refused is None) is (ground.is_for is (same and genuine))
    assert refuse_finding(session, finding, NOW) == "REVIEW_NOT_AWAITED"
    assert refuse_finding(waiting, finding, waiting.expires_at) is not None


@given(st.lists(st.sampled_from("abc"), max_size=6))
def test_people_count_once(names: list[str]) -> None:
    reviews = [StaffReview(name, same_person=True, document_genuine=True, at=NOW) for name in names]
    assert enough_looked(reviews, a_policy()) is (len(set(names)) >= 2)


def test_the_queue_goes_page_by_page(shop: Shop) -> None:
    shop.take(Route.ASSISTED)
    first = shop.stored()

    def another(connection: Connection, name: str, minutes: int) -> None:
        later = shop.plain.clock.now() + timedelta(minutes=minutes)
        waiting = replace(
            first, id=name, waiting_since=later, opened_at=later, expires_at=later + timedelta(hours=9)
        )
        store.add_session(connection, waiting, "cn-one")

    with unit_of_work(shop.engine) as connection:
        another(connection, "SES-B", 2)
        another(connection, "SES-A", 1)
    assert shop.waiting() == [shop.session, "SES-A", "SES-B"]
    assert shop.waiting(limit=1) == [shop.session]
    assert shop.waiting(after=(first.waiting_since, shop.session)) == ["SES-A", "SES-B"]
