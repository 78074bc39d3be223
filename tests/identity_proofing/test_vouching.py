"""A trusted referee: who may vouch, and that neither they nor a member of staff lets anybody pass alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PilImage
from sqlalchemy.engine import Engine

from shiming.identity_proofing import store
from shiming.identity_proofing.checks.recipe import decide_proofing
from shiming.identity_proofing.held_pieces import HoldingTools
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.model.evidence import Evidence, RefereeEvidence, StaffReview
from shiming.identity_proofing.model.review import Finding, ReviewGround
from shiming.identity_proofing.model.session import Session, SessionState
from shiming.identity_proofing.receipts.replaying import replay_receipt
from shiming.identity_proofing.rules.equal_ways import equal_ways
from shiming.identity_proofing.rules.sessions import begin_session
from shiming.identity_proofing.rules.vouching import Applicant, Voucher, refuse_referee
from shiming.identity_proofing.use_cases import stepwise
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.reviewing import give_finding
from shiming.identity_proofing.use_cases.route_taking import take_other_route
from shiming.identity_proofing.use_cases.steps import Decided
from shiming.identity_proofing.use_cases.vouching import name_referee
from shiming.infrastructure.database import open_database, reading, transact, unit_of_work
from shiming.infrastructure.encryption import InMemoryKeys, KeyUse
from shiming.infrastructure.object_store import FolderObjectStore
from shiming.jurisdictions.model import Channel, CheckName, Policy, Route
from shiming.vocabulary.errors import BadInput
from tests.databases import a_database
from tests.identity_proofing.proofing_builders import NOW, ON, a_policy, changed, evidence_with
from tests.identity_proofing.proofing_desk import FRONT_FIELDS, Desk, a_front
from tests.identity_proofing.proofing_over_http import a_served_desk
from tests.identity_proofing.proofing_over_http import open_session as open_over_http
from tests.infrastructure.http_peers import PROGRAM

OTHER_NUMBER = "110105194912310038"
RULES = a_policy().referee
assert RULES is not None


def a_referee(**changes: Any) -> RefereeEvidence:
    plain = RefereeEvidence(
        "SES-REF", "adult", "sha256:1", NOW - timedelta(hours=1), NOW, "clerk", other_person=True
    )
    return replace(plain, **changes)


def a_review(staff: str, **changes: Any) -> StaffReview:
    return replace(StaffReview(staff, same_person=True, document_genuine=True, at=NOW), **changes)


def vouched(**changes: Any) -> Evidence:
    """Return the evidence of somebody without a clip for whom a referee vouches and another looked."""
    plain = {"route": Route.REFEREE, "clip": None, "face_clip_document": None, "digits": None}
    together = {"challenge": None, "referee": a_referee(), "reviews": (a_review("other"),)}
    return evidence_with(**{**plain, **together, **changes})


# -- the decision -----------------------------------------------------------------------------------


def test_a_referee_and_one_other_person_who_looks_are_enough() -> None:
    assert decide_proofing(vouched(), a_policy()).outcome == "Verified"


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({"referee": None}, "NeedsReview", "REFEREE_ABSENT"),
        ({"reviews": ()}, "NeedsReview", "REVIEW_ABSENT"),
        ({"reviews": (a_review("clerk"),)}, "NeedsReview", "REVIEW_SAME_STAFF"),  # who named the referee
        ({"reviews": (a_review("other", same_person=False),)}, "NotVerified", "REVIEW_REFUSED"),
        ({"referee": a_referee(other_person=False)}, "NotVerified", "REFEREE_IS_APPLICANT"),
        ({"referee": a_referee(other_person=None)}, "NeedsReview", "REFEREE_PERSON_UNKNOWN"),
        ({"referee": a_referee(category="minor")}, "NeedsReview", "REFEREE_NOT_ALLOWED"),
        ({"channel": Channel.ONLINE}, "NeedsReview", "REFEREE_NOT_ALLOWED"),
        ({"referee": a_referee(proven_at=NOW - timedelta(hours=25))}, "NeedsReview", "REFEREE_PROOF_TOO_OLD"),
        ({"referee": a_referee(proven_at=NOW + timedelta(hours=1))}, "NeedsReview", "REFEREE_PROOF_TOO_OLD"),
        ({"authority": None}, "NeedsReview", None),  # nobody stands in for the authority
        ({"document": None}, "Retry", None),
        ({"route": Route.ASSISTED}, "NeedsReview", "REVIEW_SAME_STAFF"),  # a referee counts on their way only
    ],
)
def test_whatever_is_missing_lets_nobody_pass(
    changes: dict[str, Any], outcome: str, code: str | None
) -> None:
    decided = decide_proofing(vouched(**changes), a_policy())
    assert decided.outcome == outcome
    assert code is None or code in {reason.code for reason in decided.reasons}


referees = st.none() | st.builds(
    a_referee, named_by=st.sampled_from("abc"), other_person=st.sampled_from([True, False, None])
)
reviews = st.lists(st.builds(a_review, st.sampled_from("abc"), same_person=st.booleans()), max_size=4)


@given(referees, reviews.map(tuple), st.sampled_from([Route.REFEREE, Route.ASSISTED]))
def test_no_person_alone_lets_anybody_pass(
    referee: RefereeEvidence | None, found: tuple[StaffReview, ...], route: Route
) -> None:
    decided = decide_proofing(vouched(referee=referee, reviews=found, route=route), a_policy())
    looked = {review.staff for review in found}
    if decided.outcome != "Verified":
        return
    assert all(review.same_person for review in found)
    if route is Route.REFEREE:
        assert referee is not None
        assert referee.other_person is True
        assert looked - {referee.named_by}
    else:
        assert len(looked) >= 2


def test_a_pack_without_the_section_lets_nobody_vouch() -> None:
    policy = a_policy().model_copy(update={"referee": None})
    assert decide_proofing(vouched(), policy).outcome == "NeedsReview"
    session = begin_session(
        "SES", policy, channel=Channel.SHOP, route=Route.STANDARD, subject="adult", now=NOW
    )
    assert Route.REFEREE not in {way.route for way in equal_ways(session, policy)}


@pytest.mark.parametrize(("channel", "offered"), [("shop", True), ("agent", True), ("online", False)])
def test_the_way_is_offered_where_the_referee_can_come(channel: str, offered: bool) -> None:
    policy = a_policy()
    session = begin_session(
        "SES", policy, channel=Channel(channel), route=Route.STANDARD, subject="adult", now=NOW
    )
    assert (Route.REFEREE in {way.route for way in equal_ways(session, policy)}) is offered
    clip = evidence_with(channel=Channel(channel), clip=None, attempts={})
    decided = decide_proofing(replace(clip, clip=None), policy)
    assert decided.outcome == "Retry"


# -- who may be named -------------------------------------------------------------------------------


def a_voucher(**changes: Any) -> Voucher:
    plain = Voucher(
        session="SES-REF", category="adult", route=Route.STANDARD, operator="cn-one", outcome="Verified",
        subject="P-2", proven_at=NOW - timedelta(hours=1), challenge_origin="drawn", used_for=None,
        applicants=0,
    )  # fmt: skip
    return replace(plain, **changes)


def an_applicant(evidence: Evidence | None = None, **changes: Any) -> Applicant:
    opened = begin_session(
        "SES-APP", a_policy(), channel=Channel.SHOP, route=Route.REFEREE, subject="adult", now=NOW
    )
    return Applicant(replace(opened, **changes), "cn-one", "P-1", evidence)


def test_a_proven_person_of_age_may_vouch() -> None:
    assert refuse_referee(a_voucher(), an_applicant(), a_policy(), now=NOW) is None


@pytest.mark.parametrize(
    ("voucher", "applicant", "code"),
    [
        ({}, {"state": SessionState.DECIDED}, "SESSION_CLOSED"),
        ({}, {"expires_at": NOW}, "SESSION_EXPIRED"),
        ({}, {"route": Route.ASSISTED}, "REFEREE_NOT_FORESEEN"),
        ({}, {"channel": Channel.ONLINE}, "REFEREE_NOT_FORESEEN"),
        ({"operator": "cn-two"}, {}, "REFEREE_NOT_PROVEN"),
        ({"outcome": "NeedsReview"}, {}, "REFEREE_NOT_PROVEN"),
        ({"subject": None}, {}, "REFEREE_NOT_PROVEN"),
        ({"challenge_origin": "chosen"}, {}, "REFEREE_REHEARSED"),
        ({"proven_at": NOW - timedelta(hours=24, seconds=1)}, {}, "REFEREE_PROOF_TOO_OLD"),
        ({"category": "foreigner"}, {}, "REFEREE_NOT_ALLOWED"),
        ({"route": Route.REFEREE}, {}, "REFEREE_NOT_ALLOWED"),  # nobody vouches who was vouched for
        ({"used_for": "SES-ELSE"}, {}, "REFEREE_SESSION_USED"),
        ({"subject": "P-1"}, {}, "REFEREE_IS_APPLICANT"),
        ({"session": "SES-APP"}, {}, "REFEREE_IS_APPLICANT"),
        ({"applicants": 3}, {}, "REFEREE_LIMIT_REACHED"),
    ],
)
def test_who_may_not_vouch(voucher: dict[str, Any], applicant: dict[str, Any], code: str) -> None:
    named = an_applicant(**applicant)
    assert refuse_referee(a_voucher(**voucher), named, a_policy(), now=NOW) == code


def test_a_no_is_not_washed_away_by_a_referee_and_a_sandbox_takes_rehearsals() -> None:
    against = evidence_with(reviews=(a_review("other", document_genuine=False),))
    assert refuse_referee(a_voucher(), an_applicant(against), a_policy(), now=NOW) == "REFEREE_AFTER_REVIEW"
    rehearsed = a_voucher(challenge_origin="chosen")
    assert refuse_referee(rehearsed, an_applicant(), a_policy(), now=NOW, sandbox=True) is None


# -- in the database --------------------------------------------------------------------------------


class Shop:
    """A shop where people are proven one after the other; `policy` may be changed."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine, self.plain, self.policy = (
            folder,
            engine,
            Desk.open(folder, engine),
            a_policy(),
        )
        PilImage.fromarray(np.full((120, 90, 3), 128, np.uint8)).save(folder / "front.jpg", "JPEG")
        keys = InMemoryKeys({use: {f"{use.value}-1": bytes(32)} for use in KeyUse})
        tools = self.plain.tools
        holding = HoldingTools(FolderObjectStore(folder / "objects"), keys, tools.new_reference)
        self.desk = stepwise.Desk(tools, holding, self.plain.begin, self._policies, ON)

    def _policies(self, pack: str, on: date) -> Policy:
        del pack, on
        return self.policy

    def applicant(self, number: str = FRONT_FIELDS["number"]) -> str:
        self.plain.sees["front.jpg"] = a_front(fields={**FRONT_FIELDS, "number": number})
        wanted = Application(Channel.SHOP, Route.REFEREE, operator="cn-one")
        with unit_of_work(self.engine) as connection:
            session = open_session(self.desk.tools, connection, wanted, self.policy)
        front, back = self.folder / "front.jpg", self.folder / "back.jpg"
        stepwise.take_document(self.desk, session.id, front, back, DeclaredIdentity())
        return session.id

    def referee(self, number: str = OTHER_NUMBER) -> str:
        self.plain.sees["front.jpg"] = a_front(fields={**FRONT_FIELDS, "number": number})
        proven = Application(Channel.SHOP, Route.STANDARD, operator="cn-one")
        decided = self.plain.prove(self.plain.ask(), application=proven)
        assert decided.adjudication.outcome == "Verified"
        return decided.session.id

    def name(self, applicant: str, referee: str, by: str = "clerk") -> Session:
        with unit_of_work(self.engine) as connection:
            return name_referee(self.desk, connection, applicant, referee, named_by=by)

    def find(self, applicant: str, staff: str) -> Decided | None:
        finding = Finding(staff, same_person=True, document_genuine=True, ground=ReviewGround.PERSON_PRESENT)
        return give_finding(self.desk, applicant, finding, self.folder)


