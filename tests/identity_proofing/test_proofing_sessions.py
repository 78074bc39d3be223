"""The session as a state machine: whatever happens to it in whatever order."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shiming.identity_proofing.model.session import (
    AuthorityAsked,
    DecisionTaken,
    EvidenceGiven,
    EvidenceKind,
    Session,
    SessionEvent,
    SessionLeft,
    SessionState,
    StepRefused,
)
from shiming.identity_proofing.rules.sessions import attempts_max, begin_session, decide_step
from shiming.jurisdictions.model import Channel, Route
from tests.identity_proofing.proofing_builders import NOW, a_policy


def a_session() -> Session:
    return begin_session(
        "SES-1", a_policy(), channel=Channel.SHOP, route=Route.STANDARD, subject="adult", now=NOW
    )


class Sessions(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.session = a_session()
        self.now = NOW
        self.given: dict[EvidenceKind, list[str]] = {kind: [] for kind in EvidenceKind}

    def happens(self, event: SessionEvent) -> Session | StepRefused:
        before = self.session
        result = decide_step(before, event, a_policy(), self.now)
        self.session = result.session if isinstance(result, StepRefused) else result
        if before.state.is_final:
            assert self.session == before
            assert result == StepRefused("SESSION_CLOSED", before)
        return result

    @rule(kind=st.sampled_from(list(EvidenceKind)), mark=st.sampled_from("abcdef"))
    def evidence(self, kind: EvidenceKind, mark: str) -> None:
        before = self.session
        result = self.happens(EvidenceGiven(kind, mark))
        if isinstance(result, Session):
            if before.fingerprints.get(kind) == mark:
                assert result == before
            else:
                self.given[kind].append(mark)
                assert result.state is not SessionState.CREATED

    @rule()
    def authority(self) -> None:
        before = self.session.state
        result = self.happens(AuthorityAsked())
        if before is SessionState.CREATED and self.now < self.session.expires_at:
            assert isinstance(result, StepRefused)
            assert result.code == "STEP_OUT_OF_ORDER"

    @rule(final=st.booleans())
    def decision(self, final: bool) -> None:
        result = self.happens(DecisionTaken(final=final))
        if isinstance(result, Session):
            assert (result.state is SessionState.DECIDED) is final

    @rule()
    @precondition(lambda self: sum(map(len, self.given.values())) > 5)
    def left(self) -> None:
        self.happens(SessionLeft())

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @invariant()
    def attempts_are_counted_and_limited(self) -> None:
        for kind in EvidenceKind:
            assert self.session.attempts_at(kind) == len(self.given[kind]) <= attempts_max(a_policy(), kind)

    @invariant()
    def nothing_happens_after_its_time(self) -> None:
        if self.now >= self.session.expires_at and not self.session.state.is_final:
            result = decide_step(self.session, AuthorityAsked(), a_policy(), self.now)
            assert isinstance(result, StepRefused)
            assert (result.code, result.session.state) == ("SESSION_EXPIRED", SessionState.EXPIRED)


TestSessions = Sessions.TestCase


def test_the_usual_way() -> None:
    session: Session | StepRefused = a_session()
    states = []
    for event in (
        EvidenceGiven(EvidenceKind.DOCUMENT, "d"),
        EvidenceGiven(EvidenceKind.CLIP, "c"),
        EvidenceGiven(EvidenceKind.DIGITS, "x"),
        AuthorityAsked(),
        DecisionTaken(final=True),
    ):
        assert isinstance(session, Session)
        session = decide_step(session, event, a_policy(), NOW)
        assert isinstance(session, Session)
        states.append(session.state.value)
    assert states == ["document", "live_evidence", "live_evidence", "authority", "decided"]


@pytest.mark.parametrize("kind", [EvidenceKind.CLIP, EvidenceKind.DIGITS])
def test_live_evidence_waits_for_the_document(kind: EvidenceKind) -> None:
    assert decide_step(a_session(), EvidenceGiven(kind, "x"), a_policy(), NOW) == StepRefused(
        "STEP_OUT_OF_ORDER", a_session()
    )


def test_leaving_abandons() -> None:
    left = decide_step(a_session(), SessionLeft(), a_policy(), NOW)
    assert isinstance(left, Session)
    assert left.state is SessionState.ABANDONED
