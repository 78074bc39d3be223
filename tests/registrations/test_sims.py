"""Cards: the stock, what goes into a line, and when it was changed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest

from shiming.infrastructure.database import reading, transact
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.jobs.sims import put_in_ordered_sim
from shiming.registrations.model.lines import Line, LineKind, LineStatus, SimForm
from shiming.registrations.model.sims import (
    Sim,
    SimAssigned,
    SimChange,
    SimRefused,
    SimReplaced,
    SimState,
    SimUse,
)
from shiming.registrations.rules.sims import decide_card
from shiming.registrations.store.orders import add_order
from shiming.registrations.use_cases.sims import find_sim, import_sims, sims_of_line, swap_date
from shiming.vocabulary.errors import BadInput, Unavailable
from shiming.vocabulary.sim_identifiers import Iccid, Imsi
from tests.privacy.builders import NOW
from tests.registrations.builders import OPERATOR, a_number, an_order
from tests.registrations.stock_builders import (
    StockDesk,
    a_card,
    a_stock_desk,
    an_iccid,
    an_imsi,
    codes_of,
    the_rules,
)

DAY = timedelta(days=1)
OTHER = "cn-unicom"


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[StockDesk]:
    desk = a_stock_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def change_of(desk: StockDesk, line: str) -> SimChange | None:
    with reading(desk.engine) as connection:
        return swap_date(connection, line)


def state_of(desk: StockDesk, index: int) -> SimState | None:
    with reading(desk.engine) as connection:
        card = find_sim(connection, Iccid.parse(an_iccid(index)))
    return None if card is None else card.state


# -- the rule


LINE = Line("REG-1", a_number(), OPERATOR, "voice", "s", "p1", "SES-1", LineStatus.ACTIVE, NOW)
CARD = Sim(Iccid.parse(an_iccid(1)), OPERATOR, Imsi.parse(an_imsi(1)), SimForm.PHYSICAL, SimState.STOCK, NOW)
USE = SimUse("REG-1", OPERATOR, 1, Iccid.parse(an_iccid(2)), NOW)


@pytest.mark.parametrize(
    ("line", "card", "present", "replacing", "codes"),
    [
        (LINE, CARD, None, False, []),
        (LINE, CARD, USE, True, []),
        (replace(LINE, status=LineStatus.PENDING), CARD, None, False, []),
        (LINE, CARD, USE, False, ["LINE_HAS_SIM"]),
        (LINE, CARD, None, True, ["LINE_WITHOUT_FORMER_SIM"]),
        (LINE, None, None, False, ["SIM_UNKNOWN"]),
        (LINE, replace(CARD, operator=OTHER), None, False, ["SIM_UNKNOWN"]),
        (LINE, replace(CARD, state=SimState.ASSIGNED, line_id="REG-2"), None, False, ["SIM_ASSIGNED"]),
        (LINE, replace(CARD, state=SimState.RETIRED), USE, True, ["SIM_RETIRED"]),
        (replace(LINE, kind=LineKind.FIXED), CARD, None, True, ["LINE_WITHOUT_SIM"]),
        (
            replace(LINE, status=LineStatus.TERMINATED, kind=LineKind.INTERNET), None, None, False,
            ["LINE_ENDED", "LINE_WITHOUT_SIM", "SIM_UNKNOWN"],
        ),
    ],
)  # fmt: skip
def test_which_card_goes_into_which_line(
    line: Line, card: Sim | None, present: SimUse | None, codes: list[str], *, replacing: bool
) -> None:
    refusals = decide_card(line, card, present, replacing=replacing, citation="project:lines")
    assert [refusal.code.value for refusal in refusals] == codes


# -- the stock


def test_a_table_of_cards_goes_in_and_again_changes_nothing(desk: StockDesk) -> None:
    rows = [a_card(index) for index in range(5)]
    first, again = desk.import_sims(*rows, rows[0]), desk.import_sims(*rows)
    assert (first.added, first.unchanged, first.refused) == (5, 1, 0)
    assert (again.added, again.unchanged, again.refused) == (0, 5, 0)
    assert [json.loads(event["facts"]) for event in desk.events("sims.added")] == [{"count": 5}]
    assert isinstance(verify_ledger(desk.engine, desk.desk.vault.keys), LedgerVerified)


def test_bad_cards_are_named_and_stop_no_good_one(desk: StockDesk) -> None:
    wrong_digit = an_iccid(1)[:-1] + str((int(an_iccid(1)[-1]) + 1) % 10)
    report = desk.import_sims(
        a_card(1),
        f"{wrong_digit},{an_imsi(2)},physical,{OPERATOR}",
        f"{an_iccid(3)},12,physical,{OPERATOR}",
        f"{an_iccid(4)},{an_imsi(4)},paper,{OPERATOR}",
        f"{an_iccid(5)},{an_imsi(5)},esim,Nobody",
        f"{an_iccid(6)},{an_imsi(1)},esim,{OPERATOR}",
        f"{an_iccid(1)},{an_imsi(1)},esim,{OPERATOR}",
        f"{an_iccid(7)},{an_imsi(7)},,{OTHER}",
        f",{an_imsi(8)},,{OPERATOR}",
        f"{an_iccid(9)},{an_imsi(9)},,{OPERATOR}",
        operator=OPERATOR,
    )
    assert report.added == 2
    assert [(row["line"], row["column"], row["code"]) for row in report.to_json()["bad_rows"]] == [
        (3, "iccid", "ICCID_CHECK_DIGIT"),
        (4, "imsi", "IMSI_FORMAT"),
        (5, "form", "SIM_FORM_UNKNOWN"),
        (6, "operator", "OPERATOR_FORMAT"),
        (7, "imsi", "IMSI_TAKEN"),
        (8, "iccid", "SIM_DIFFERS"),
        (9, "operator", "OTHER_OPERATOR"),
        (10, "iccid", "CELL_EMPTY"),
    ]


def test_what_is_no_table_of_cards_is_refused_whole(desk: StockDesk) -> None:
    with pytest.raises(BadInput, match="TABLE_COLUMNS"):
        import_sims(desk.desk.tools, desk.engine, BytesIO(b"iccid,pin\n"), "x.csv", operator=None, now=NOW)


# -- cards in lines


def test_a_card_goes_in_once_and_its_change_keeps_a_date(desk: StockDesk) -> None:
    desk.import_sims(a_card(1), a_card(2))
    line = desk.line()
    assert change_of(desk, line) is None
    first = desk.assign(line, 1)
    assert isinstance(first, SimAssigned)
    assert change_of(desk, line) == SimChange(NOW, swapped=False)
    again = desk.assign(line, 1, NOW + DAY)
    assert isinstance(again, SimAssigned)
    assert again.repeated
    swapped = desk.replace(line, 2, NOW + DAY)
    assert isinstance(swapped, SimReplaced)
    assert (swapped.use.position, swapped.before.position) == (2, 1)
    assert change_of(desk, line) == SimChange(NOW + DAY, swapped=True)
    repeated = desk.replace(line, 2, NOW + 2 * DAY)
    assert isinstance(repeated, SimAssigned)
    assert repeated.repeated
    assert change_of(desk, line) == SimChange(NOW + DAY, swapped=True)
    assert (state_of(desk, 1), state_of(desk, 2)) == (SimState.RETIRED, SimState.ASSIGNED)
    with reading(desk.engine) as connection:
        uses = sims_of_line(connection, line)
    assert [(use.since, use.until) for use in uses] == [(NOW, NOW + DAY), (NOW + DAY, None)]
    told = str(desk.events("line.sim_assigned", "line.sim_replaced"))
    assert told.count("position") == 2
    assert an_iccid(1) not in told


def test_a_card_that_was_in_a_line_never_comes_back(desk: StockDesk) -> None:
    desk.import_sims(a_card(1), a_card(2), a_card(3, OTHER))
    line, other = desk.line(1), desk.line(2)
    desk.assign(line, 1)
    assert codes_of(desk.assign(other, 1)) == ["SIM_ASSIGNED"]
    assert codes_of(desk.assign(other, 3)) == ["SIM_UNKNOWN"]
    assert codes_of(desk.replace(other, 2)) == ["LINE_WITHOUT_FORMER_SIM"]
    assert codes_of(desk.assign(line, 2)) == ["LINE_HAS_SIM"]
    desk.terminate(line, NOW + DAY)
    assert state_of(desk, 1) is SimState.RETIRED
    assert codes_of(desk.assign(other, 1)) == ["SIM_RETIRED"]
    assert codes_of(desk.assign(line, 2)) == ["LINE_ENDED"]
    assert change_of(desk, line) == SimChange(NOW, swapped=False)
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        desk.assign("REG-nothing", 2)


def test_of_many_lines_that_want_one_card_one_gets_it(desk: StockDesk) -> None:
    desk.import_sims(a_card(1))
    lines = [desk.line(index) for index in range(6)]

    def want(line: str) -> bool:
        try:
            return isinstance(desk.assign(line, 1), SimAssigned)
        except Unavailable as problem:  # met in the middle: told to try again
            return problem.code != "SIM_CHANGED"

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(want, lines)) == 1


# -- the ordered card


def ordered(desk: StockDesk, index: int, card: int, *, imsi: int | None = None) -> str:
    """A line whose order names a card."""
    line = desk.line(index)
    order = replace(
        an_order(f"SES-{OPERATOR}-{index}", a_number(index)),
        iccid=an_iccid(card),
        imsi=None if imsi is None else an_imsi(imsi),
        sim_form=SimForm.ESIM,
    )
    transact(desk.engine, lambda connection: add_order(connection, order))
    return line


def put_in(desk: StockDesk, line: str) -> None:
    put_in_ordered_sim(desk.desk.tools, desk.engine, line, policy=the_rules())


def test_the_ordered_card_goes_into_the_registered_line_once(desk: StockDesk) -> None:
    line = ordered(desk, 1, 1, imsi=1)
    put_in(desk, line)
    put_in(desk, line)
    assert change_of(desk, line) == SimChange(NOW, swapped=False)
    with reading(desk.engine) as connection:
        card = find_sim(connection, Iccid.parse(an_iccid(1)))
    assert card is not None
    assert (card.form, card.line_id) == (SimForm.ESIM, line)  # its stock is elsewhere: it came with the order


def test_a_line_without_an_ordered_card_gets_none(desk: StockDesk) -> None:
    line = desk.line(1)
    put_in(desk, line)
    assert change_of(desk, line) is None


def test_an_ordered_card_that_cannot_go_in_is_a_job_for_people(desk: StockDesk) -> None:
    missing = ordered(desk, 1, 1)
    with pytest.raises(Unavailable, match="SIM_NOT_PUT_IN") as raised:
        put_in(desk, missing)
    assert raised.value.details == {"codes": "SIM_UNKNOWN"}
    ended = ordered(desk, 2, 2, imsi=2)
    desk.terminate(ended)
    put_in(desk, ended)  # nothing to do any more
    outcome = desk.assign(ended, 2)
    assert isinstance(outcome, SimRefused)
