"""Actual users of an organisation's lines: by link, in a shop, one after another; on both engines."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from shiming.identity_proofing.use_cases.challenges import Application
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.tables import schema
from shiming.jurisdictions.model import Channel, EntryKind, EntryRequirement, ProductClass, Route
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.ledger import record
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.enterprise_lines import (
    ActualUserRecorded,
    EnterpriseContract,
    EnterpriseLineState,
    EnterpriseRefused,
    ImportReport,
    LinkMade,
    LinkSession,
    LinkShown,
)
from shiming.registrations.model.lines import LineKind, LineStatus
from shiming.registrations.model.orders import LineOrder
from shiming.registrations.store.lines import find_line as find_registered
from shiming.registrations.store.orders import add_order
from shiming.registrations.store.organisations import change_organisation
from shiming.registrations.use_cases.actual_user_links import (
    Wish,
    make_links,
    open_link_session,
    settle_link,
    show_link,
)
from shiming.registrations.use_cases.actual_users import record_actual_user
from shiming.registrations.use_cases.contract_terms import accept_contract_terms, decide_contract_terms
from shiming.registrations.use_cases.enterprise_lines import (
    list_lines,
    list_uses,
    make_contract,
    name_card,
    record_exit,
)
from shiming.registrations.use_cases.orders import find_order
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.reference_numbers import ReferenceNumber
from shiming.vocabulary.sim_identifiers import Iccid
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import (
    HANDLER_SESSION,
    OPERATOR,
    ORGANISATION,
    Enterprise,
    a_card,
    a_row,
    an_enterprise,
    publish_terms,
    some_numbers,
)

YES = Wish(Application(Channel.ONLINE, Route.STANDARD, "adult", OPERATOR), confirmed=True)
_SESSIONS = schema.tables["proofing_sessions"]


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url)
    yield made
    made.engine.dispose()


def proofing(enterprise: Enterprise) -> Any:
    """What opening a session uses of the tools of proofing."""

    def write(connection: Any, *, kind: str, facts: dict[str, Any], operator: str) -> None:
        record(connection, enterprise.tools.privacy.keys, kind=kind, facts=facts, now=NOW, operator=operator)

    return SimpleNamespace(
        new_reference=lambda kind: str(ReferenceNumber.create(kind, os.urandom(8))),
        clock=FixedClock(enterprise.now),
        record=write,
    )


def codes(outcome: object) -> list[str]:
    assert isinstance(outcome, EnterpriseRefused), outcome
    return [refusal.code.value for refusal in outcome.refusals]


def a_link(enterprise: Enterprise, number: str | None = None) -> LinkMade:
    made = enterprise.do(make_links, [number] if number else None)
    assert isinstance(made, tuple)
    return made[0]


def opened(enterprise: Enterprise, link: LinkMade, wish: Wish = YES) -> LinkSession | EnterpriseRefused:
    tools = proofing(enterprise)
    return transact(
        enterprise.engine,
        lambda connection: open_link_session(enterprise.desk, tools, connection, link.token, wish),
    )


def shown(enterprise: Enterprise, token: str) -> LinkShown | EnterpriseRefused:
    with reading(enterprise.engine) as connection:
        return show_link(enterprise.desk, connection, token)


def settled(enterprise: Enterprise, link: LinkMade) -> ActualUserRecorded | EnterpriseRefused:
    return transact(
        enterprise.engine,
        lambda connection: settle_link(
            enterprise.desk, connection, link.token, registration=enterprise.registration_policy
        ),
    )


def verified(enterprise: Enterprise, session_id: str, person: str) -> None:
    """Let the session that a link opened end as verified."""
    enterprise.prove(session_id, person)


def in_shop(enterprise: Enterprise, number: str, session: str) -> ActualUserRecorded | EnterpriseRefused:
    return enterprise.do(record_actual_user, number, session, registration=enterprise.registration_policy)


def by_link(enterprise: Enterprise, person: str, number: str | None = None) -> ActualUserRecorded:
    link = a_link(enterprise, number)
    session = opened(enterprise, link)
    assert isinstance(session, LinkSession), session
    verified(enterprise, session.session_id, person)
    done = settled(enterprise, link)
    assert isinstance(done, ActualUserRecorded), done
    return done


def test_a_user_proves_themselves_by_their_link_and_the_line_is_registered(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    link = a_link(enterprise)
    seen = shown(enterprise, link.token)
    assert isinstance(seen, LinkShown)
    assert seen.organisation_name == enterprise.organisation().name
    assert number not in seen.number_masked
    session = opened(enterprise, link)
    assert isinstance(session, LinkSession)
    assert opened(enterprise, link) == replace(session, repeated=True)
    with reading(enterprise.engine) as connection:
        order = find_order(connection, session.session_id, operator=OPERATOR)
    assert order is not None
    assert order.organisation == ORGANISATION
    assert order.representative is not None
    assert order.representative.session_id == HANDLER_SESSION
    verified(enterprise, session.session_id, "p1.wang")
    done = settled(enterprise, link)
    assert isinstance(done, ActualUserRecorded), done
    with reading(enterprise.engine) as connection:
        line = find_registered(connection, done.line_id)
        (entered,) = list_lines(connection, enterprise.contract_id, limit=10)
        (use,) = list_uses(connection, enterprise.contract_id, number)
    assert line is not None
    assert (line.subject, line.status) == (ORGANISATION, LineStatus.PENDING)
    assert (entered.state, entered.subject) == (EnterpriseLineState.REGISTERED, "p1.wang")
    assert (use.subject, use.used_from, use.used_to) == ("p1.wang", NOW, None)
    assert codes(shown(enterprise, link.token)) == ["ACTUAL_USER_LINK_USED"]
    assert settled(enterprise, link) == replace(done, repeated=True)
    found = verify_ledger(enterprise.engine, enterprise.tools.privacy.keys, ())
    assert isinstance(found, LedgerVerified)


def test_only_the_hash_of_a_token_is_kept(enterprise: Enterprise) -> None:
    enterprise.entered(2)
    made = enterprise.do(make_links)
    assert isinstance(made, tuple)
    assert len({each.token for each in made}) == 2
    assert all(len(each.token) == 43 for each in made)  # 256 bits
    assert all(each.token not in repr(each) for each in made)
    everything = enterprise.registration.vault.bytes_on_disk()
    assert not any(each.token.encode() in everything for each in made)
    with reading(enterprise.engine) as connection:
        kept = connection.execute(sa.text("SELECT * FROM actual_user_links")).mappings().all()
        told = connection.execute(sa.text("SELECT facts FROM outbox")).scalars().all()
    text = f"{kept}{told}"
    assert not any(each.token in text for each in made)
    assert enterprise.do(make_links) == ()  # all have one that works


def test_a_new_link_takes_the_place_of_the_former(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    former, new = a_link(enterprise, number), a_link(enterprise, number)
    assert codes(shown(enterprise, former.token)) == ["ACTUAL_USER_LINK_USED"]
    assert isinstance(shown(enterprise, new.token), LinkShown)


def test_links_expire_and_are_not_guessed(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    link = a_link(enterprise)
    days = enterprise.policy.enterprise.link_days.value
    late = enterprise.at(NOW + timedelta(days=days))
    assert codes(shown(late, link.token)) == ["ACTUAL_USER_LINK_EXPIRED"]
    assert codes(opened(late, link)) == ["ACTUAL_USER_LINK_EXPIRED"]
    early = enterprise.at(NOW - timedelta(seconds=1))  # a clock that was set back
    assert codes(shown(early, link.token)) == ["ACTUAL_USER_LINK_EXPIRED"]
    assert codes(shown(enterprise, "A" * 43)) == ["ACTUAL_USER_LINK_UNKNOWN"]
    assert codes(settled(enterprise, replace(link, token="B" * 43))) == ["ACTUAL_USER_LINK_UNKNOWN"]


def test_without_a_yes_nothing_is_opened(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    link = a_link(enterprise)
    assert codes(opened(enterprise, link, replace(YES, confirmed=False))) == ["USER_DID_NOT_CONFIRM"]
    assert codes(settled(enterprise, link)) == ["ACTUAL_USER_LINK_UNKNOWN"]  # it has no session


def test_after_three_sessions_that_failed_the_shop_helps(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    link = a_link(enterprise)
    for _ in range(3):
        session = opened(enterprise, link)
        assert isinstance(session, LinkSession)
        with unit_of_work(enterprise.engine) as connection:
            where = _SESSIONS.c.id == session.session_id
            connection.execute(_SESSIONS.update().where(where).values(state="decided", outcome="NotVerified"))
        assert codes(settled(enterprise, link)) == ["SESSION_NOT_VERIFIED"]
    assert codes(opened(enterprise, link)) == ["LINK_SESSIONS_USED_UP"]


def test_a_link_used_twice_at_once_registers_once(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    link = a_link(enterprise)
    with ThreadPoolExecutor(4) as crew:
        sessions = list(crew.map(lambda _: opened(enterprise, link), range(4)))
    assert all(isinstance(each, LinkSession) for each in sessions)
    (session_id,) = {each.session_id for each in sessions if isinstance(each, LinkSession)}
    verified(enterprise, session_id, "p1.wang")
    with ThreadPoolExecutor(4) as crew:
        done = list(crew.map(lambda _: settled(enterprise, link), range(4)))
    recorded = [each for each in done if isinstance(each, ActualUserRecorded)]
    assert len(recorded) == 4, done
    assert [each.repeated for each in recorded].count(False) == 1
    assert len({each.line_id for each in recorded}) == 1


def test_in_a_shop_the_clerk_names_the_line(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    enterprise.prove("SES-USER1", "p1.wang")
    done = in_shop(enterprise, number, "SES-USER1")
    assert isinstance(done, ActualUserRecorded), done
    assert in_shop(enterprise, number, "SES-USER1") == replace(done, repeated=True)
    enterprise.prove("SES-USER2", "p1.li")
    assert codes(in_shop(enterprise, number, "SES-USER2")) == ["LINE_HAS_USER"]


def test_without_accepted_terms_no_line_is_registered(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    contracts = schema.tables["enterprise_contracts"]
    with unit_of_work(enterprise.engine) as connection:
        connection.execute(contracts.update().values(terms_accepted_at=None))
    enterprise.prove("SES-USER1", "p1.wang")
    assert codes(in_shop(enterprise, number, "SES-USER1")) == ["TERMS_NOT_ACCEPTED"]


def test_no_user_is_asked_to_prove_themselves_under_terms_that_hold_no_more(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    before = a_link(enterprise)
    publish_terms(enterprise, "2026-02", NOW.date())
    publish_terms(enterprise, "2026-03", NOW.date() + timedelta(days=1))
    assert codes(enterprise.do(make_links, [number])) == ["TERMS_VERSION_NOT_CURRENT"]
    assert codes(opened(enterprise, before)) == ["TERMS_VERSION_NOT_CURRENT"]
    assert codes(enterprise.do(accept_contract_terms, "2026-01")) == ["TERMS_VERSION_UNKNOWN"]
    assert codes(enterprise.do(accept_contract_terms, "2026-03")) == ["TERMS_VERSION_NOT_CURRENT"]
    for _ in range(2):  # the same again is the same act
        agreed = enterprise.do(accept_contract_terms, "2026-02")
        assert isinstance(agreed, EnterpriseContract)
        assert agreed.terms is not None
        assert agreed.terms.version == "2026-02"
    assert not enterprise.do(decide_contract_terms)
    with reading(enterprise.engine) as connection:
        told = connection.execute(outbox.select().where(outbox.c.type == "enterprise.terms_accepted")).one()
    assert told.subject == enterprise.contract_id
    by_link(enterprise, "p1.wang", number)


def test_the_order_of_another_matter_is_not_used_for_the_line(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    enterprise.prove("SES-USER1", "p1.wang")
    own = LineOrder(
        "SES-USER1", OPERATOR, EntryKind.OPEN, LineKind.MOBILE, ProductClass.VOICE, Channel.SHOP, NOW
    )
    with unit_of_work(enterprise.engine) as connection:
        assert add_order(connection, own)
    assert codes(in_shop(enterprise, number, "SES-USER1")) == ["IDENTIFIER_NOT_ORDERED"]


def test_nobody_is_proven_in_vain_for_a_line_without_its_card(enterprise: Enterprise) -> None:
    bare, ready = some_numbers(2)
    report = enterprise.bring([a_row(bare, 1), a_row(ready, 2, iccid=a_card(2))])
    assert isinstance(report, ImportReport)
    assert report.entered == 2
    assert codes(enterprise.do(make_links, [bare])) == ["SIM_MISSING"]
    made = enterprise.do(make_links)
    assert isinstance(made, tuple)
    assert [each.number for each in made] == [ready]
    card = Iccid.parse(a_card(1))
    assert not isinstance(enterprise.do(name_card, bare, card), EnterpriseRefused)
    assert codes(enterprise.do(name_card, "+8613900000000", card)) == ["ENTERPRISE_LINE_UNKNOWN"]
    by_link(enterprise, "p1.wang", bare)
    assert codes(enterprise.do(name_card, bare, card)) == ["LINE_HAS_USER"]


def test_every_reason_is_named(enterprise: Enterprise) -> None:
    enterprise.entered(1)
    outcome = in_shop(enterprise, "+8613900000000", "SES-NOBODY")
    assert codes(outcome) == ["SESSION_UNKNOWN", "ENTERPRISE_LINE_UNKNOWN"]
    assert codes(enterprise.do(make_links, ["+8613900000000"])) == ["ENTERPRISE_LINE_UNKNOWN"]
    assert codes(enterprise.do(record_exit, "+8613900000000")) == ["ENTERPRISE_LINE_UNKNOWN"]


def test_one_person_uses_so_many_lines_and_no_more(enterprise: Enterprise) -> None:
    most = enterprise.policy.enterprise.lines_per_actual_user_max.value
    numbers = enterprise.entered(most + 1)
    for number in numbers[:most]:
        by_link(enterprise, "p1.wang", number)
    enterprise.prove("SES-ONEMORE", "p1.wang")
    assert codes(in_shop(enterprise, numbers[-1], "SES-ONEMORE")) == ["LINES_PER_USER_REACHED"]
    by_link(enterprise, "p1.li", numbers[-1])


def test_an_organisation_without_authority_gets_no_links_and_no_users(enterprise: Enterprise) -> None:
    (number,) = enterprise.entered(1)
    link = a_link(enterprise)
    organisation = enterprise.organisation()
    assert organisation.power_of_attorney_until is not None
    with unit_of_work(enterprise.engine) as connection:
        change_organisation(
            connection, ORGANISATION, organisation.version, power_of_attorney_until=NOW - timedelta(days=1)
        )
    assert codes(enterprise.do(make_links)) == ["POWER_OF_ATTORNEY_EXPIRED"]
    assert codes(opened(enterprise, link)) == ["POWER_OF_ATTORNEY_EXPIRED"]
    enterprise.prove("SES-USER1", "p1.wang")
    assert codes(in_shop(enterprise, number, "SES-USER1")) == ["POWER_OF_ATTORNEY_EXPIRED"]
    assert codes(enterprise.bring([a_row(next(some_numbers(1, 7)))])) == ["POWER_OF_ATTORNEY_EXPIRED"]
    made = transact(
        enterprise.engine,
        lambda connection: make_contract(
            enterprise.desk, connection, enterprise.organisation(), lines=5, terms_version=None
        ),
    )
    assert codes(made) == ["POWER_OF_ATTORNEY_EXPIRED"]


def test_a_contract_names_terms_that_exist_and_a_number_of_lines(enterprise: Enterprise) -> None:
    def make(lines: int, terms: str | None) -> object:
        organisation = enterprise.organisation()
        return transact(
            enterprise.engine,
            lambda connection: make_contract(
                enterprise.desk, connection, organisation, lines=lines, terms_version=terms
            ),
        )

    with pytest.raises(BadInput, match="TERMS_UNKNOWN"):
        make(5, "2026-99")
    with pytest.raises(BadInput, match="LINES_CONFIRMED_RANGE"):
        make(0, None)
    assert getattr(make(5, None), "lines_confirmed", None) == 0  # until the handler confirmed them by a code


def test_without_a_rule_about_confirming_the_contract_says_how_many(enterprise: Enterprise) -> None:
    entry = enterprise.policy.entries[EntryKind.OPEN]
    fewer = tuple(each for each in entry.requirements.value if each is not EntryRequirement.CONFIRMATION)
    requirements = entry.requirements.model_copy(update={"value": fewer})
    entries = {EntryKind.OPEN: entry.model_copy(update={"requirements": requirements})}
    desk = enterprise.under(enterprise.policy.model_copy(update={"entries": entries})).desk
    made = transact(
        enterprise.engine,
        lambda connection: make_contract(
            desk, connection, enterprise.organisation(), lines=5, terms_version=None
        ),
    )
    assert isinstance(made, EnterpriseContract)
    assert made.lines_confirmed == 5
