"""A proof that names somebody for an organisation serves that organisation, nothing of the person's own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiming.identity_proofing.use_cases.settling import settle_waiting_evidence
from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.jurisdictions.model import Channel, EntryKind, ProductClass
from shiming.registrations.model.lines import Line, LineKind, SimForm
from shiming.registrations.model.ordering import NewOrder, OrderDetails, OrderRefused, OrderTaken
from shiming.registrations.model.orders import ConfirmationMethod, LineConfirmation, TermsAcceptance
from shiming.registrations.model.registration import RegisterLine, RegistrationRefused
from shiming.registrations.store.orders import change_order, columns_of
from shiming.registrations.use_cases import key_services, organisation_people, organisations
from shiming.registrations.use_cases.orders import hold_order, open_order
from shiming.registrations.use_cases.organisations import OrganisationFile, OrganisationRefused
from shiming.registrations.use_cases.registering import register_line
from shiming.vocabulary.msisdn import Msisdn
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import (
    HANDLER,
    OPERATOR,
    ORGANISATION,
    Enterprise,
    a_card,
    an_enterprise,
    some_numbers,
)

PROOF = "SES-NAMED"
NUMBER = Msisdn(next(some_numbers(1)))


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url)
    made.prove(PROOF, HANDLER)
    yield made
    made.engine.dispose()


def named(enterprise: Enterprise, verb: Callable[..., Any], session: str = PROOF) -> Any:
    organisation = enterprise.organisation()
    return transact(
        enterprise.engine,
        lambda connection: verb(
            enterprise.desk,
            connection,
            organisation,
            session,
            registration=enterprise.registration_policy,
        ),
    )


def codes(refused: Any) -> list[str]:
    assert isinstance(refused, OrganisationRefused | OrderRefused | RegistrationRefused), refused
    return [refusal.code.value for refusal in refused.refusals]


def used_by(enterprise: Enterprise, session: str = PROOF) -> Any:
    query = sa.text("SELECT consumed_by FROM proofing_sessions WHERE id = :id")
    with reading(enterprise.engine) as connection:
        return connection.execute(query, {"id": session}).scalar_one()


def ordered(
    enterprise: Enterprise, organisation: str | None, product: ProductClass
) -> OrderTaken | OrderRefused:
    wanted = NewOrder(
        session_id=PROOF,
        operator=OPERATOR,
        entry=EntryKind.OPEN,
        product_class=product,
        kind=LineKind.MOBILE,
        channel=Channel.SHOP,
        organisation=organisation,
        details=OrderDetails(NUMBER),
    )
    return transact(
        enterprise.engine,
        lambda c: open_order(enterprise.tools, c, wanted, policy=enterprise.policy, now=enterprise.now),
    )


def opened(enterprise: Enterprise) -> Any:
    return transact(
        enterprise.engine,
        lambda connection: key_services.open_key_service(
            enterprise.desk, connection, PROOF, operator=OPERATOR, registration=enterprise.registration_policy
        ),
    )


def confirm(enterprise: Enterprise) -> None:
    terms = TermsAcceptance("2026-01", "sha256:" + "2" * 64, NOW, Channel.SHOP)
    with unit_of_work(enterprise.engine) as connection:
        order = hold_order(connection, PROOF, operator=OPERATOR)
        confirmation = LineConfirmation(NUMBER, ConfirmationMethod.READ_BACK, NOW)
        whole = replace(
            order, terms=terms, confirmation=confirmation, iccid=a_card(1), sim_form=SimForm.PHYSICAL
        )
        columns = columns_of(whole)
        change_order(connection, columns.pop("session_id"), **columns)


def test_naming_a_handler_uses_the_proof_up(enterprise: Enterprise) -> None:
    assert isinstance(named(enterprise, organisation_people.record_handler), OrganisationFile)
    assert used_by(enterprise) == ORGANISATION
    assert codes(ordered(enterprise, None, ProductClass.VOICE)) == ["SESSION_CONSUMED"]
    private = transact(
        enterprise.engine,
        lambda connection: register_line(
            enterprise.tools,
            connection,
            RegisterLine(OPERATOR, NUMBER, PROOF),
            policy=enterprise.registration_policy,
            now=enterprise.now,
        ),
    )
    assert "SESSION_CONSUMED" in codes(private)


def test_a_key_service_of_that_organisation_rests_on_it(enterprise: Enterprise) -> None:
    named(enterprise, organisation_people.record_handler)
    assert isinstance(ordered(enterprise, ORGANISATION, ProductClass.PRIVATE_LINE), OrderTaken)
    confirm(enterprise)
    line = opened(enterprise)
    assert isinstance(line, Line), line
    assert used_by(enterprise) == line.line_id
    assert opened(enterprise) == line  # twice is once
    again = named(enterprise, organisation_people.record_handler)
    assert again.organisation.handler_session == PROOF


def test_an_order_of_another_organisation_does_not(enterprise: Enterprise) -> None:
    named(enterprise, organisation_people.record_handler)
    refused = ordered(enterprise, "ORG-0081-0G3G-50C7-1", ProductClass.PRIVATE_LINE)
    assert "SESSION_CONSUMED" in codes(refused)


def test_a_refused_line_leaves_the_proof_with_the_organisation(enterprise: Enterprise) -> None:
    named(enterprise, organisation_people.record_handler)
    ordered(enterprise, ORGANISATION, ProductClass.PRIVATE_LINE)
    assert not isinstance(opened(enterprise), Line)  # no terms, no confirmation
    assert used_by(enterprise) == ORGANISATION


def test_a_proof_that_registered_a_line_names_nobody(enterprise: Enterprise) -> None:
    with unit_of_work(enterprise.engine) as connection:
        connection.execute(sa.text("UPDATE proofing_sessions SET consumed_by = 'REG-1'"))
    for verb in (organisation_people.record_handler, organisation_people.record_proven_responsible_person):
        assert codes(named(enterprise, verb)) == ["SESSION_CONSUMED"]


def test_a_proven_person_answers_for_the_lines(enterprise: Enterprise) -> None:
    enterprise.prove("SES-ANSWERS", "p1.answers")
    done = named(enterprise, organisation_people.record_proven_responsible_person, "SES-ANSWERS")
    organisation = done.organisation
    assert (organisation.responsible_session, organisation.responsible_evidence) == ("SES-ANSWERS", None)
    assert done.standing.refusals == ()
    assert used_by(enterprise, "SES-ANSWERS") == ORGANISATION
    again = named(enterprise, organisation_people.record_proven_responsible_person, "SES-ANSWERS")
    assert again.organisation == organisation  # twice is once
    late = enterprise.at(NOW + timedelta(days=1))
    late_one = named(late, organisation_people.record_proven_responsible_person, PROOF)
    assert codes(late_one) == ["SESSION_TOO_OLD"]


def test_one_proof_may_name_the_same_person_in_both_roles(enterprise: Enterprise) -> None:
    for verb in (organisation_people.record_handler, organisation_people.record_proven_responsible_person):
        assert isinstance(named(enterprise, verb), OrganisationFile)
    organisation = enterprise.organisation()
    assert organisation.handler_session == organisation.responsible_session == PROOF


def kept(enterprise: Enterprise, session: str) -> list[tuple[Any, ...]]:
    query = sa.text("SELECT line_id, retain_until FROM evidence WHERE case_reference = :case")
    with reading(enterprise.engine) as connection:
        return [tuple(row) for row in connection.execute(query, {"case": session})]


def test_what_was_proven_is_kept_while_the_person_acts(enterprise: Enterprise) -> None:
    named(enterprise, organisation_people.record_handler)
    with unit_of_work(enterprise.engine) as connection:
        settle_waiting_evidence(connection, NOW + timedelta(days=2))
    assert kept(enterprise, PROOF) == [(ORGANISATION, None)]
    enterprise.prove("SES-NEXT", "p1.next")
    named(enterprise, organisation_people.record_handler, "SES-NEXT")
    ((_, until),) = kept(enterprise, PROOF)
    assert until is not None  # its clock runs since somebody else acts
    assert kept(enterprise, "SES-NEXT")[0][1] is None
    organisation = enterprise.organisation()
    with unit_of_work(enterprise.engine) as connection:
        organisations.close_organisation(enterprise.desk, connection, organisation)
    assert kept(enterprise, "SES-NEXT")[0][1] is not None
