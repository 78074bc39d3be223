"""The principal of a proxy says "not mine": the rule, and what follows over a real database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.database import reading, transact
from shiming.jurisdictions.model import StopReason
from shiming.privacy.jobs import erase_due
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.vault import list_metadata
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.notices import NoticeState
from shiming.registrations.model.orders import RepresentativeRole
from shiming.registrations.model.repudiation import (
    CodeGiven,
    LineRepudiated,
    Means,
    Repudiation,
    RepudiationFacts,
    RepudiationRefused,
    RepudiationState,
)
from shiming.registrations.rules.repudiation import (
    CODE_ATTEMPTS_MAX,
    decide_repudiation,
    decide_repudiation_decision,
)
from shiming.registrations.store.lines import find_line
from shiming.registrations.store.notices import find_about
from shiming.registrations.use_cases import repudiation
from shiming.registrations.use_cases.following import follow_termination
from shiming.registrations.use_cases.notices import NoticeTools, send_due_notices
from shiming.registrations.use_cases.repudiation import Spoken
from shiming.registrations.use_cases.stops import line_status
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_session
from tests.registrations.people_builders import PeopleDesk, a_people_desk, codes, days, the_policy
from tests.registrations.test_notices import KeepingChannel

FORMER = Repudiation("RPD-1", "REG-1", "op-one", "p1.x", Means.CODE, RepudiationState.OPEN, NOW)
GOOD = RepudiationFacts(
    operator="op-one",
    line_id="REG-1",
    holder="p1.x",
    line_ended=False,
    registered_at=NOW - timedelta(days=3),
    role=RepresentativeRole.PROXY,
    session=a_session("SES-9", subject="p1.x"),
    session_named=True,
)
BY_CODE = replace(GOOD, session=None, session_named=False, code=CodeGiven(right=True, attempts=4))


def of_session(**changes: Any) -> RepudiationFacts:
    return replace(GOOD, session=replace(a_session("SES-9", subject="p1.x"), **changes))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (GOOD, []),
        (BY_CODE, []),
        (replace(GOOD, role=None), ["REPUDIATION_NOT_BY_PROXY"]),
        (replace(GOOD, role=RepresentativeRole.GUARDIAN), ["REPUDIATION_NOT_BY_PROXY"]),
        (replace(GOOD, former=FORMER), ["REPUDIATED_ALREADY"]),
        (replace(GOOD, former=FORMER, line_ended=True), ["REPUDIATED_ALREADY"]),
        (replace(GOOD, line_ended=True), ["REPUDIATION_LINE_TERMINATED"]),
        (replace(GOOD, registered_at=NOW - timedelta(days=31)), ["REPUDIATION_LATE"]),
        (replace(GOOD, session=None), ["PRINCIPAL_PROOF_NOT_VERIFIED"]),
        (of_session(outcome="Retry"), ["PRINCIPAL_PROOF_NOT_VERIFIED"]),
        (of_session(subject=None), ["PRINCIPAL_PROOF_NOT_VERIFIED"]),
        (of_session(decided_at=None), ["PRINCIPAL_PROOF_NOT_VERIFIED"]),
        (of_session(decided_at=NOW - timedelta(hours=2)), ["PRINCIPAL_PROOF_TOO_OLD"]),
        (of_session(operator="op-two"), ["PRINCIPAL_PROOF_OF_OTHER_OPERATOR"]),
        (of_session(challenge_origin="chosen"), ["PRINCIPAL_PROOF_REHEARSED"]),
        (of_session(consumed_by="REG-7"), ["PRINCIPAL_PROOF_USED"]),
        (of_session(subject="p1.proxy"), ["NOT_THE_PRINCIPAL"]),
        (replace(BY_CODE, code=CodeGiven(right=False, attempts=0)), ["REPUDIATION_CODE_WRONG"]),
        (
            replace(BY_CODE, code=CodeGiven(right=True, attempts=CODE_ATTEMPTS_MAX)),
            ["REPUDIATION_CODE_USED_UP"],
        ),
    ],
)
def test_who_may_say_not_mine_and_until_when(facts: RepudiationFacts, expected: list[str]) -> None:
    refusals = decide_repudiation(facts, the_policy(), now=NOW)
    assert [refusal.code.value for refusal in refusals] == expected


def test_a_rehearsal_stays_in_the_sandbox() -> None:
    assert (
        decide_repudiation(of_session(challenge_origin="chosen"), the_policy(), now=NOW, sandbox=True) == ()
    )


@given(st.integers(0, 60 * 24 * 60))
def test_the_days_of_the_pack_count_from_the_registration(minutes: int) -> None:
    facts = replace(GOOD, registered_at=NOW - timedelta(minutes=minutes))
    late = bool(decide_repudiation(facts, the_policy(), now=NOW))
    assert late == (minutes > the_policy().proxies.repudiation_days.value * 24 * 60)


@pytest.mark.parametrize("state", RepudiationState)
def test_a_dispute_is_decided_once(state: RepudiationState) -> None:
    refusals = decide_repudiation_decision(replace(FORMER, state=state), the_policy())
    assert bool(refusals) == (state is not RepudiationState.OPEN)


def test_one_of_session_and_code_is_given() -> None:
    for spoken in ((None, None), ("SES-1", "12345678")):
        with pytest.raises(BadInput, match="REPUDIATION_BY_WHAT"):
            Spoken(*spoken)
    assert "12345678" not in repr(Spoken(code="12345678"))


# -- over a database -------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[PeopleDesk]:
    desk = a_people_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def a_line_by_proxy(desk: PeopleDesk) -> str:
    line = desk.registered_by_proxy()
    desk.confirm(line)
    return line


def repudiate(
    desk: PeopleDesk, line: str, spoken: Spoken, *, now: datetime = NOW
) -> LineRepudiated | RepudiationRefused:
    return transact(
        desk.engine,
        lambda connection: repudiation.repudiate_line(
            desk.desk.tools, connection, line, spoken, policy=desk.policy, now=now
        ),
    )


def by_session(desk: PeopleDesk, line: str, session: str = "SES-AGAIN") -> LineRepudiated:
    desk.prove(session, "p1.principal")
    outcome = repudiate(desk, line, Spoken(session_id=session))
    assert isinstance(outcome, LineRepudiated), outcome
    return outcome


def decide(
    desk: PeopleDesk, found: Repudiation, *, upheld: bool, now: datetime = NOW
) -> Repudiation | RepudiationRefused:
    return transact(
        desk.engine,
        lambda connection: repudiation.decide_dispute(
            desk.desk.tools,
            connection,
            found.repudiation_id,
            upheld=upheld,
            by="ACC-1",
            policy=desk.policy,
            registration_policy=desk.desk.policy,
            now=now,
        ),
    )


def standing(desk: PeopleDesk, line: str) -> tuple[LineStatus, set[StopReason]]:
    with reading(desk.engine) as connection:
        found = line_status(connection, line)
    assert found is not None
    return found.line.status, {stop.reason for stop in found.open_stops}


def the_code(desk: PeopleDesk) -> str:
    """The code of the message that the principal got."""
    channel = KeepingChannel()
    send_due_notices(NoticeTools(desk.desk.tools.privacy, channel), desk.engine, now=NOW)
    (message,) = channel.messages.values()
    return "".join(character for character in message.text.en if character.isdecimal())


def test_the_principal_stops_the_line_by_a_new_proof(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    outcome = by_session(desk, line)
    assert standing(desk, line) == (LineStatus.ONE_WAY_STOPPED, {StopReason.DISPUTE})
    assert len(outcome.evidence) == 4  # both documents, the letter of authority, the new proof
    assert desk.events(line).count("line.repudiated") == 1
    again = repudiate(desk, line, Spoken(session_id="SES-AGAIN"))
    assert again == LineRepudiated(outcome.repudiation, repeated=True)
    desk.prove("SES-THIRD", "p1.principal")
    assert codes(repudiate(desk, line, Spoken(session_id="SES-THIRD"))) == ["REPUDIATED_ALREADY"]
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_the_principal_stops_the_line_by_the_code_of_the_message(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    assert codes(repudiate(desk, line, Spoken(code="12345678"))) == ["REPUDIATION_CODE_WRONG"]  # not sent yet
    outcome = repudiate(desk, line, Spoken(code=the_code(desk)))
    assert isinstance(outcome, LineRepudiated)
    assert outcome.repudiation.means is Means.CODE
    with reading(desk.engine) as connection:
        notice = find_about(connection, line, "proxy_registered")
    assert notice is not None
    assert notice.state is NoticeState.REACHED


def test_wrong_codes_are_counted_and_use_the_code_up(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    code = the_code(desk)
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(CODE_ATTEMPTS_MAX):
        assert codes(repudiate(desk, line, Spoken(code=wrong))) == ["REPUDIATION_CODE_WRONG"]
    assert codes(repudiate(desk, line, Spoken(code=code))) == ["REPUDIATION_CODE_USED_UP"]
    assert isinstance(by_session(desk, line), LineRepudiated)  # the other way stays open


def test_late_or_by_somebody_else_is_refused_and_changes_nothing(desk: PeopleDesk) -> None:
    line, late = a_line_by_proxy(desk), NOW + days(31)
    desk.prove("SES-LATE", "p1.principal", at=late)
    assert codes(repudiate(desk, line, Spoken(session_id="SES-LATE"), now=late)) == ["REPUDIATION_LATE"]
    desk.prove("SES-OTHER", "p1.proxy")
    assert codes(repudiate(desk, line, Spoken(session_id="SES-OTHER"))) == ["NOT_THE_PRINCIPAL"]
    assert standing(desk, line) == (LineStatus.ACTIVE, set())
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        repudiate(desk, "REG-NONE", Spoken(code="12345678"))


def test_an_upheld_dispute_ends_the_line_and_only_then_frees_its_place(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    found = by_session(desk, line).repudiation
    decided = decide(desk, found, upheld=True)
    assert isinstance(decided, Repudiation)
    assert (decided.state, decided.decided_by) == (RepudiationState.UPHELD, "ACC-1")
    with reading(desk.engine) as connection:
        ended = find_line(connection, line)
        open_ones = repudiation.list_repudiations(connection, operator=None, open_only=True, limit=9)
        all_of = repudiation.list_repudiations(connection, operator="cn-mobile", limit=9)
    assert ended is not None
    assert (ended.status, ended.terminated_why) == (LineStatus.TERMINATED, "repudiated")
    assert (open_ones, all_of) == ((), (decided,))
    refused = decide(desk, found, upheld=False)
    assert codes(refused) == ["REPUDIATION_DECIDED"]


def test_a_rejected_dispute_gives_the_line_back(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    decide(desk, by_session(desk, line).repudiation, upheld=False)
    assert standing(desk, line) == (LineStatus.ACTIVE, set())
    with pytest.raises(BadInput, match="REPUDIATION_UNKNOWN"):
        decide(desk, FORMER, upheld=False)


def test_the_evidence_of_an_open_dispute_outlives_its_retention(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    found = by_session(desk, line).repudiation
    desk.desk.terminate(line)
    transact(
        desk.engine,
        lambda connection: follow_termination(desk.desk.tools, connection, line, policy=desk.policy, now=NOW),
    )
    vault, decades = desk.desk.vault, NOW + days(20_000)
    assert erase_due(vault.tools, desk.engine, now=decades) == 0
    decide(desk, found, upheld=True, now=decades)
    assert erase_due(vault.tools, desk.engine, now=decades) == 4
    with reading(desk.engine) as connection:
        assert all(ref.erased_at is not None for ref in list_metadata(connection, case_reference="SES-H0"))


def test_two_at_once_open_one_dispute(desk: PeopleDesk) -> None:
    line = a_line_by_proxy(desk)
    sessions = [f"SES-A{index}" for index in range(4)]
    for session in sessions:
        desk.prove(session, "p1.principal")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda each: repudiate(desk, line, Spoken(session_id=each)), sessions))
    refused = [outcome for outcome in outcomes if isinstance(outcome, RepudiationRefused)]
    assert [codes(each) for each in refused] == [["REPUDIATED_ALREADY"]] * 3
