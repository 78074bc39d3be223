"""A new SIM, and a move to another address, on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import EntryKind, ProductClass, StopActor, StopReason
from shiming.privacy.use_cases.vault import list_metadata
from shiming.registrations.model.holding import ActKind
from shiming.registrations.model.lines import LineKind, SimForm
from shiming.registrations.model.sims import NewSim, SimAssigned
from shiming.registrations.store import sims as sim_store
from shiming.registrations.store.notices import notices
from shiming.registrations.store.orders import add_order
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.holding import list_acts
from shiming.registrations.use_cases.sims import assign_sim, sims_of_line, swap_date
from shiming.registrations.use_cases.stops import set_stop
from shiming.transfers.model.moves import LineMoved
from shiming.transfers.model.outcomes import TransferRefused
from shiming.transfers.model.sim_replacement import SimReplaced
from shiming.transfers.use_cases.following import follow_holder_change, follow_termination
from shiming.transfers.use_cases.moves import move_line
from shiming.transfers.use_cases.sim_replacement import BAR_SOURCE, replace_sim_of_line
from shiming.vocabulary.sim_identifiers import Iccid, Imsi
from tests.privacy.builders import NOW
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OPERATOR,
    OTHER,
    TransferDesk,
    a_transfer_desk,
    an_order_for,
    codes,
)

FIRST, SECOND = Iccid.parse("89860112851234567891"), Iccid.parse("89860000000000000001")


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[TransferDesk]:
    desk = a_transfer_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def a_line_with_a_card(desk: TransferDesk, index: int = 1) -> str:
    line_id = desk.line(index=index)

    def work(connection: Connection) -> Any:
        cards = [
            NewSim(FIRST, OPERATOR, Imsi.parse("460001234567890"), SimForm.PHYSICAL),
            NewSim(SECOND, OPERATOR, Imsi.parse("460001234567891"), SimForm.ESIM),
        ]
        sim_store.add_sims(connection, cards, NOW)
        return assign_sim(desk.tools.registrations, connection, line_id, FIRST, now=NOW, policy=desk.policy)

    assert isinstance(desk.run(work), SimAssigned)
    return line_id


def order_card(desk: TransferDesk, line_id: str, session_id: str = "SES-S", card: Iccid = SECOND) -> None:
    desk.prove(session_id, GIVER)
    desk.order(
        line_id,
        session_id,
        EntryKind.SIM_REPLACEMENT,
        iccid=card.reveal("ordered"),
        sim_form=SimForm.ESIM,
        imsi="460001234567891",
    )


def swap(desk: TransferDesk, line_id: str, session_id: str = "SES-S") -> SimReplaced | TransferRefused:
    found: SimReplaced | TransferRefused = desk.run(
        lambda c: replace_sim_of_line(desk.tools, c, line_id, session_id, policy=desk.policy, now=LATER)
    )
    return found


def test_a_new_card_bars_sms_lifts_the_loss_and_tells_the_holder(counter: TransferDesk) -> None:
    line_id = a_line_with_a_card(counter)
    other_line = counter.line(index=2)
    counter.run(
        lambda c: set_stop(
            counter.tools.registrations,
            c,
            line_id,
            reason=StopReason.LOST_SIM,
            actor=StopActor.CLERK,
            reference="LOSS-1",
            now=LATER,
            policy=counter.policy,
        )
    )
    order_card(counter, line_id)
    done = swap(counter, line_id)
    assert isinstance(done, SimReplaced), done
    assert done.sms_barred_until == LATER + timedelta(hours=24)
    held = counter.held(line_id)
    assert held.stops == frozenset()
    assert (held.line.session_id, held.acts, held.held_since) == ("SES-OLD-1", 2, NOW)
    with reading(counter.engine) as connection:
        changed = swap_date(connection, line_id)
        uses = sims_of_line(connection, line_id)
        told = connection.execute(notices.select()).one()
        bars = connection.exec_driver_sql("SELECT source FROM line_profiles").scalars().all()
    assert changed is not None
    assert (changed.at, changed.swapped) == (LATER, True)
    assert [use.iccid for use in uses] == [FIRST, SECOND]
    assert (told.template, told.line_id) == ("sim_replaced", other_line)  # not on the line that may be stolen
    assert bars == [BAR_SOURCE]
    assert swap(counter, line_id) == done  # twice is once


def test_a_card_that_is_not_in_stock_changes_nothing(counter: TransferDesk) -> None:
    line_id = a_line_with_a_card(counter)
    order_card(counter, line_id, card=Iccid.parse("89014103211118510720"))
    assert codes(swap(counter, line_id)) == {"SIM_UNKNOWN"}
    assert counter.held(line_id).acts == 1
    order_card(counter, line_id, "SES-S2")
    assert isinstance(swap(counter, line_id, "SES-S2"), SimReplaced)


def test_somebody_else_gets_no_card_and_a_proof_serves_once(counter: TransferDesk) -> None:
    line_id = a_line_with_a_card(counter)
    order_card(counter, line_id)
    counter.prove("SES-S", OTHER)
    assert codes(swap(counter, line_id)) == {"TRANSFER_HOLDER_NOT_PROVEN"}
    counter.prove("SES-S", GIVER, consumed_by="REG-other")
    assert codes(swap(counter, line_id)) == {"SESSION_CONSUMED"}


def test_a_handler_replaces_the_card_of_an_organisation(counter: TransferDesk) -> None:
    line_id = a_line_with_a_card(counter)
    with unit_of_work(counter.engine) as connection:
        connection.execute(lines.update().values(subject="ORG-1"))
    order_card(counter, line_id)
    assert codes(swap(counter, line_id)) == {"TRANSFER_HOLDER_NOT_PROVEN"}
    handled = replace(
        counter,
        tools=replace(counter.tools, is_handler=lambda _c, of, who, _now: (of, who) == ("ORG-1", GIVER)),
    )
    assert isinstance(swap(handled, line_id), SimReplaced)


# -- moves -------------------------------------------------------------------------------------------------


def a_fixed_line(desk: TransferDesk, place: str = "EVD-OLD") -> str:
    line_id = desk.line()
    fixed = {"kind": LineKind.FIXED.value, "product_class": ProductClass.FIXED.value}
    with unit_of_work(desk.engine) as connection:
        connection.execute(lines.update().where(lines.c.line_id == line_id).values(**fixed))
    held = desk.held(line_id)
    first = an_order_for(held.line, "SES-OLD-1", EntryKind.OPEN, install_address=place)
    with unit_of_work(desk.engine) as connection:
        add_order(connection, first)
    return line_id


def go(desk: TransferDesk, line_id: str, session_id: str = "SES-M") -> LineMoved | TransferRefused:
    found: LineMoved | TransferRefused = desk.run(
        lambda c: move_line(desk.tools, c, line_id, session_id, policy=desk.policy, now=LATER)
    )
    return found


def test_a_line_moves_with_its_household_and_the_old_address_stays(counter: TransferDesk) -> None:
    line_id = a_fixed_line(counter)
    counter.prove("SES-M", GIVER)
    counter.order(line_id, "SES-M", EntryKind.MOVE, install_address="EVD-NEW")
    assert counter.held(line_id).place == "EVD-OLD"
    done = go(counter, line_id)
    assert isinstance(done, LineMoved), done
    held = counter.held(line_id)
    assert (done.place, held.place, held.acts, held.line.session_id) == ("EVD-NEW", "EVD-NEW", 2, "SES-OLD-1")
    with reading(counter.engine) as connection:
        acts = list_acts(connection, held.line)
    assert [act.kind for act in acts] == [ActKind.REGISTERED, ActKind.MOVE]
    assert go(counter, line_id) == done


def test_a_move_needs_a_new_address_and_the_holder(counter: TransferDesk) -> None:
    line_id = a_fixed_line(counter)
    counter.prove("SES-M", OTHER)
    counter.order(line_id, "SES-M", EntryKind.MOVE, install_address=None)
    assert codes(go(counter, line_id)) == {"TRANSFER_HOLDER_NOT_PROVEN", "INSTALL_ADDRESS_MISSING"}
    counter.prove("SES-M2", GIVER)
    counter.order(line_id, "SES-M2", EntryKind.MOVE, install_address="EVD-OLD")
    assert codes(go(counter, line_id, "SES-M2")) == {"NEW_ADDRESS_SAME"}
    assert codes(go(counter, line_id, "SES-M3")) == {"SESSION_UNKNOWN", "TRANSFER_ORDER_MISSING"}


def test_a_mobile_line_does_not_move(counter: TransferDesk) -> None:
    line_id = counter.line()
    counter.prove("SES-M", GIVER)
    counter.order(line_id, "SES-M", EntryKind.MOVE, install_address="EVD-NEW")
    assert codes(go(counter, line_id)) == {"LINE_HAS_NO_PLACE"}


def test_when_a_line_ends_the_clock_of_every_proof_for_it_starts(counter: TransferDesk) -> None:
    line_id = a_fixed_line(counter)
    counter.prove("SES-M", GIVER)
    counter.order(line_id, "SES-M", EntryKind.MOVE, install_address="EVD-NEW")
    assert isinstance(go(counter, line_id), LineMoved)
    counter.run(lambda c: follow_termination(counter.tools, c, line_id, policy=counter.policy))
    assert ends_of(counter, "SES-M") == [None]  # it has not ended
    counter.desk.terminate(line_id, now=LATER)
    counter.run(lambda c: follow_termination(counter.tools, c, line_id, policy=counter.policy))
    assert all(end is not None and end > LATER for end in ends_of(counter, "SES-M"))


def ends_of(desk: TransferDesk, session_id: str) -> list[Any]:
    with reading(desk.engine) as connection:
        return [each.retain_until for each in list_metadata(connection, case_reference=session_id)]


def test_what_follows_a_change_of_holder_can_run_twice(counter: TransferDesk) -> None:
    line_id = counter.line()
    counter.transfer(counter.prepare(line_id))
    for _ in range(2):
        counter.run(
            lambda c: follow_holder_change(counter.tools, c, line_id, policy=counter.policy, now=LATER)
        )
    counter.run(lambda c: follow_holder_change(counter.tools, c, "REG-0", policy=counter.policy, now=LATER))