@pytest.fixture
def shop(tmp_path: Path, database: Engine) -> Shop:
    return Shop(tmp_path, database)


def test_a_person_is_proven_with_a_referee_and_the_receipt_replays(shop: Shop) -> None:
    applicant, referee = shop.applicant(), shop.referee()
    with pytest.raises(BadInput, match="REVIEW_NOT_AWAITED"):
        shop.find(applicant, "other")
    waiting = shop.name(applicant, referee)
    assert waiting.waiting_since is not None
    assert shop.name(applicant, referee).id == applicant  # the same again
    kinds = [kind for kind, _ in shop.plain.recorded]
    assert kinds.count("proofing.referee_named") == 1
    with pytest.raises(BadInput, match="REFEREE_NAMED_BY_YOU"):
        shop.find(applicant, "clerk")
    decided = shop.find(applicant, "other")
    assert decided is not None
    assert decided.adjudication.outcome == "Verified", decided.adjudication.reasons
    told = decided.receipt["evidence"]["referee"]
    assert (told["session"], told["other_person"]) == (referee, True)
    assert replay_receipt(decided.receipt, shop.policy).same
    with reading(shop.engine) as connection:
        used = store.find_decided_session(connection, referee)
    assert used is not None
    assert used.consumed_by == applicant


def test_nobody_looks_before_the_referee_and_nobody_vouches_for_themselves(shop: Shop) -> None:
    applicant = shop.applicant()
    with unit_of_work(shop.engine) as connection:
        take_other_route(shop.desk, connection, applicant, Route.ASSISTED)
        take_other_route(shop.desk, connection, applicant, Route.REFEREE)
    with pytest.raises(BadInput, match="REFEREE_FIRST"):
        shop.find(applicant, "other")
    shop.name(applicant, shop.referee(FRONT_FIELDS["number"]))  # who the applicant is was not decided yet
    decided = shop.find(applicant, "other")
    assert decided is not None
    assert decided.adjudication.outcome == "NotVerified"
    assert "REFEREE_IS_APPLICANT" in {reason.code for reason in decided.adjudication.reasons}


