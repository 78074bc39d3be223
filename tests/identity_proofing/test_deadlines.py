from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shiming.identity_proofing import store
from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity
from shiming.identity_proofing.rules.deadlines import Deadlines, birthday, deadlines_of
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.settling import settle_waiting_evidence
from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import Channel, Route
from shiming.privacy.use_cases.vault import list_metadata
from tests.identity_proofing.proofing_builders import a_policy
from tests.identity_proofing.proofing_desk import BACK_FIELDS, FRONT_FIELDS, Desk, a_back_side, a_front
from tests.identity_proofing.test_settling import LATER, a_case

ON = date(2026, 3, 1)
A_CARD = ClaimedIdentity("a_card", "1", "x", birth_date=date(2012, 5, 6), valid_to=date(2030, 1, 2))


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (A_CARD, Deadlines(date(2030, 5, 6), date(2030, 1, 2))),
        (replace(A_CARD, birth_date=date(2008, 3, 2)), Deadlines(date(2026, 3, 2), date(2030, 1, 2))),
        (replace(A_CARD, birth_date=date(2008, 3, 1)), Deadlines(None, date(2030, 1, 2))),  # of age today
        (replace(A_CARD, birth_date=None, long_term=True), Deadlines()),
        (replace(A_CARD, birth_date=date(9999, 1, 1), valid_to=None), Deadlines()),  # misread
    ],
)
def test_only_the_days_that_matter_are_kept(identity: ClaimedIdentity, expected: Deadlines) -> None:
    assert deadlines_of(identity, a_policy(), ON) == expected


def test_who_is_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 20) == date(2028, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.integers(1, 60))
def test_a_birthday_is_the_first_day_of_that_age(born: date, years: int) -> None:
    def age(on: date) -> int:
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    day = birthday(born, years)
    assert age(day) == years
    assert age(day - timedelta(days=1)) == years - 1


def test_the_evidence_of_who_acted_for_another_goes_to_that_ones_line(
    tmp_path: Path, database: Engine, database_url: str
) -> None:
    desk = Desk.open(tmp_path, database)
    with unit_of_work(database) as connection:
        application = Application(Channel.SHOP, Route.STANDARD)
        holder = open_session(desk.tools, connection, application, a_policy()).id
        given_up = open_session(desk.tools, connection, application, a_policy()).id
    proxies = [a_case(desk, tmp_path, database_url) for _ in range(2)]
    with unit_of_work(database) as connection:
        for session, used_by in zip([*proxies, holder], [holder, given_up, "REG-1"], strict=True):
            sessions = store._sessions
            connection.execute(sessions.update().where(sessions.c.id == session).values(consumed_by=used_by))
        assert settle_waiting_evidence(connection, LATER) == 2
    with reading(database) as connection:
        (kept,) = list_metadata(connection, case_reference=proxies[0])
        (gone,) = list_metadata(connection, case_reference=proxies[1])
    assert (kept.line_id, gone.line_id, gone.retain_until) == ("REG-1", None, LATER)


def test_a_decision_keeps_the_days_of_the_document_and_no_birth_date_of_the_grown(
    tmp_path: Path, database: Engine
) -> None:
    desk = Desk.open(tmp_path, database)
    desk.sees["back.jpg"] = a_back_side(fields={**BACK_FIELDS, "valid_to": "2040-01-01"})
    grown = desk.prove(desk.ask()).session.id
    child = {**FRONT_FIELDS, "birth_date": "2015-02-03"}
    desk.sees["front.jpg"] = a_front(fields=child)
    minor = desk.prove(desk.ask()).session.id
    sessions = store._sessions
    with reading(database) as connection:
        rows = {row.id: row for row in connection.execute(sessions.select())}
    assert (rows[grown].majority_on, rows[grown].document_expires_on) == (None, date(2040, 1, 1))
    assert rows[minor].majority_on == date(2033, 2, 3)
