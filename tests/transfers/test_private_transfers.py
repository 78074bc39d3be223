"""Cases of private transfers on both engines: reports join, a sanction bites, an appeal lifts at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from shiming.infrastructure.database import reading
from shiming.jurisdictions.model import StopReason
from shiming.registrations.model.lines import LineStatus
from shiming.registrations.store.notices import notices
from shiming.transfers.model.change_of_holder import HolderChanged
from shiming.transfers.model.private_transfer import CaseState, PrivateTransferKind, Reported, TransferCase
from shiming.transfers.use_cases import private_transfers as cases
from shiming.vocabulary.errors import BadInput
from tests.transfers.transfer_builders import (
    GIVER,
    LATER,
    OTHER,
    RECEIVER,
    TransferDesk,
    a_transfer_desk,
    codes,
    with_transfers,
)


@pytest.fixture
def counter(tmp_path: Path, database_url: str) -> Iterator[TransferDesk]:
    desk = a_transfer_desk(tmp_path, database_url)
    yield desk
    desk.engine.dispose()


def report(desk: TransferDesk, line_id: str, reporter: str = "CMP-1") -> Any:
    return desk.run(
        lambda c: cases.report_private_transfer(
            desk.tools,
            c,
            line_id,
            PrivateTransferKind.LENDING,
            reporter=reporter,
            policy=desk.policy,
            now=LATER,
        )
    )


def take(desk: TransferDesk, case_id: str, verb: Callable[..., Any], by: str = "ACC-1", **more: Any) -> Any:
    def work(connection: Connection) -> Any:
        held = cases.get_case(connection, case_id, for_update=True)
        return verb(desk.tools, connection, held, by=by, policy=desk.policy, now=LATER, **more)

    return desk.run(work)


def sanctioned(desk: TransferDesk, line_id: str) -> str:
    case_id: str = report(desk, line_id).case.case_id
    take(desk, case_id, cases.assess_case, finding="used_by_others", evidence="EVD-1")
    done = take(desk, case_id, cases.sanction_case)
    assert isinstance(done, TransferCase), done
    return case_id


def test_double_reports_join_one_case(counter: TransferDesk) -> None:
    line_id = counter.line()
    first, second, same = (report(counter, line_id, by) for by in ("CMP-1", "CMP-2", "CMP-2"))
    assert isinstance(first, Reported)
    assert not first.joined
    assert second.joined
    assert {each.case.case_id for each in (first, second, same)} == {first.case.case_id}
    assert same.case.reports == 2
    with reading(counter.engine) as connection:
        assert [each.case_id for each in cases.list_cases(connection, operator=None, limit=9)] == [
            first.case.case_id
        ]
        assert cases.list_cases(connection, operator="cn-other", limit=9) == ()


def test_reports_at_once_are_one_case(counter: TransferDesk) -> None:
    line_id = counter.line()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: report(counter, line_id, f"CMP-{n}"), range(4)))
    assert len({each.case.case_id for each in found}) == 1
    with reading(counter.engine) as connection:
        assert cases.get_case(connection, found[0].case.case_id).reports == 4


def test_a_sanction_stops_the_line_bars_the_holder_and_tells_them(counter: TransferDesk) -> None:
    line_id = counter.line()
    sanctioned(counter, line_id)
    held = counter.held(line_id)
    assert held.stops == {StopReason.FRAUD}
    assert held.line.status is LineStatus.TWO_WAY_STOPPED
    with reading(counter.engine) as connection:
        told = connection.execute(notices.select()).one()
    assert (told.template, told.subject) == ("line_sanctioned", GIVER)
    other_line = counter.line(RECEIVER, 2)
    refused = counter.transfer(counter.prepare(other_line, RECEIVER, GIVER))
    assert codes(refused) == {"TRANSFERS_BARRED"}


def test_an_upheld_appeal_lifts_everything_at_once(counter: TransferDesk) -> None:
    line_id = counter.line()
    case_id = sanctioned(counter, line_id)
    take(counter, case_id, cases.appeal_case, by="ACC-2")
    assert counter.held(line_id).stops == {StopReason.FRAUD}
    own = take(counter, case_id, cases.decide_appeal, upheld=True, by="ACC-1")
    assert codes(own) == {"TRANSFER_CASE_OWN_JUDGE"}
    done = take(counter, case_id, cases.decide_appeal, upheld=True, by="ACC-2")
    assert done.state is CaseState.LIFTED
    held = counter.held(line_id)
    assert (held.stops, held.line.status) == (frozenset(), LineStatus.ACTIVE)
    assert isinstance(counter.transfer(counter.prepare(line_id)), HolderChanged)


def test_a_rejected_appeal_leaves_the_sanction_and_may_be_made_anew(counter: TransferDesk) -> None:
    line_id = counter.line()
    case_id = sanctioned(counter, line_id)
    take(counter, case_id, cases.appeal_case)
    done = take(counter, case_id, cases.decide_appeal, upheld=False, by="ACC-2")
    assert done.state is CaseState.SANCTIONED
    assert counter.held(line_id).stops == {StopReason.FRAUD}
    assert take(counter, case_id, cases.appeal_case).state is CaseState.APPEALED


def test_an_appeal_of_a_line_that_has_ended_lifts_the_bar(counter: TransferDesk) -> None:
    line_id = counter.line()
    case_id = sanctioned(counter, line_id)
    take(counter, case_id, cases.appeal_case)
    counter.desk.terminate(line_id, now=LATER)
    done = take(counter, case_id, cases.decide_appeal, upheld=True, by="ACC-2")
    assert done.state is CaseState.LIFTED
    other_line = counter.line(OTHER, 2)
    assert isinstance(counter.transfer(counter.prepare(other_line, OTHER, GIVER)), HolderChanged)


def test_a_dismissed_case_leaves_nothing_and_a_new_report_opens_another(counter: TransferDesk) -> None:
    line_id = counter.line()
    case_id = report(counter, line_id).case.case_id
    assert codes(take(counter, case_id, cases.dismiss_case)) == {"TRANSFER_CASE_STATE"}
    take(counter, case_id, cases.assess_case, finding="nothing_found", evidence=None)
    assert take(counter, case_id, cases.dismiss_case).state is CaseState.DISMISSED
    assert counter.held(line_id).stops == frozenset()
    assert report(counter, line_id).case.case_id != case_id


def test_where_private_transfers_are_allowed_there_is_nothing_to_report(counter: TransferDesk) -> None:
    lenient = counter.under(with_transfers(private_transfer_allowed=True))
    assert codes(report(lenient, counter.line())) == {"PRIVATE_TRANSFER_ALLOWED"}


def test_what_is_not_there(counter: TransferDesk) -> None:
    with pytest.raises(BadInput, match="LINE_UNKNOWN"):
        report(counter, "REG-0")
    with pytest.raises(BadInput, match="TRANSFER_CASE_UNKNOWN"):
        take(counter, "TRC-0", cases.dismiss_case)