def test_a_referee_vouches_for_few_and_a_proof_serves_one(shop: Shop) -> None:
    shop.policy = changed(shop.policy, "referee", applicants_max=1)
    first, second, proof = shop.applicant(), shop.applicant("110105194912310054"), shop.referee()
    shop.name(first, proof)
    with pytest.raises(BadInput, match="REFEREE_SESSION_USED"):
        shop.name(second, proof)
    again = shop.referee()
    with pytest.raises(BadInput, match="REFEREE_LIMIT_REACHED"):
        shop.name(second, again)
    shop.name(first, again)  # the same applicant is no other one


def test_two_at_once_count_each_other(shop: Shop) -> None:
    shop.policy = changed(shop.policy, "referee", applicants_max=1)
    pairs = [
        (shop.applicant(number), shop.referee()) for number in ("110105194912310054", OTHER_NUMBER[:-1] + "9")
    ]
    ready = Barrier(len(pairs))

    def name(pair: tuple[str, str]) -> str:
        ready.wait(20)
        try:
            transact(
                shop.engine,
                lambda connection: name_referee(shop.desk, connection, *pair, named_by="clerk"),
            )
        except BadInput as refused:
            return refused.code
        return "named"

    with ThreadPoolExecutor(len(pairs)) as pool:
        assert sorted(pool.map(name, pairs)) == ["REFEREE_LIMIT_REACHED", "named"]


