"""End users, stock, reconciliation and resale of industry cards, on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import StopReason
from shiming.registrations.errors.iot import EndUserRefusal
from shiming.registrations.model.iot import ContractStatus, IotContract
from shiming.registrations.model.iot_reports import ResaleCase, ResaleState, StockStatement
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.iot_cards import return_card
from shiming.registrations.use_cases.iot_contracts import get_contract
from shiming.registrations.use_cases.iot_reconciling import (
    ContractReconciled,
    Reconciled,
    reconcile,
    reconcile_contract,
    state_stock,
)
from shiming.registrations.use_cases.iot_reports import SoldDevice, report_end_users, report_table
from shiming.registrations.use_cases.iot_resale import (
    appeal_resale,
    dismiss_resale,
    find_case,
    follow_decision,
    get_case,
    report_resale,
    uphold_resale,
)
from shiming.registrations.use_cases.stops import line_status
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.sim_identifiers import Iccid
from tests.registrations.enterprise_builders import ORGANISATION
from tests.registrations.iot_builders import (
    OPERATOR,
    IotShop,
    an_iccid,
    an_iot_shop,
    stock_table,
    wanted,
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[IotShop]:
    shop = an_iot_shop(tmp_path, database_url)
    yield shop
    shop.engine.dispose()


def a_maker(shop: IotShop, cards: int = 4) -> IotContract:
    """A maker of devices with cards in them."""
    shop.stocked(cards)
    contract = shop.contract(sells_devices=True)
    shop.sell(contract, *(wanted(at) for at in range(cards)))
    return contract


def device(at: int, card: int | None = None, buyer: str = "") -> SoldDevice:
    return SoldDevice.parse(f"SN-{at}", an_iccid(at if card is None else card), buyer)


def report(shop: IotShop, contract: IotContract, *sold: SoldDevice) -> tuple[bool | EndUserRefusal, ...]:
    return shop.do(
        lambda connection: report_end_users(shop.desk, connection, contract.contract_id, list(sold))
    )


def test_who_bought_a_device_is_reported_once(shop: IotShop) -> None:
    contract = a_maker(shop)
    session = shop.proven("SES-BUYER", "p1.buyer")
    sold = [device(0, buyer=session), device(1, buyer=ORGANISATION), device(2)]
    assert report(shop, contract, *sold) == (True, True, True)
    assert report(shop, contract, *sold) == (False, False, False)
    assert report(shop, contract, device(2, buyer=session)) == (True,)  # the awaited buyer came
    assert len(shop.events("iot.end_users_reported")) == 2


def test_what_is_wrong_with_a_report_is_said_for_each_device(shop: IotShop) -> None:
    contract = a_maker(shop)
    shop.do(lambda connection: return_card(shop.iot, connection, Iccid.parse(an_iccid(3)), why="unsold"))
    assert report(shop, contract, device(0)) == (True,)
    found = report(
        shop,
        contract,
        device(7),
        device(3),
        device(1, buyer="SES-NOBODY"),
        device(1, buyer="ORG-NOBODY"),
        device(0, card=1),
        device(9, card=0),
        device(2),
    )
    assert found == (
        EndUserRefusal.CARD_NOT_OF_CONTRACT,
        EndUserRefusal.CARD_RETURNED,
        EndUserRefusal.BUYER_NOT_PROVEN,
        EndUserRefusal.BUYER_UNKNOWN,
        EndUserRefusal.DEVICE_HAS_OTHER_CARD,
        EndUserRefusal.CARD_IN_OTHER_DEVICE,
        True,
    )


def test_a_table_of_end_users(shop: IotShop) -> None:
    contract = a_maker(shop)
    rows = [("SN-0", an_iccid(0), ORGANISATION), ("SN-1", an_iccid(1), ""), ("SN-2", "12", ""), ("", "1", "")]
    content = stock_table(rows, "device_serial,iccid,buyer")

    def bring() -> list[object]:
        stream = BytesIO(content)
        done = report_table(
            shop.desk, shop.engine, contract.contract_id, stream=stream, name="sold.csv"
        ).to_json()
        bad = [(row["line"], row["column"], row["code"]) for row in done["bad_rows"]]
        return [done["added"], done["unchanged"], bad]

    bad = [(4, "iccid", "ICCID_FORMAT"), (5, "device_serial", "CELL_EMPTY")]
    assert bring() == [2, 0, bad]
    assert bring() == [0, 2, bad]


def test_only_makers_report_end_users(shop: IotShop) -> None:
    with pytest.raises(BadInput, match="IOT_NOT_A_MAKER"):
        report(shop, shop.contract(), device(0))
    with pytest.raises(BadInput, match="IOT_CONTRACT_UNKNOWN"):
        report(shop, replace(shop.contract(), contract_id="THG-NONE"), device(0))


def declared(shop: IotShop, contract: IotContract, sold: int, stock: int) -> ContractReconciled:
    statement = StockStatement(contract.contract_id, shop.desk.now.date(), sold, stock)
    return shop.do(lambda connection: state_stock(shop.desk, connection, statement))


def test_a_makers_statement_is_held_against_its_reports(shop: IotShop) -> None:
    contract = a_maker(shop)
    report(shop, contract, device(0), device(1, buyer=ORGANISATION))
    assert declared(shop, contract, sold=2, stock=2).differences == ()
    silent = declared(shop, contract, sold=3, stock=1)
    assert [(each.what.value, each.excess) for each in silent.differences] == [("sold", 1)]
    lost = declared(shop, contract, sold=2, stock=1)
    assert [(each.what.value, each.excess) for each in lost.differences] == [("stock", -1)]
    declared(shop, contract, sold=2, stock=1)
    assert len(shop.events("iot.stock_stated")) == 3
    assert lost.to_json()["differences"] == [{"what": "stock", "expected": 2, "found": 1}]
    with pytest.raises(BadInput, match="COUNT_INVALID"):
        declared(shop, contract, sold=-1, stock=1)
    tomorrow = StockStatement(contract.contract_id, (shop.desk.now + timedelta(days=1)).date(), 1, 1)
    with pytest.raises(BadInput, match="STATED_LATER"):
        shop.do(lambda connection: state_stock(shop.desk, connection, tomorrow))


def reconciled(shop: IotShop) -> Reconciled:
    with reading(shop.engine) as connection:
        return reconcile(connection, OPERATOR, shop.desk.policy)


def test_cards_and_lines_agree_until_a_line_is_gone(shop: IotShop) -> None:
    shop.stocked(3)
    contract = shop.contract()
    shop.sell(contract, wanted(0), wanted(1))
    whole = reconciled(shop)
    assert whole.agrees
    assert whole.to_json()["cards"] == {"stock": 1, "sold": 2, "returned": 0}
    gone = lines.c.line_id == shop.card(0).line_id
    with unit_of_work(shop.engine) as connection:
        values = {"status": LineStatus.TERMINATED.value, "terminated_at": shop.desk.now}
        connection.execute(sa.update(lines).where(gone).values(values))
    broken = reconciled(shop)
    assert not broken.agrees
    assert [each.contract for each in broken.differing] == [contract.contract_id]
    assert broken.without_line == ((contract.contract_id, shop.card(0).line_id),)
    with reading(shop.engine) as connection:
        (found,) = reconcile_contract(connection, contract.contract_id, shop.desk.policy).differences
    assert (found.what.value, found.excess) == ("sold", 1)


def a_case(shop: IotShop, contract: IotContract, card: int | None = None) -> ResaleCase:
    iccid = None if card is None else Iccid.parse(an_iccid(card))
    return shop.do(
        lambda connection: report_resale(
            shop.desk, connection, contract.contract_id, evidence="EVD-7", iccid=iccid
        )
    )


def open_stops(shop: IotShop, card: int) -> list[StopReason]:
    with reading(shop.engine) as connection:
        standing = line_status(connection, shop.card(card).line_id or "")
    assert standing
    return [stop.reason for stop in standing.open_stops]


def status_of(shop: IotShop, contract: IotContract) -> ContractStatus:
    return shop.do(lambda connection: get_contract(connection, contract.contract_id)).status


def test_a_reported_resale_suspends_and_a_dismissal_restores(shop: IotShop) -> None:
    contract = a_maker(shop, 2)
    case = a_case(shop, contract, card=0)
    assert status_of(shop, contract) is ContractStatus.SUSPENDED
    assert shop.enterprise.organisation().state is OrganisationState.SUSPENDED
    assert (open_stops(shop, 0), open_stops(shop, 1)) == ([StopReason.FENCE_BROKEN], [])
    dismissed = shop.do(lambda connection: dismiss_resale(shop.desk, connection, case, by="ACC-9"))
    assert (dismissed.state, dismissed.liable) == (ResaleState.DISMISSED, None)
    assert status_of(shop, contract) is ContractStatus.ACTIVE
    assert shop.enterprise.organisation().state is OrganisationState.COMPLETE
    assert follow_decision(shop.desk, shop.engine, case.case_id) == 1
    assert follow_decision(shop.desk, shop.engine, case.case_id) == 0
    assert open_stops(shop, 0) == []


def test_an_upheld_resale_makes_the_seller_liable_and_stops_every_line(shop: IotShop) -> None:
    contract = a_maker(shop, 3)
    case = a_case(shop, contract)
    upheld = shop.do(lambda connection: uphold_resale(shop.desk, connection, case, by="ACC-9"))
    assert (upheld.state, upheld.liable, upheld.decided_by) == (ResaleState.UPHELD, ORGANISATION, "ACC-9")
    assert follow_decision(shop.desk, shop.engine, case.case_id) == 3
    assert follow_decision(shop.desk, shop.engine, case.case_id) == 0
    assert all(open_stops(shop, at) == [StopReason.FENCE_BROKEN] for at in range(3))
    assert status_of(shop, contract) is ContractStatus.SUSPENDED
    refused = shop.concluded()
    assert not isinstance(refused, IotContract)
    assert [each.code.value for each in refused.refusals] == ["ORGANISATION_SUSPENDED"]


def test_an_appeal_is_decided_anew(shop: IotShop) -> None:
    contract = a_maker(shop, 1)
    case = a_case(shop, contract)
    with pytest.raises(BadInput, match="RESALE_CASE_CLOSED"):
        shop.do(lambda connection: appeal_resale(shop.desk, connection, case, appeal="EVD-8"))
    upheld = shop.do(lambda connection: uphold_resale(shop.desk, connection, case, by="ACC-9"))
    with pytest.raises(BadInput, match="RESALE_CASE_CLOSED"):
        shop.do(lambda connection: dismiss_resale(shop.desk, connection, upheld, by="ACC-9"))
    appealed = shop.do(lambda connection: appeal_resale(shop.desk, connection, upheld, appeal="EVD-8"))
    assert appealed.appeal == "EVD-8"
    assert follow_decision(shop.desk, shop.engine, case.case_id) == 0  # while the appeal is open
    decided = shop.do(lambda connection: dismiss_resale(shop.desk, connection, appealed, by="ACC-5"))
    assert shop.do(lambda connection: find_case(connection, case.case_id)) == decided
    assert status_of(shop, contract) is ContractStatus.ACTIVE


def test_while_another_case_goes_on_nothing_is_restored(shop: IotShop) -> None:
    contract = a_maker(shop, 1)
    first, _second = a_case(shop, contract), a_case(shop, contract)
    shop.do(lambda connection: dismiss_resale(shop.desk, connection, first, by="ACC-9"))
    assert status_of(shop, contract) is ContractStatus.SUSPENDED
    assert shop.enterprise.organisation().state is OrganisationState.SUSPENDED


def test_two_who_decide_at_once(shop: IotShop) -> None:
    case = a_case(shop, a_maker(shop, 1))
    shop.do(lambda connection: uphold_resale(shop.desk, connection, case, by="ACC-9"))
    with pytest.raises(BadInput, match="RESALE_CASE_CLOSED"):  # `case` is as it was before
        shop.do(lambda connection: dismiss_resale(shop.desk, connection, case, by="ACC-5"))


def test_what_is_not_there(shop: IotShop) -> None:
    contract = a_maker(shop, 1)
    with pytest.raises(BadInput, match="RESALE_CASE_UNKNOWN"):
        shop.do(lambda connection: get_case(connection, "RSE-NONE"))
    with pytest.raises(BadInput, match="RESALE_CASE_UNKNOWN"):
        follow_decision(shop.desk, shop.engine, "RSE-NONE")
    with pytest.raises(BadInput, match="IOT_CARD_UNKNOWN"):
        a_case(shop, contract, card=9)
