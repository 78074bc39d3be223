"""Industry cards on both engines: stock, contract, sale, sightings, return."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import Binding, Channel, StopReason
from shiming.registrations.model.iot import Area, CardState, ContractStatus, IotCard, IotContract
from shiming.registrations.model.lines import LineStatus, SimForm
from shiming.registrations.model.sims import NewSim
from shiming.registrations.store.provisioning_tables import line_profiles
from shiming.registrations.store.sims import add_sims
from shiming.registrations.store.sims import sims as sims_table
from shiming.registrations.store.tables import cap_counters
from shiming.registrations.use_cases.iot_cards import follow_termination, once_more, return_card, sell_table
from shiming.registrations.use_cases.iot_contracts import IotRefused, end_contract, list_contracts
from shiming.registrations.use_cases.iot_devices import Seen, Sighting, change_device, see_card
from shiming.registrations.use_cases.iot_sale import CardSold
from shiming.registrations.use_cases.sims import sims_of_line
from shiming.registrations.use_cases.stops import line_status
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.sim_identifiers import Iccid
from tests.registrations.iot_builders import (
    OPERATOR,
    IotShop,
    a_card,
    a_card_number,
    an_iccid,
    an_imei,
    an_imei_value,
    an_imsi,
    an_iot_shop,
    some_terms,
    stock_table,
    wanted,
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[IotShop]:
    shop = an_iot_shop(tmp_path, database_url)
    yield shop
    shop.engine.dispose()


def codes(outcome: CardSold | IotRefused | IotContract | IotCard) -> list[str]:
    return [each.code.value for each in outcome.refusals] if isinstance(outcome, IotRefused) else []


def general(shop: IotShop, **changes: object) -> IotContract:
    return shop.contract(scene="vehicle", cards_max=50, **changes)


def test_the_same_stock_twice_changes_nothing(shop: IotShop) -> None:
    assert (shop.stocked(3).added, shop.stocked(3).unchanged) == (3, 3)
    assert len(shop.events("iot.cards_imported")) == 1


def test_bad_rows_of_stock_are_named_and_stop_nobody(shop: IotShop) -> None:
    good = (an_iccid(1), an_imsi(1), a_card_number(1))
    rows = [
        good,
        ("123", an_imsi(2), a_card_number(2)),
        (an_iccid(3), "x", a_card_number(3)),
        (an_iccid(4), an_imsi(4), "12"),
        (an_iccid(5), an_imsi(1), a_card_number(5)),  # the IMSI of the first
        good,
        (an_iccid(6), an_imsi(6), ""),
    ]
    report = shop.bring_stock(stock_table(rows))
    assert (report.added, report.unchanged, report.refused) == (1, 1, 5)
    found = [(row["line"], row["column"], row["code"]) for row in report.to_json()["bad_rows"]]
    assert found[0] == (3, "iccid", "ICCID_FORMAT")
    assert found[1][:2] == (4, "imsi")
    assert found[2][:2] == (5, "number")
    assert found[3] == (6, "iccid", "CARD_EXISTS")
    assert found[4] == (8, "number", "CELL_EMPTY")


def test_a_contract_needs_its_assessment(shop: IotShop) -> None:
    later = shop.at(shop.desk.now + timedelta(days=200))
    assert isinstance(later.concluded(), IotContract)
    expired = shop.at(shop.desk.now + timedelta(days=290))
    assert codes(expired.concluded()) == []
    assert "IOT_CHANNEL_REFUSED" in codes(shop.concluded(channel=Channel.ONLINE))
    assert len(shop.events("iot.contract_concluded")) == 2
    with reading(shop.engine) as connection:
        assert len(list_contracts(connection, OPERATOR, after=None, limit=10)) == 2


def test_a_sold_card_has_a_line_a_fence_and_no_way_back_into_stock(shop: IotShop) -> None:
    shop.stocked(2)
    contract = shop.contract()
    sold, unknown = shop.sell(contract, wanted(0), wanted(7))
    assert isinstance(sold, CardSold), codes(sold)
    assert codes(unknown) == ["IOT_CARD_UNKNOWN"]
    card = shop.card(0)
    assert (card.state, card.imei) == (CardState.SOLD, an_imei_value(0))
    assert shop.line_status(card.line_id) is LineStatus.PENDING
    with reading(shop.engine) as connection:
        (row,) = connection.execute(line_profiles.select())
    assert row.line_id == card.line_id
    assert '"voice": false' in row.profile
    (again,) = shop.sell(contract, wanted(0))
    assert isinstance(again, CardSold)
    assert again.repeated
    assert codes(shop.sell(contract, wanted(0, imei=1))[0]) == ["IOT_CARD_NOT_IN_STOCK"]
    assert len(shop.events("iot.cards_sold")) == 1
    assert len(shop.events("line.registered")) == 1


def test_a_card_belongs_to_one_stock(shop: IotShop) -> None:
    sims = [NewSim(a_card(at).iccid, OPERATOR, a_card(at + 1).imsi, SimForm.PHYSICAL) for at in (0, 6)]
    shop.do(lambda connection: add_sims(connection, sims, shop.desk.now))  # with other subscriptions
    report = shop.stocked(3)  # of the second card, the subscription is the first one's in the other stock
    assert (report.added, [row.code for row in report.bad_rows]) == (1, ["CARD_EXISTS", "CARD_EXISTS"])
    contract = shop.contract()
    with unit_of_work(shop.engine) as connection:
        connection.execute(sims_table.update().values(state="assigned", line_id="REG-ELSEWHERE"))
    assert codes(shop.sell(contract, wanted(2))[0]) == ["IOT_CARD_NOT_IN_STOCK"]


def test_a_sold_card_is_the_card_of_its_line(shop: IotShop) -> None:
    shop.stocked(1)
    shop.sell(shop.contract(), wanted(0))
    with reading(shop.engine) as connection:
        (use,) = sims_of_line(connection, shop.card(0).line_id or "")
    assert use.iccid == shop.card(0).iccid


def test_one_device_one_card(shop: IotShop) -> None:
    shop.stocked(3)
    contract = shop.contract()
    first, second = shop.sell(contract, wanted(0, imei=9), wanted(1, imei=9))
    assert isinstance(first, CardSold)
    assert codes(second) == ["IOT_DEVICE_BOUND"]
    assert codes(shop.sell(contract, wanted(2, imei=9))[0]) == ["IOT_DEVICE_BOUND"]


def test_no_more_cards_than_the_contract_says(shop: IotShop) -> None:
    shop.stocked(3)
    outcomes = shop.sell(shop.contract(cards_max=2), *(wanted(at) for at in range(3)))
    assert [codes(each) for each in outcomes] == [[], [], ["IOT_CARDS_USED_UP"]]


def test_an_ended_contract_sells_nothing(shop: IotShop) -> None:
    shop.stocked(1)
    contract = shop.contract()
    ended = shop.do(lambda connection: end_contract(shop.desk, connection, contract))
    assert ended.status is ContractStatus.ENDED
    assert shop.do(lambda connection: end_contract(shop.desk, connection, ended)) == ended
    assert codes(shop.sell(contract, wanted(0))[0]) == ["IOT_CONTRACT_CLOSED"]


def test_a_table_of_sales_twice_is_once(shop: IotShop) -> None:
    shop.stocked(4)
    contract = shop.contract()
    rows = [(an_iccid(at), an_imei(at)) for at in range(3)] + [(an_iccid(3), "1"), (an_iccid(9), an_imei(9))]
    content = stock_table(rows, "iccid,imei")

    def bring() -> dict[str, object]:
        stream = BytesIO(content)
        return sell_table(
            shop.iot, shop.engine, contract.contract_id, stream=stream, name="sale.csv"
        ).to_json()

    first, second = bring(), bring()
    assert (first["added"], first["unchanged"], first["refused"]) == (3, 0, 2)
    assert (second["added"], second["unchanged"], second["refused"]) == (0, 3, 2)
    bad = first["bad_rows"]
    assert isinstance(bad, list)
    assert [(row["line"], row["column"], row["code"]) for row in bad] == [
        (5, "imei", "IMEI_FORMAT"),
        (6, "iccid", "IOT_CARD_UNKNOWN"),
    ]


def test_general_traffic_names_its_user_and_ten_are_enough(shop: IotShop) -> None:
    shop.stocked(13)
    contract = general(shop)
    assert codes(shop.sell(contract, wanted(0))[0]) == ["IOT_ACTUAL_USER_MISSING"]
    for at in range(10):
        session = shop.proven(f"SES-{at}", "p1.driver")
        (sold,) = shop.sell(contract, wanted(at, session=session))
        assert isinstance(sold, CardSold), codes(sold)
    eleventh = shop.proven("SES-11", "p1.driver")
    assert codes(shop.sell(contract, wanted(10, session=eleventh))[0]) == ["IOT_ACTUAL_USER_CAP"]
    card = shop.do(
        lambda connection: return_card(shop.iot, connection, Iccid.parse(an_iccid(0)), why="holder_asked")
    )
    assert card.state is CardState.RETURNED
    assert shop.line_status(card.line_id) is LineStatus.TERMINATED
    (sold,) = shop.sell(contract, wanted(11, imei=0, session=eleventh))  # device and place are free
    assert isinstance(sold, CardSold), codes(sold)
    assert shop.card(11).actual_user == "p1.driver"


def test_a_line_that_ends_gives_its_card_back(shop: IotShop) -> None:
    shop.stocked(1)
    (sold,) = shop.sell(general(shop), wanted(0, session=shop.proven("SES-1", "p1.driver")))
    assert isinstance(sold, CardSold), codes(sold)
    line_id = sold.card.line_id or ""
    assert shop.do(lambda connection: follow_termination(shop.desk, connection, line_id))
    assert not shop.do(lambda connection: follow_termination(shop.desk, connection, line_id))
    assert not shop.do(lambda connection: follow_termination(shop.desk, connection, "REG-NONE"))
    assert shop.card(0).state is CardState.RETURNED
    with reading(shop.engine) as connection:
        counts = connection.execute(sa.select(cap_counters.c.active)).scalars().all()
    assert counts == [0]


def test_one_proof_names_the_user_of_one_card(shop: IotShop) -> None:
    shop.stocked(2)
    contract = general(shop)
    session = shop.proven("SES-1", "p1.driver")
    first, second = shop.sell(contract, wanted(0, session=session), wanted(1, session=session))
    assert isinstance(first, CardSold), codes(first)
    assert isinstance(second, IotRefused)
    assert shop.card(1).state is CardState.STOCK


def test_a_user_who_is_not_proven_is_none(shop: IotShop) -> None:
    shop.stocked(1)
    (refused,) = shop.sell(general(shop), wanted(0, session="SES-NOBODY"))
    assert codes(refused) == ["IOT_ACTUAL_USER_MISSING", "SESSION_UNKNOWN"]


def test_a_card_in_another_device_is_stopped_once(shop: IotShop) -> None:
    shop.stocked(2)
    contract = shop.contract()
    shop.sell(contract, wanted(0))
    card = shop.card(0)

    def see(imei: int | None, index: int = 0) -> Seen:
        sighting = Sighting(Iccid.parse(an_iccid(index)), None if imei is None else an_imei_value(imei))
        return shop.do(lambda connection: see_card(shop.desk, connection, sighting))

    assert see(0) is Seen.INSIDE
    assert see(None) is Seen.NOT_BOUND
    assert see(5, index=1) is Seen.NOT_BOUND  # still in stock
    assert see(5) is Seen.BROKEN
    assert see(5) is Seen.BROKEN
    with reading(shop.engine) as connection:
        standing = line_status(connection, card.line_id or "")
    assert standing
    assert [stop.reason for stop in standing.open_stops] == [StopReason.FENCE_BROKEN]
    assert len(shop.events("iot.fence_broken")) == 1
    with pytest.raises(BadInput, match="IOT_CARD_UNKNOWN"):
        see(1, index=77)


def test_a_card_goes_to_another_device(shop: IotShop) -> None:
    shop.stocked(3)
    contract = shop.contract()
    shop.sell(contract, wanted(0), wanted(1))

    def rebind(card: int, imei: int) -> IotCard | IotRefused:
        iccid = Iccid.parse(an_iccid(card))
        return shop.do(lambda connection: change_device(shop.desk, connection, iccid, an_imei_value(imei)))

    assert rebind(0, 0) == shop.card(0)
    assert codes(rebind(0, 1)) == ["IOT_DEVICE_BOUND"]
    assert codes(rebind(0, 5)) == []
    assert shop.card(0).imei == an_imei_value(5)
    with reading(shop.engine) as connection:
        profiles = [row.profile for row in connection.execute(line_profiles.select())]
    assert sum(an_imei(5) in profile for profile in profiles) == 1
    assert not any(an_imei(0) in profile for profile in profiles)
    assert len(shop.events("iot.device_changed")) == 1
    with pytest.raises(BadInput, match="IOT_CARD_UNKNOWN"):
        rebind(2, 6)
    area = some_terms(binding=Binding.AREA, area=Area.parse(31.2, 121.5, 500))
    shop.sell(shop.contract(terms=area), wanted(2))
    assert codes(rebind(2, 6)) == ["IOT_CARD_NOT_BOUND"]


def test_a_card_outside_its_area_is_stopped(shop: IotShop) -> None:
    shop.stocked(1)
    terms = some_terms(binding=Binding.AREA, area=Area.parse(31.2, 121.5, 500))
    (sold,) = shop.sell(shop.contract(terms=terms), wanted(0))
    assert isinstance(sold, CardSold), codes(sold)
    iccid = Iccid.parse(an_iccid(0))

    def see(*, outside: bool) -> Seen:
        sighting = Sighting(iccid, outside_area=outside)
        return shop.do(lambda connection: see_card(shop.desk, connection, sighting))

    assert [see(outside=False), see(outside=True)] == [Seen.INSIDE, Seen.BROKEN]


def test_of_two_who_sell_one_card_one_does(shop: IotShop) -> None:
    shop.stocked(1)
    contract = shop.contract()
    outcomes: list[CardSold | IotRefused] = []
    threads = [
        threading.Thread(target=lambda at=at: outcomes.extend(shop.sell(contract, wanted(0, imei=at))))
        for at in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes(each) for each in outcomes) == [[], ["IOT_CARD_NOT_IN_STOCK"]]


def test_of_two_contracts_that_want_one_device_one_gets_it(shop: IotShop) -> None:
    shop.stocked(2)
    contracts = [shop.contract(), shop.contract()]
    outcomes: list[CardSold | IotRefused] = []

    def sell(at: int) -> None:
        outcomes.extend(once_more(lambda: shop.sell(contracts[at], wanted(at, imei=9))))

    threads = [threading.Thread(target=sell, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes(each) for each in outcomes) == [[], ["IOT_DEVICE_BOUND"]]


def test_no_card_and_no_person_in_events(shop: IotShop) -> None:
    shop.stocked(1)
    shop.sell(shop.contract(), wanted(0))
    for kind in ("iot.cards_imported", "iot.cards_sold", "iot.contract_concluded"):
        (event,) = shop.events(kind)
        assert not any(clear in event.facts for clear in (an_iccid(0), an_imsi(0), an_imei(0), "张三"))