def test_another_document_forgets_the_referee_who_may_vouch_again(shop: Shop) -> None:
    applicant, referee = shop.applicant(), shop.referee()
    shop.name(applicant, referee)
    (shop.folder / "front2.jpg").write_bytes((shop.folder / "front.jpg").read_bytes() + b".")
    shop.plain.sees["front2.jpg"] = a_front()
    paths = shop.folder / "front2.jpg", shop.folder / "back.jpg"
    stepwise.take_document(shop.desk, applicant, *paths, DeclaredIdentity())
    with reading(shop.engine) as connection:
        evidence = store.find_evidence(connection, applicant)
    assert evidence is not None
    assert evidence.referee is None
    shop.name(applicant, referee)


def test_what_a_pack_may_not_say() -> None:
    from shiming.jurisdictions.policy_consistency import inconsistencies  # noqa: PLC0415 - this test alone

    policy = a_policy()
    way = policy.routes[Route.REFEREE]
    alone = dict.fromkeys(way.checks_replaced.value, CheckName.TRUSTED_REFEREE)
    only = way.model_copy(update={"checks_replaced": way.checks_replaced.model_copy(update={"value": alone})})
    bad = policy.model_copy(update={"routes": {**policy.routes, Route.REFEREE: only}})
    assert any("assisted_review" in problem for problem in inconsistencies(bad))
    without = policy.model_copy(update={"referee": None})
    assert any("together" in problem for problem in inconsistencies(without))
    unknown = changed(policy, "referee", categories=("nobody",))
    assert any("referee.categories" in problem for problem in inconsistencies(unknown))


# -- over HTTP --------------------------------------------------------------------------------------


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        a_database("sqlite", tmp_path / "database") as url,
        a_served_desk(tmp_path, open_database(url)) as (_, client),
    ):
        yield client


def test_the_route_refuses_in_words_and_takes_no_program(http: httpx.Client) -> None:
    applicant = open_over_http(http, route="referee")
    referee = open_over_http(http)
    path = f"/v1/proofing-sessions/{applicant}/referee"
    answer = http.put(path, json={"session": referee})
    assert (answer.status_code, answer.json()["code"]) == (409, "REFEREE_NOT_PROVEN")
    program = {"authorization": f"Bearer {PROGRAM}"}
    assert http.put(path, json={"session": referee}, headers=program).status_code == 403
    assert http.put(path, json={"session": "SES-0000"}).status_code == 404
    online = http.post("/v1/proofing-sessions", json={"channel": "online", "route": "referee"})
    assert online.json()["code"] == "REFEREE_NOT_FORESEEN"
