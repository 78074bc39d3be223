"""Numbers leave and come in, on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.jurisdictions.model import EntryKind
from shiming.registrations.model.lines import LineStatus, SimForm
from shiming.registrations.model.numbers import NumberState
from shiming.registrations.model.registration import LineRegistered, RegisterLine, RegistrationRefused
from shiming.registrations.store.orders import add_order
from shiming.registrations.store.tables import numbers_in_use
from shiming.registrations.use_cases.numbers import number_facts
from shiming.registrations.use_cases.registering import register_line
from shiming.transfers.connectors.fake import SETTLED, FakeDonor
from shiming.transfers.connectors.unconfigured import NoDonor
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.porting import (
    Authorised,
    ConfirmPortIn,
    DonorAnswer,
    DonorVerdict,
    PortIn,
    PortOut,
    PortState,
)
from shiming.transfers.use_cases.port_in import ask_donor, complete_port_in, confirm_port_in, get_port_in
from shiming.transfers.use_cases.port_out import (
    authorise_port_out,
    cancel_port_out,
    complete_port_out,
    expire_ports,
    get_port_out,
)
from shiming.vocabulary.errors import BadInput
from tests.registrations.builders import ICCID, a_number, add_block
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OPERATOR,
    RECEIVER,
    TransferDesk,
    a_line,
    a_transfer_desk,
    an_order_for,
    codes,
)


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[TransferDesk]:
    desk = a_transfer_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def authorise(
    desk: TransferDesk, line_id: str, session_id: str = "SES-P", *, now: datetime = LATER
) -> Authorised | TransferRefused:
    desk.prove(session_id, GIVER, at=now)
    found: Authorised | TransferRefused = desk.run(
        lambda c: authorise_port_out(
            desk.tools, c, line_id, session_id, standing=SETTLED, policy=desk.policy, now=now
        )
    )
    return found


def complete(desk: TransferDesk, port_id: str, code: str, *, now: datetime = LATER) -> Any:
    return desk.run(
        lambda c: complete_port_out(
            desk.tools, c, port_id, code, recipient="cn-unicom", policy=desk.policy, now=now
        )
    )


def test_a_number_leaves_with_its_code_and_is_not_given_out_again(counter: TransferDesk) -> None:
    with unit_of_work(counter.engine) as connection:
        add_block(connection, a_number(1))
    line_id = counter.line()
    given = authorise(counter, line_id)
    assert isinstance(given, Authorised)
    assert given.code not in repr(given)
    done = complete(counter, given.port.port_id, given.code)
    assert isinstance(done, PortOut)
    assert done.state is PortState.COMPLETED
    line = counter.held(line_id).line
    assert (line.status, line.terminated_why) == (LineStatus.TERMINATED, "ported_out")
    with reading(counter.engine) as connection:
        facts = number_facts(connection, a_number(1))
        assert connection.execute(numbers_in_use.select()).all() == []
        told = connection.execute(sa.select(outbox.c.type)).scalars().all()
    assert "line.terminated" in told
    assert "number.rests" not in told  # it goes on elsewhere
    assert facts.hold is not None
    assert facts.hold.state is NumberState.RESERVED
    assert facts.hold.held_for == given.port.port_id
    assert facts.hold.until.year == 9999
    assert complete(counter, given.port.port_id, given.code) == done  # twice is once


def test_wrong_codes_are_counted_and_soon_void_the_right_one(counter: TransferDesk) -> None:
    given = authorise(counter, counter.line())
    assert isinstance(given, Authorised)
    wrong = "0" * 8 if given.code != "0" * 8 else "1" * 8
    for _ in range(5):
        assert "PORT_CODE_WRONG" in codes(complete(counter, given.port.port_id, wrong))
    assert codes(complete(counter, given.port.port_id, given.code)) == {"PORT_CODE_EXPIRED"}


def test_a_line_has_one_open_port_and_a_proof_gives_one(counter: TransferDesk) -> None:
    line_id = counter.line()
    first = authorise(counter, line_id)
    assert isinstance(first, Authorised)
    assert codes(authorise(counter, line_id, "SES-P2")) == {"PORT_ALREADY_OPEN"}
    ended = counter.run(
        lambda c: cancel_port_out(counter.tools, c, first.port.port_id, policy=counter.policy, now=LATER)
    )
    assert ended.state is PortState.CANCELLED
    assert codes(complete(counter, first.port.port_id, first.code)) == {"PORT_STATE"}
    assert isinstance(authorise(counter, line_id, "SES-P3"), Authorised)
    again = counter.run(
        lambda c: authorise_port_out(
            counter.tools, c, line_id, "SES-P3", standing=SETTLED, policy=counter.policy, now=LATER
        )
    )
    assert codes(again) >= {"SESSION_CONSUMED", "PORT_ALREADY_OPEN"}


def test_what_has_run_out_is_marked_and_may_be_asked_for_anew(counter: TransferDesk) -> None:
    line_id, next_day = counter.line(), LATER + timedelta(days=1)
    first = authorise(counter, line_id)
    assert isinstance(first, Authorised)
    assert codes(complete(counter, first.port.port_id, first.code, now=next_day)) == {"PORT_CODE_EXPIRED"}
    assert isinstance(authorise(counter, line_id, "SES-P2", now=next_day), Authorised)
    assert expire_ports(counter.tools, counter.engine, now=next_day) == 0  # done on the way
    assert expire_ports(counter.tools, counter.engine, now=next_day + timedelta(days=1)) == 1
    refused = counter.run(
        lambda c: cancel_port_out(counter.tools, c, first.port.port_id, policy=counter.policy, now=next_day)
    )
    assert codes(refused) == {"PORT_STATE"}


def test_a_line_that_is_being_ported_changes_neither_holder_nor_sim(counter: TransferDesk) -> None:
    line_id = counter.line()
    authorise(counter, line_id)
    assert codes(counter.transfer(counter.prepare(line_id))) == {"TRANSFER_PORT_PENDING"}


def test_a_stop_after_the_authorisation_keeps_the_number(counter: TransferDesk) -> None:
    given = authorise(counter, counter.line())
    assert isinstance(given, Authorised)
    counter.desk.terminate(given.port.line_id, now=LATER)
    found = codes(complete(counter, given.port.port_id, given.code))
    assert found == {"PORT_HOLDER_CHANGED", "TRANSFER_LINE_NOT_IN_SERVICE"}


def test_a_port_that_is_not_there(counter: TransferDesk) -> None:
    with reading(counter.engine) as connection:
        for find in (get_port_out, get_port_in):
            with pytest.raises(BadInput, match="PORT_UNKNOWN"):
                find(connection, "PRT-0")


# -- in --------------------------------------------------------------------------------------------------


def a_port_in_order(desk: TransferDesk, **changes: Any) -> None:
    line = a_line(number=a_number(7))
    order = an_order_for(
        line, "SES-IN", EntryKind.PORT_IN, iccid=ICCID, imsi="460001234567890", sim_form=SimForm.PHYSICAL
    )
    with unit_of_work(desk.engine) as connection:
        add_order(connection, replace(order, **changes))


def confirm(
    desk: TransferDesk, authorisation: str = "CODE-1", *, operator: str = OPERATOR
) -> PortIn | TransferRefused:
    command = ConfirmPortIn("SES-IN", "cn-unicom", a_number(7), authorisation)
    answer = ask_donor(desk.tools, command, recipient=operator)
    found: PortIn | TransferRefused = desk.run(
        lambda c: confirm_port_in(
            desk.tools, c, command, operator=operator, answer=answer, policy=desk.policy, now=LATER
        )
    )
    return found


def register(desk: TransferDesk, *, now: datetime = LATER) -> LineRegistered | RegistrationRefused:
    rules = desk.tools.registration(desk.policy)
    command = RegisterLine(OPERATOR, a_number(7), "SES-IN")

    def work(connection: Connection) -> LineRegistered | RegistrationRefused:
        return register_line(desk.tools.registrations, connection, command, policy=rules, now=now)

    found: LineRegistered | RegistrationRefused = desk.run(work)
    return found


def with_donor(desk: TransferDesk, answer: DonorAnswer) -> TransferDesk:
    return replace(desk, tools=replace(desk.tools, donor=FakeDonor({"CODE-1": answer})))


CONFIRMED = DonorAnswer(DonorVerdict.CONFIRMED, "DON-1", LATER, LATER + timedelta(minutes=20))


def test_a_number_comes_in_when_the_donor_agrees(counter: TransferDesk) -> None:
    desk = with_donor(counter, CONFIRMED)
    desk.prove("SES-IN", RECEIVER)
    a_port_in_order(desk)
    before = register(desk)
    assert isinstance(before, RegistrationRefused)
    assert {refusal.code.value for refusal in before.refusals} == {"DONOR_NOT_CONFIRMED"}
    port = confirm(desk)
    assert isinstance(port, PortIn)
    assert port.expires_at == CONFIRMED.expires_at
    assert confirm(desk) == port
    late = register(desk, now=LATER + timedelta(minutes=21))
    assert isinstance(late, RegistrationRefused)
    done = register(desk)
    assert isinstance(done, LineRegistered), done
    for _ in range(2):
        desk.run(lambda c: complete_port_in(desk.tools, c, done.receipt["line"]["id"], now=LATER))
    with reading(desk.engine) as connection:
        ended = get_port_in(connection, port.port_id)
    assert (ended.state, ended.line_id) == (PortState.COMPLETED, done.receipt["line"]["id"])


def test_no_number_comes_in_without_agreement_order_and_proof(counter: TransferDesk) -> None:
    desk = with_donor(counter, CONFIRMED)
    assert codes(confirm(desk)) == {"SESSION_UNKNOWN", "TRANSFER_ORDER_MISSING"}
    desk.prove("SES-IN", RECEIVER)
    a_port_in_order(desk, identifier=a_number(8))
    assert codes(confirm(desk)) == {"TRANSFER_ORDER_MISSING"}
    assert codes(confirm(desk, "ANOTHER")) == {"TRANSFER_ORDER_MISSING", "PORT_DONOR_REFUSED"}
    silent = replace(desk, tools=replace(desk.tools, donor=NoDonor()))
    assert codes(confirm(silent)) == {"TRANSFER_ORDER_MISSING", "PORT_DONOR_UNKNOWN"}


def test_a_number_of_the_own_pool_comes_in_only_after_it_left(counter: TransferDesk) -> None:
    desk = with_donor(counter, CONFIRMED)
    desk.prove("SES-IN", RECEIVER)
    a_port_in_order(desk)
    with unit_of_work(desk.engine) as connection:
        add_block(connection, a_number(7))
    assert codes(confirm(desk)) == {"PORT_NUMBER_OWN"}
    line_id = desk.line(GIVER, 7)
    assert codes(confirm(desk)) == {"PORT_NUMBER_OWN", "PORT_NUMBER_IN_USE"}
    given = authorise(desk, line_id)
    assert isinstance(given, Authorised)
    complete(desk, given.port.port_id, given.code)
    assert isinstance(confirm(desk), PortIn)
    assert isinstance(register(desk), LineRegistered)
