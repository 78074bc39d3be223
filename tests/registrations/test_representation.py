"""Proxies and guardians over a real database, on both engines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from shiming.infrastructure.database import reading, transact
from shiming.privacy.model import EvidenceKind, LedgerVerified
from shiming.privacy.use_cases.vault import list_metadata
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.orders import Relation, Representative, RepresentativeRole
from shiming.registrations.model.registration import RegistrationRefused
from shiming.registrations.model.representation import RepresentationRefused, RepresentativeNamed
from shiming.registrations.store.notices import find_about
from shiming.registrations.store.orders import find_order
from shiming.registrations.use_cases.following import follow_termination
from shiming.registrations.use_cases.representation import keep_authority_document, read_representation
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number
from tests.registrations.people_builders import (
    PICTURE,
    PeopleDesk,
    a_people_desk,
    codes,
    days,
    with_values,
)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[PeopleDesk]:
    desk = a_people_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def test_a_proxy_is_named_once_and_the_session_is_used_up(desk: PeopleDesk) -> None:
    desk.prove("SES-H", "p1.principal")
    desk.prove("SES-P", "p1.proxy")
    desk.order("SES-H")
    named = desk.by_proxy("SES-H", "SES-P")
    assert isinstance(named, RepresentativeNamed)
    assert desk.name("SES-H", named.representative) == replace(named, repeated=True)
    with reading(desk.engine) as connection:
        order = find_order(connection, "SES-H")
        assert order is not None
        assert order.representative == named.representative
        facts = read_representation(connection, order, policy=desk.policy, now=NOW)
    assert (facts.principals, facts.identity_recorded, facts.authority_recorded) == (0, True, True)
    assert desk.events("SES-H") == ["order.representative_named"]
    # the proxy's session registers nothing else, and serves no other order
    taken = desk.desk.register("SES-P", a_number(7))
    assert isinstance(taken, RegistrationRefused)
    assert codes(taken) == ["SESSION_CONSUMED"]
    desk.prove("SES-O", "p1.other")
    desk.order("SES-O")
    assert codes(desk.by_proxy("SES-O", "SES-P")) == ["REPRESENTATIVE_SESSION_USED"]
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_a_guardian_states_the_relation_and_shows_its_document(desk: PeopleDesk) -> None:
    desk.prove("SES-H", "p1.child", category="minor")
    desk.prove("SES-G", "p1.parent")
    desk.order("SES-H", category="minor")
    bare = Representative(RepresentativeRole.GUARDIAN, "SES-G")
    assert codes(desk.name("SES-H", bare)) == ["AUTHORITY_DOCUMENT_MISSING", "GUARDIAN_RELATION_MISSING"]
    full = replace(bare, authority_evidence=desk.authority("SES-H"), relation=Relation.PARENT)
    assert isinstance(desk.name("SES-H", full), RepresentativeNamed)


def test_a_document_of_another_order_entitles_nobody(desk: PeopleDesk) -> None:
    for person in ("A", "B"):
        desk.prove(f"SES-{person}", f"p1.{person}")
        desk.order(f"SES-{person}")
    desk.prove("SES-P", "p1.proxy")
    elsewhere = Representative(RepresentativeRole.PROXY, "SES-P", authority_evidence=desk.authority("SES-A"))
    assert codes(desk.name("SES-B", elsewhere)) == ["AUTHORITY_DOCUMENT_MISSING"]


def test_who_is_not_there_or_not_recorded_is_refused(desk: PeopleDesk) -> None:
    desk.prove("SES-H", "p1.principal")
    desk.order("SES-H")
    assert codes(desk.by_proxy("SES-H", "SES-NOBODY")) == ["REPRESENTATIVE_UNKNOWN"]
    desk.prove("SES-P", "p1.proxy", recorded=False)
    assert codes(desk.by_proxy("SES-H", "SES-P")) == ["REPRESENTATIVE_NOT_RECORDED"]
    with pytest.raises(BadInput, match="ORDER_UNKNOWN"):
        desk.name("SES-NONE", Representative(RepresentativeRole.PROXY, "SES-P"))


def test_a_document_needs_an_order_and_a_proven_holder(desk: PeopleDesk) -> None:
    with pytest.raises(BadInput, match="ORDER_UNKNOWN"):
        desk.authority("SES-NONE")
    desk.order("SES-OPEN")
    with pytest.raises(BadInput, match="SESSION_NOT_VERIFIED"):
        keep_authority_document(
            desk.desk.tools, desk.engine, "SES-OPEN", BytesIO(PICTURE), policy=desk.policy, now=NOW
        )


def test_nobody_is_named_after_the_registration(desk: PeopleDesk) -> None:
    desk.registered_by_proxy()
    desk.prove("SES-P9", "p1.another")
    assert "ORDER_CLOSED" in codes(desk.by_proxy("SES-H0", "SES-P9"))


def test_the_same_principal_counts_once_and_registered_ones_for_a_year(desk: PeopleDesk) -> None:
    desk = desk.under(with_values(desk.policy, "proxies", principals_per_proxy_max=1))
    desk.registered_by_proxy(0)
    desk.registered_by_proxy(1)  # the same principal again
    later = NOW + days(364)
    for index, at in ((2, later), (3, NOW + days(366))):
        desk.prove(f"SES-H{index}", f"p1.p{index}", at=at)
        desk.prove(f"SES-P{index}", "p1.proxy", at=at)
        desk.order(f"SES-H{index}")
    assert codes(desk.by_proxy("SES-H2", "SES-P2", now=later)) == ["PROXY_LIMIT_REACHED"]
    assert isinstance(desk.by_proxy("SES-H3", "SES-P3", now=NOW + days(366)), RepresentativeNamed)


def test_an_order_that_came_to_nothing_frees_its_place(desk: PeopleDesk) -> None:
    desk = desk.under(with_values(desk.policy, "proxies", principals_per_proxy_max=1))
    for index, at in ((0, NOW), (1, NOW + timedelta(hours=1))):
        desk.prove(f"SES-H{index}", f"p1.p{index}", at=at)
        desk.prove(f"SES-P{index}", "p1.proxy", at=at)
        desk.order(f"SES-H{index}")
    assert isinstance(desk.by_proxy("SES-H0", "SES-P0"), RepresentativeNamed)
    hour_later = desk.by_proxy("SES-H1", "SES-P1", now=NOW + timedelta(hours=1))
    assert isinstance(hour_later, RepresentativeNamed)


def test_two_orders_at_once_do_not_pass_the_limit(desk: PeopleDesk) -> None:
    desk = desk.under(with_values(desk.policy, "proxies", principals_per_proxy_max=2))
    for index in range(5):
        desk.prove(f"SES-H{index}", f"p1.p{index}")
        desk.prove(f"SES-P{index}", "p1.proxy")
        desk.order(f"SES-H{index}")
    with ThreadPoolExecutor(5) as pool:
        outcomes = list(pool.map(lambda index: desk.by_proxy(f"SES-H{index}", f"SES-P{index}"), range(5)))
    refused = [outcome for outcome in outcomes if isinstance(outcome, RepresentationRefused)]
    assert len(refused) == 3
    assert all(codes(each) == ["PROXY_LIMIT_REACHED"] for each in refused)


def test_one_session_of_a_proxy_serves_one_of_many_orders_at_once(desk: PeopleDesk) -> None:
    desk.prove("SES-P", "p1.proxy")
    for index in range(4):
        desk.prove(f"SES-H{index}", f"p1.p{index}")
        desk.order(f"SES-H{index}")
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda index: desk.by_proxy(f"SES-H{index}", "SES-P"), range(4)))
    refused = [outcome for outcome in outcomes if isinstance(outcome, RepresentationRefused)]
    assert [codes(each) for each in refused] == [["REPRESENTATIVE_SESSION_USED"]] * 3


def test_a_registration_by_proxy_keeps_both_documents_and_tells_the_principal(desk: PeopleDesk) -> None:
    desk.prove("SES-OLD", "p1.principal")
    old = desk.register("SES-OLD", 9)
    desk.confirm(old)
    line = desk.registered_by_proxy()
    desk.follow(line)  # the job may run twice
    with reading(desk.engine) as connection:
        notice = find_about(connection, line, "proxy_registered")
        proxy_case = list_metadata(connection, case_reference="SES-P0")
        holder_case = {ref.kind for ref in list_metadata(connection, case_reference="SES-H0")}
    assert notice is not None
    assert (notice.line_id, notice.subject, notice.state.value) == (old, "p1.principal", "queued")
    assert [ref.line_id for ref in proxy_case] == [line]
    assert holder_case == {EvidenceKind.IDENTITY_RECORD, EvidenceKind.AUTHORITY_DOCUMENT}
    assert desk.events(notice.notice_id) == ["notice.queued"]


def test_without_another_line_the_new_one_is_told(desk: PeopleDesk) -> None:
    line = desk.registered_by_proxy()
    with reading(desk.engine) as connection:
        notice = find_about(connection, line, "proxy_registered")
    assert notice is not None
    assert notice.line_id == line


def test_the_proxys_evidence_ends_with_the_line(desk: PeopleDesk) -> None:
    line = desk.registered_by_proxy()
    ended = NOW + days(10)
    desk.desk.terminate(line, now=ended)
    for _ in range(2):
        transact(
            desk.engine,
            lambda connection: follow_termination(
                desk.desk.tools, connection, line, policy=desk.policy, now=ended
            ),
        )
    with reading(desk.engine) as connection:
        (kept,) = list_metadata(connection, case_reference="SES-P0")
    assert kept.retain_until is not None
    assert kept.retain_until > ended
