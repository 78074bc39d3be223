from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions.model import ProductClass
from shiming.jurisdictions.pack_reader import policy_on, read_pack
from shiming.registrations.errors.registration import RefusalCode
from shiming.registrations.model.registration import (
    CapReached,
    NumberFree,
    NumberRefused,
    ProvenSession,
    RegistrationPolicy,
    SessionNotUsable,
    SessionUsable,
    WithinCap,
)
from shiming.registrations.rules.line_cap import decide_line_cap
from shiming.registrations.rules.number_free import decide_number_free
from shiming.registrations.rules.session_usable import decide_session_usable
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.refusals import Refusal
from tests.privacy.builders import NOW
from tests.registrations.builders import (
    a_line_cap_policy,
    a_number,
    a_registration_policy,
    a_session,
)

POLICY = a_registration_policy()


@given(st.integers(0, 12), st.integers(0, 8))
def test_active_lines_and_remaining_ones_make_the_cap(active: int, cap: int) -> None:
    outcome = decide_line_cap(active, a_line_cap_policy(cap))
    if active < cap:
        assert outcome == WithinCap(remaining=cap - active)
    else:
        assert isinstance(outcome, CapReached)
        assert outcome.active == active
        assert outcome.citation


def decide(session: ProvenSession | None, *, sandbox: bool = False) -> SessionUsable | SessionNotUsable:
    return decide_session_usable(session, operator="cn-mobile", policy=POLICY, sandbox=sandbox, now=NOW)


def test_a_fresh_verified_session_is_usable() -> None:
    assert decide(a_session()) == SessionUsable(
        subject="p1.someone", level="ial2", receipt_hash="sha256:" + "1" * 64, rehearsal=False
    )
    assert isinstance(decide(replace(a_session(), operator="cn-mobile")), SessionUsable)
    assisted = replace(a_session(), challenge_origin=None)
    assert isinstance(decide(assisted), SessionUsable)
    oldest = replace(a_session(), decided_at=NOW - POLICY.session_age_max)
    assert isinstance(decide(oldest), SessionUsable)


@pytest.mark.parametrize(
    ("session", "code"),
    [
        (None, RefusalCode.SESSION_UNKNOWN),
        (replace(a_session(), outcome="NeedsReview"), RefusalCode.SESSION_NOT_VERIFIED),
        (replace(a_session(), outcome="verified"), RefusalCode.SESSION_NOT_VERIFIED),
        (replace(a_session(), subject=None), RefusalCode.SESSION_NOT_VERIFIED),
        (replace(a_session(), decided_at=None), RefusalCode.SESSION_NOT_VERIFIED),
        (replace(a_session(), consumed_by="TRF-1"), RefusalCode.SESSION_CONSUMED),
        (
            replace(a_session(), decided_at=NOW - POLICY.session_age_max - timedelta(seconds=1)),
            RefusalCode.SESSION_TOO_OLD,
        ),
        (replace(a_session(), decided_at=NOW + timedelta(seconds=1)), RefusalCode.SESSION_TOO_OLD),
        (replace(a_session(), operator="cn-unicom"), RefusalCode.SESSION_OF_OTHER_OPERATOR),
        (replace(a_session(), challenge_origin="chosen"), RefusalCode.CHALLENGE_CHOSEN),
    ],
)
def test_each_reason_refuses_alone(session: ProvenSession | None, code: RefusalCode) -> None:
    assert decide(session) == SessionNotUsable((Refusal(code, POLICY.session_citation),))


def test_all_reasons_come_together() -> None:
    bad = ProvenSession(
        "SES-1", "Retry", None, "p1.x", NOW - timedelta(days=1), "chosen", None, "other", "REG-1"
    )
    outcome = decide(bad)
    assert isinstance(outcome, SessionNotUsable)
    assert [refusal.code for refusal in outcome.refusals] == [
        RefusalCode.SESSION_NOT_VERIFIED,
        RefusalCode.SESSION_CONSUMED,
        RefusalCode.SESSION_TOO_OLD,
        RefusalCode.SESSION_OF_OTHER_OPERATOR,
        RefusalCode.CHALLENGE_CHOSEN,
    ]


def test_a_chosen_challenge_is_a_rehearsal_in_the_sandbox() -> None:
    outcome = decide(replace(a_session(), challenge_origin="chosen"), sandbox=True)
    assert isinstance(outcome, SessionUsable)
    assert outcome.rehearsal


def test_a_number_is_free_in_its_region_when_nobody_holds_it() -> None:
    german = Msisdn.parse("+4915112345678")
    assert decide_number_free(a_number(), None, POLICY) == NumberFree()
    assert decide_number_free(german, None, a_registration_policy(regions=())) == NumberFree()
    taken = decide_number_free(a_number(), "REG-1", POLICY)
    assert isinstance(taken, NumberRefused)
    assert taken.refusal.code is RefusalCode.NUMBER_TAKEN
    foreign = decide_number_free(german, "REG-1", POLICY)
    assert isinstance(foreign, NumberRefused)
    assert foreign.refusal.code is RefusalCode.NUMBER_INVALID


def test_the_chinese_pack_has_all_that_registration_needs() -> None:
    policy = RegistrationPolicy.of(policy_on(read_pack("cn"), NOW.date()), number_regions=("CN",))
    cap = policy.cap_of(ProductClass.VOICE)
    assert cap is not None
    assert cap.policy.lines_per_holder_max.value == 5
    assert cap.scope_of("cn-mobile") == "operator:cn-mobile"
    assert policy.session_age_max > timedelta()
    assert policy.pack_hash.startswith("sha256:")


@pytest.mark.parametrize("code", list(RefusalCode))
def test_every_refusal_speaks_to_everyone_in_both_languages(code: RefusalCode) -> None:
    spoken = Refusal(code, "order25:6").to_json()
    assert spoken["code"] == code.value
    for reader in ("clerk", "subscriber", "next_step"):
        assert spoken[reader]["zh"]
        assert spoken[reader]["en"]
        assert spoken[reader]["en"].isascii()
