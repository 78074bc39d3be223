"""What follows when the user of an organisation's line leaves; on both engines."""

from datetime import timedelta

import sqlalchemy as sa

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.tables import schema
from shiming.registrations.model.enterprise_lines import EnterpriseRefused
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.store.lines import find_line as find_registered
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.store.stops import stops_of
from shiming.registrations.use_cases.actual_user_links import make_links
from shiming.registrations.use_cases.enterprise_lines import (
    follow_termination,
    list_lines,
    list_uses,
    record_exit,
    return_line,
    stop_overdue_lines,
)
from shiming.registrations.use_cases.stops import confirm_line
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import Enterprise
from tests.registrations.test_enterprise_users import by_link, codes, enterprise, in_shop

__all__ = ["enterprise"]  # the fixture
_SESSIONS = schema.tables["proofing_sessions"]


def test_a_user_leaves_and_the_next_one_is_proven_on_the_same_line(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    first = by_link(enterprise, "p1.wang")
    assert codes(enterprise.do(make_links, [number])) == ["LINE_HAS_USER"]
    gone = enterprise.at(NOW + timedelta(days=10))
    assert not isinstance(gone.do(record_exit, number), EnterpriseRefused)
    assert codes(gone.do(record_exit, number)) == ["LINE_WITHOUT_USER"]
    later = enterprise.at(NOW + timedelta(days=11))
    second = by_link(later, "p1.li")
    assert (second.line_id, second.position) == (first.line_id, 2)
    with reading(enterprise.engine) as connection:
        uses = list_uses(connection, enterprise.contract_id, number)
        used_up = connection.execute(
            sa.select(_SESSIONS.c.consumed_by).where(_SESSIONS.c.id == uses[1].session_id)
        ).scalar_one()
    assert used_up == first.line_id
    assert [(use.subject, use.used_from, use.used_to) for use in uses] == [
        ("p1.wang", NOW, NOW + timedelta(days=10)),
        ("p1.li", NOW + timedelta(days=11), None),
    ]


def test_a_session_that_is_used_up_makes_no_next_user(enterprise: Enterprise) -> None:
    numbers = enterprise.entered(2)
    by_link(enterprise, "p1.wang", numbers[0])
    enterprise.do(record_exit, numbers[0])
    by_link(enterprise, "p1.li", numbers[1])
    with reading(enterprise.engine) as connection:
        (use,) = list_uses(connection, enterprise.contract_id, numbers[1])
    assert codes(in_shop(enterprise, numbers[0], use.session_id)) == ["SESSION_CONSUMED"]


def test_after_the_clock_the_line_is_stopped_and_the_next_user_lifts_it(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    done = by_link(enterprise, "p1.wang")
    transact(
        enterprise.engine,
        lambda connection: confirm_line(
            enterprise.tools, connection, done.line_id, now=NOW, policy=enterprise.policy
        ),
    )
    enterprise.do(record_exit, number)
    days = enterprise.policy.enterprise.exit_days.value

    def run(at: Enterprise) -> int:
        return transact(at.engine, lambda connection: stop_overdue_lines(at.desk, connection))

    assert run(enterprise.at(NOW + timedelta(days=days, seconds=-1))) == 0
    late = enterprise.at(NOW + timedelta(days=days))
    assert run(late) == 1
    assert run(late) == 0
    with reading(enterprise.engine) as connection:
        line = find_registered(connection, done.line_id)
    assert line is not None
    assert line.status is LineStatus.TWO_WAY_STOPPED or line.status is LineStatus.ONE_WAY_STOPPED
    after = enterprise.at(NOW + timedelta(days=days, hours=1))
    by_link(after, "p1.li")
    with reading(enterprise.engine) as connection:
        line = find_registered(connection, done.line_id)
        assert line is not None
        assert [stop for stop in stops_of(connection, line) if stop.is_open] == []
    assert line.status is LineStatus.ACTIVE


def test_a_line_is_given_back(enterprise: Enterprise) -> None:
    kept, used = enterprise.entered(2)
    registered = by_link(enterprise, "p1.wang", used)
    for number in (kept, used):
        done = enterprise.do(return_line, number, registration=enterprise.registration_policy)
        assert not isinstance(done, EnterpriseRefused)
    again = enterprise.do(return_line, kept, registration=enterprise.registration_policy)
    assert codes(again) == ["ENTERPRISE_LINE_UNKNOWN"]
    with reading(enterprise.engine) as connection:
        line = find_registered(connection, registered.line_id)
        held = {row.number: row.state for row in connection.execute(numbers_held.select())}
        assert list_lines(connection, enterprise.contract_id, limit=10) == ()
    assert line is not None
    assert line.status is LineStatus.TERMINATED
    assert kept not in held
    assert held.get(used) == "quarantine"
    assert enterprise.contract().lines_entered == 0


def test_a_line_that_ends_in_another_way_leaves_its_contract(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    done = by_link(enterprise, "p1.wang")

    def follow() -> bool:
        return transact(
            enterprise.engine,
            lambda connection: follow_termination(enterprise.desk, connection, done.line_id),
        )

    assert follow()
    assert not follow()
    assert enterprise.contract().lines_entered == 0
