"""Key voice services on both engines: who gets one, the cap under a race, and what a line may show when."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.database import reading, transact, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import Channel, EntryKind, HolderKind, ProductClass
from shiming.privacy.use_cases.vault import stage_evidence
from shiming.registrations.model.lines import Line, LineKind, LineStatus, SimForm
from shiming.registrations.model.number_sets import (
    AuthorisedNumber,
    KeyServiceRefused,
    NumberAuthorised,
    ValidityPeriod,
)
from shiming.registrations.model.orders import (
    ConfirmationMethod,
    LineConfirmation,
    LineOrder,
    TermsAcceptance,
)
from shiming.registrations.rules.key_services import (
    KEY_SERVICES,
    TTL_SECONDS_MAX,
    decide_key_service,
    decide_shown_number,
    ttl_seconds,
)
from shiming.registrations.store.orders import add_order
from shiming.registrations.use_cases import key_services
from shiming.registrations.use_cases.lines import terminate_line
from shiming.vocabulary.errors import BadInput
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
    the_policy,
)

POLICY = the_policy()
TERMS = TermsAcceptance("2026-01", "sha256:" + "2" * 64, NOW, Channel.SHOP)
ELSEWHERE = Msisdn.parse("+8613999999999")


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url)
    yield made
    made.engine.dispose()


def an_order(enterprise: Enterprise, index: int, *, person: str = HANDLER, **changes: Any) -> LineOrder:
    """Everything that a line of a key service needs, in the order of a session of its own."""
    session = enterprise.prove(f"SES-KEY{index}", person)
    number = Msisdn(next(some_numbers(1, first=index)))
    order = LineOrder(
        session_id=session,
        operator=OPERATOR,
        entry=EntryKind.OPEN,
        kind=LineKind.MOBILE,
        product_class=ProductClass.PRIVATE_LINE,
        channel=Channel.SHOP,
        created_at=NOW,
        identifier=number,
        holder_kind=HolderKind.ORGANISATION,
        organisation=ORGANISATION,
        iccid=a_card(index),
        sim_form=SimForm.PHYSICAL,
        terms=TERMS,
        confirmation=LineConfirmation(number, ConfirmationMethod.READ_BACK, NOW),
    )
    order = replace(order, **changes)
    with unit_of_work(enterprise.engine) as connection:
        assert add_order(connection, order)
    return order


def opened(enterprise: Enterprise, session: str) -> Line | KeyServiceRefused:
    return transact(
        enterprise.engine,
        lambda connection: key_services.open_key_service(
            enterprise.desk,
            connection,
            session,
            operator=OPERATOR,
            registration=enterprise.registration_policy,
        ),
    )


def a_line(enterprise: Enterprise, index: int = 1) -> Line:
    line = opened(enterprise, an_order(enterprise, index).session_id)
    assert isinstance(line, Line), line
    return line


def codes(outcome: object) -> list[str]:
    assert isinstance(outcome, KeyServiceRefused), outcome
    return [refusal.code.value for refusal in outcome.refusals]


def authorised(
    enterprise: Enterprise,
    line: Line,
    number: Msisdn,
    begins: datetime = NOW,
    until: datetime | None = None,
    *,
    by: str | None = None,
) -> NumberAuthorised | KeyServiceRefused:
    return transact(
        enterprise.engine,
        lambda connection: key_services.authorise_number(
            enterprise.desk, connection, line, number, ValidityPeriod(begins, until), authorised_by=by
        ),
    )


def withdrawn(enterprise: Enterprise, line: Line, number: Msisdn, at: datetime | None = None) -> Any:
    return transact(
        enterprise.engine,
        lambda connection: key_services.withdraw_number(enterprise.desk, connection, line, number, at=at),
    )


def shown(enterprise: Enterprise, line: Line, at: datetime = NOW) -> tuple[set[str], int]:
    with reading(enterprise.engine) as connection:
        known = key_services.authorised_numbers(connection, line.line_id, at)
    return set(known.numbers), known.ttl_seconds


def a_paper(enterprise: Enterprise, line: Line) -> str:
    staged = stage_evidence(
        enterprise.tools.privacy,
        enterprise.engine,
        key_services.authorisation_of(line),
        source=BytesIO(b"\xff\xd8\xff a paper"),
        retention=enterprise.policy.retention,
        now=NOW,
    )
    ref = transact(
        enterprise.engine,
        lambda connection: key_services.keep_authorisation(enterprise.desk, connection, staged),
    )
    return ref.evidence_id


def test_the_handler_opens_a_line_for_the_organisation(enterprise: Enterprise) -> None:
    order = an_order(enterprise, 1)
    line = opened(enterprise, order.session_id)
    assert isinstance(line, Line), line
    assert (line.subject, line.status) == (ORGANISATION, LineStatus.PENDING)
    again = opened(enterprise, order.session_id)
    assert isinstance(again, Line)
    assert again.line_id == line.line_id
    with reading(enterprise.engine) as connection:
        assert key_services.find_key_service(connection, line.line_id) is not None
        assert key_services.find_key_service(connection, "REG-NONE") is None


def test_private_persons_and_strangers_get_none(enterprise: Enterprise) -> None:
    person = an_order(enterprise, 1, holder_kind=HolderKind.PERSON, organisation=None)
    assert codes(opened(enterprise, person.session_id)) == ["KEY_SERVICE_CORPORATE_ONLY"]
    stranger = an_order(enterprise, 2, person="p1.stranger")
    assert codes(opened(enterprise, stranger.session_id)) == ["HANDLER_DIFFERS"]
    card = an_order(enterprise, 3, product_class=ProductClass.VOICE)
    assert codes(opened(enterprise, card.session_id)) == ["NOT_A_KEY_SERVICE"]
    assert codes(opened(enterprise, "SES-NONE")) == ["ORDER_MISSING"]
    nobody = an_order(enterprise, 4, organisation=None)
    assert codes(opened(enterprise, nobody.session_id)) == ["HANDLER_DIFFERS"]


def test_five_of_a_category_and_no_more_whoever_is_faster(enterprise: Enterprise) -> None:
    cap = POLICY.caps["private_line_numbers"].lines_per_holder_max.value
    sessions = [an_order(enterprise, index).session_id for index in range(1, cap + 4)]
    with ThreadPoolExecutor(4) as crew:
        done = list(crew.map(lambda session: opened(enterprise, session), sessions))
    assert len([each for each in done if isinstance(each, Line)]) == cap
    assert {code for each in done if not isinstance(each, Line) for code in codes(each)} == {"CAP_REACHED"}
    other = an_order(enterprise, 50, product_class=ProductClass.SWITCHBOARD)
    assert isinstance(opened(enterprise, other.session_id), Line)


def test_an_own_number_is_shown_from_when_to_when(enterprise: Enterprise) -> None:
    line, other = a_line(enterprise, 1), a_line(enterprise, 2)
    number = other.number
    assert isinstance(number, Msisdn)
    begins, until = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    done = authorised(enterprise, line, number, begins, until)
    assert isinstance(done, NumberAuthorised)
    assert done.entry.own
    assert authorised(enterprise, line, number, begins, until) == replace(done, repeated=True)
    text = number.reveal("test")
    assert shown(enterprise, line) == (set(), TTL_SECONDS_MAX)
    assert shown(enterprise, line, begins - timedelta(seconds=7)) == (set(), 7)
    assert shown(enterprise, line, begins) == ({text}, TTL_SECONDS_MAX)
    assert shown(enterprise, line, until - timedelta(seconds=3)) == ({text}, 3)
    assert shown(enterprise, line, until) == (set(), TTL_SECONDS_MAX)
    with reading(enterprise.engine) as connection:
        told = connection.execute(sa.select(outbox.c.facts).where(outbox.c.type.like("number_set.%"))).all()
    assert len(told) == 1
    assert text not in str(told)


def test_a_number_of_somebody_else_needs_their_paper(enterprise: Enterprise) -> None:
    line, other = a_line(enterprise, 1), a_line(enterprise, 2)
    assert codes(authorised(enterprise, line, ELSEWHERE)) == ["NUMBER_NOT_OWN"]
    assert codes(authorised(enterprise, line, ELSEWHERE, by="EVD-NONE")) == ["NUMBER_NOT_OWN"]
    paper = a_paper(enterprise, other)
    assert codes(authorised(enterprise, line, ELSEWHERE, by=paper)) == ["NUMBER_NOT_OWN"]
    done = authorised(enterprise, line, ELSEWHERE, by=a_paper(enterprise, line))
    assert isinstance(done, NumberAuthorised)
    assert not done.entry.own
    assert shown(enterprise, line)[0] == {ELSEWHERE.reveal("test")}


def test_withdrawing_ends_all_periods_of_a_number(enterprise: Enterprise) -> None:
    line = a_line(enterprise)
    number = line.number
    assert isinstance(number, Msisdn)
    authorised(enterprise, line, number, NOW - timedelta(hours=1), NOW + timedelta(days=1))
    authorised(enterprise, line, number, NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=3)
    assert shown(enterprise, line, later)[0]
    assert len(withdrawn(enterprise, line, number)) == 2
    for at in (NOW, NOW + timedelta(hours=2), later, NOW + timedelta(days=400)):
        assert shown(enterprise, line, at)[0] == set()
    assert shown(enterprise, line, NOW - timedelta(minutes=1))[0]  # what was shown then was right
    assert codes(withdrawn(enterprise, line, number)) == ["NUMBER_NOT_IN_SET"]
    with reading(enterprise.engine) as connection:
        assert len(key_services.list_number_set(connection, line.line_id)) == 2
    again = authorised(enterprise, line, number, NOW + timedelta(hours=1))
    assert isinstance(again, NumberAuthorised)
    assert not again.repeated


def test_a_line_that_has_ended_shows_nothing(enterprise: Enterprise) -> None:
    line = a_line(enterprise)
    number = line.number
    assert isinstance(number, Msisdn)
    authorised(enterprise, line, number)
    ended = transact(
        enterprise.engine,
        lambda connection: terminate_line(
            enterprise.tools,
            connection,
            line.line_id,
            why="holder_asked",
            policy=enterprise.registration_policy,
            now=NOW,
        ),
    )
    assert ended is not None
    assert shown(enterprise, line)[0] == set()
    assert codes(authorised(enterprise, ended, number)) == ["KEY_SERVICE_LINE_ENDED"]


# -- rules ---------------------------------------------------------------------------------------------


@given(st.sampled_from(ProductClass), st.sampled_from(HolderKind), st.booleans(), st.integers(0, 9))
def test_exactly_organisations_with_their_handler_below_the_cap_get_one(
    product: ProductClass,
    holder: HolderKind,
    handler: bool,
    held: int,
) -> None:
    refusals = decide_key_service(product, holder, handler_proven=handler, numbers_held=held, policy=POLICY)
    fits = product in KEY_SERVICES and holder is HolderKind.ORGANISATION and handler and held < 5
    assert bool(refusals) is not fits
    assert all(refusal.citation.partition(":")[0] in POLICY.sources for refusal in refusals)


def test_a_category_without_a_cap_is_not_counted() -> None:
    products = dict(POLICY.products)
    uncounted = products[ProductClass.TOLL_FREE].model_copy(update={"cap_of_organisation": None})
    products[ProductClass.TOLL_FREE] = uncounted
    policy = POLICY.model_copy(update={"products": products})
    toll_free, holder = ProductClass.TOLL_FREE, HolderKind.ORGANISATION
    assert not decide_key_service(toll_free, holder, handler_proven=True, numbers_held=99, policy=policy)


@pytest.mark.parametrize(("own", "paper"), [(True, False), (False, True), (True, True), (False, False)])
def test_a_number_is_own_or_covered(own: bool, paper: bool) -> None:
    refusals = decide_shown_number(ProductClass.PRIVATE_LINE, own=own, authorised=paper, policy=POLICY)
    assert bool(refusals) is not (own or paper)


offsets = st.integers(-1000, 1000)


@given(st.lists(st.tuples(offsets, st.none() | st.integers(1, 500)), max_size=6), offsets)
def test_an_answer_holds_until_the_next_change(spans: list[tuple[int, int | None]], at: int) -> None:
    def instant(seconds: int) -> datetime:
        return NOW + timedelta(seconds=seconds)

    entries = [
        AuthorisedNumber(
            f"NSE-{index}", "REG-1", OPERATOR, "+1", instant(begins),
            None if length is None else instant(begins + length), own=True, authorised_by=None, added_at=NOW,
        )
        for index, (begins, length) in enumerate(spans)
    ]  # fmt: skip
    ttl = ttl_seconds(entries, instant(at))
    assert 1 <= ttl <= TTL_SECONDS_MAX
    for later in range(at, at + ttl):
        assert [each.holds_at(instant(later)) for each in entries] == [
            each.holds_at(instant(at)) for each in entries
        ]


def test_a_validity_does_not_end_before_it_begins() -> None:
    with pytest.raises(BadInput, match="VALIDITY_ORDER"):
        ValidityPeriod(NOW, NOW)
    period = ValidityPeriod(NOW, NOW + timedelta(seconds=1))
    assert NOW in period
    assert NOW + timedelta(seconds=1) not in period
    assert "now" not in period
