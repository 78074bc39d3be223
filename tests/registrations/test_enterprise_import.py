"""Importing lines of an organisation on both engines: bad rows, repeats, limits, races."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.outbox import outbox
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.registrations.model.enterprise_lines import EnterpriseLineState, ImportReport
from shiming.registrations.store.enterprise_lines import add_contract, enterprise_lines
from shiming.registrations.store.number_tables import numbers_held
from shiming.registrations.store.organisations import add_organisation
from shiming.registrations.store.tables import lines, numbers_in_use
from shiming.registrations.use_cases import enterprise_import
from shiming.registrations.use_cases.enterprise_lines import list_lines
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW
from tests.registrations.enterprise_builders import (
    FIRST_NUMBER,
    OPERATOR,
    ORGANISATION,
    Enterprise,
    a_card,
    a_contract,
    a_row,
    a_table,
    add_block,
    an_enterprise,
    an_organisation,
    some_numbers,
)

OTHER_ORGANISATION, OTHER_CONTRACT = "ORG-OTHER", "ENT-OTHER"


@pytest.fixture
def enterprise(tmp_path: Path, database_url: str) -> Iterator[Enterprise]:
    made = an_enterprise(tmp_path, database_url, lines=2 * enterprise_import.BATCH_ROWS + 1)
    yield made
    made.engine.dispose()


def with_another(enterprise: Enterprise) -> None:
    with unit_of_work(enterprise.engine) as connection:
        add_organisation(
            connection, an_organisation(organisation_id=OTHER_ORGANISATION, code="911100007109304337")
        )
        add_contract(connection, a_contract(contract_id=OTHER_CONTRACT, organisation=OTHER_ORGANISATION))


def report(outcome: object) -> ImportReport:
    assert isinstance(outcome, ImportReport), outcome
    return outcome


def counts(done: ImportReport) -> tuple[int, int, int]:
    return done.entered, done.known, done.refused


def bad(done: ImportReport) -> list[tuple[int, str, str]]:
    return [(row.row, row.column, row.code) for row in done.rows_refused]


def test_good_rows_go_in_and_bad_rows_are_reported(enterprise: Enterprise) -> None:
    good, other, fixed = some_numbers(3)
    add_block(enterprise.engine, FIRST_NUMBER + 100, FIRST_NUMBER + 199, excluded=True)
    rows = [
        a_row(good, 1, contact="wang@example.net", iccid=a_card(1)),
        a_row("+8613900000000", 2),
        a_row(other, 3, kind="fixed"),
        a_row(good, 4),
        a_row(f"+{FIRST_NUMBER + 150}", 5),
        a_row(fixed, 6, user=""),
        a_row(other, 7),
    ]
    done = report(enterprise.bring(rows))
    assert counts(done) == (2, 0, 5)
    assert bad(done) == [
        (3, "number", "NUMBER_OUTSIDE_POOL"),
        (4, "number", "KIND_DIFFERS"),
        (5, "number", "NUMBER_TWICE"),
        (6, "number", "NUMBER_EXCLUDED"),
        (7, "user", "CELL_EMPTY"),
    ]
    with reading(enterprise.engine) as connection:
        entered = list_lines(connection, enterprise.contract_id, limit=10)
        held = connection.execute(numbers_held.select().order_by(numbers_held.c.number)).all()
        registered = connection.execute(sa.select(sa.func.count()).select_from(lines)).scalar_one()
    assert [(line.number, line.user_reference, line.state) for line in entered] == [
        (good, "staff-0001", EnterpriseLineState.AWAITING),
        (other, "staff-0007", EnterpriseLineState.AWAITING),
    ]
    assert entered[0].iccid == a_card(1)
    assert entered[0].entered_at == NOW
    assert registered == 0  # nothing is in the network before its user is proven
    days = enterprise.policy.numbering.organisation_reservation_days.value
    assert [(row.number, row.state, row.held_for, row.until) for row in held] == [
        (number, "reserved", ORGANISATION, NOW + timedelta(days=days)) for number in (good, other)
    ]


def test_contacts_are_in_the_vault_only(enterprise: Enterprise) -> None:
    rows = [a_row(number, at, contact=f"p{at}@wang.example") for at, number in enumerate(some_numbers(3))]
    assert report(enterprise.bring(rows)).entered == 3
    with reading(enterprise.engine) as connection:
        kept = connection.execute(sa.select(enterprise_lines.c.contact_evidence).distinct()).scalars().all()
        tables = [
            str(connection.execute(sa.text(f"SELECT * FROM {name}")).all())  # noqa: S608 - names of tables
            for name in ("enterprise_lines", "enterprise_imports", "outbox", "ledger_leaves", "evidence")
        ]
    assert len(kept) == 1
    assert kept[0]
    assert not any("wang.example" in text for text in tables)
    assert b"wang.example" not in enterprise.registration.vault.bytes_on_disk()


def test_the_same_file_again_changes_nothing_and_says_so(enterprise: Enterprise) -> None:
    table = a_table([a_row(number, at) for at, number in enumerate(some_numbers(5))])
    first = report(enterprise.bring_file(table))
    with reading(enterprise.engine) as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()
    again = report(enterprise.bring_file(table, name="other-name.csv"))
    assert (again.repeated, again.import_id, counts(again)) == (True, first.import_id, (0, 5, 0))
    with reading(enterprise.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one() == before
    assert enterprise.contract().lines_entered == 5


def test_a_file_with_bad_rows_gives_them_another_try(enterprise: Enterprise) -> None:
    numbers = list(some_numbers(2))
    table = a_table([a_row(numbers[0], 0), a_row("+8613700000000", 1)])
    assert counts(report(enterprise.bring_file(table))) == (1, 0, 1)
    add_block(enterprise.engine, 8613700000000, 8613700009999)
    assert counts(report(enterprise.bring_file(table))) == (1, 1, 0)
    assert report(enterprise.bring_file(table)).repeated


def test_the_same_rows_in_another_file_are_known_and_others_differ(enterprise: Enterprise) -> None:
    numbers = list(some_numbers(3))
    enterprise.bring([a_row(number, at) for at, number in enumerate(numbers)])
    done = report(enterprise.bring([a_row(numbers[0], 0), a_row(numbers[1], 9)]))
    assert counts(done) == (0, 1, 1)
    assert bad(done) == [(3, "number", "ROW_DIFFERS")]


def test_numbers_of_others_are_not_taken(enterprise: Enterprise) -> None:
    with_another(enterprise)
    used, kept, rests, theirs, ran_out = some_numbers(5)
    enterprise.bring([a_row(theirs)], contract=OTHER_CONTRACT)
    later, before = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
    held = [
        (kept, "reserved", "SES-1", later),
        (rests, "quarantine", None, later),
        (ran_out, "reserved", "SES-2", before),
    ]
    with unit_of_work(enterprise.engine) as connection:
        connection.execute(numbers_in_use.insert().values(number=used, operator=OPERATOR, line_id="REG-1"))
        for number, state, whom, until in held:
            connection.execute(
                numbers_held.insert().values(
                    number=number, operator=OPERATOR, state=state, held_for=whom, until=until
                )
            )
    done = report(enterprise.bring([a_row(each) for each in (used, kept, rests, theirs, ran_out)]))
    assert counts(done) == (1, 0, 4)
    assert [code for _, _, code in bad(done)] == [
        "NUMBER_TAKEN", "NUMBER_RESERVED", "NUMBER_RESTING", "NUMBER_OF_OTHER_CONTRACT",
    ]  # fmt: skip


def test_a_number_that_is_being_registered_is_waited_for_and_not_kept(enterprise: Enterprise) -> None:
    used, free = some_numbers(2)
    written = threading.Event()

    def register_slowly() -> None:
        with unit_of_work(enterprise.engine) as connection:
            connection.execute(
                numbers_in_use.insert().values(number=used, operator=OPERATOR, line_id="REG-1")
            )
            written.set()
            time.sleep(0.3)

    with ThreadPoolExecutor(1) as pool:
        registering = pool.submit(register_slowly)
        assert written.wait(30)
        done = report(enterprise.bring([a_row(used), a_row(free)]))
        registering.result()
    assert counts(done) == (1, 0, 1)
    assert {code for _, _, code in bad(done)} <= {"NUMBER_TAKEN", "NUMBER_RESERVED"}
    with reading(enterprise.engine) as connection:
        assert connection.execute(sa.select(numbers_in_use.c.number)).scalars().all() == [used]
        assert connection.execute(sa.select(numbers_held.c.number)).scalars().all() == [free]


def test_no_more_lines_than_were_confirmed(tmp_path: Path, database_url: str) -> None:
    enterprise = an_enterprise(tmp_path, database_url, lines=3)
    rows = [a_row(number, at) for at, number in enumerate(some_numbers(5))]
    done = report(enterprise.bring(rows))
    assert counts(done) == (3, 0, 2)
    assert {code for _, _, code in bad(done)} == {"CONTRACT_LINES_USED_UP"}
    enterprise.engine.dispose()


def test_many_batches_keep_their_count_and_their_ledger(enterprise: Enterprise) -> None:
    rows = enterprise_import.BATCH_ROWS * 2 + 1
    done = report(enterprise.bring([a_row(number, at) for at, number in enumerate(some_numbers(rows))]))
    assert done.entered == enterprise.contract().lines_entered == rows
    with reading(enterprise.engine) as connection:
        told = connection.execute(
            sa.select(sa.func.count()).where(outbox.c.type == "enterprise.lines_entered")
        ).scalar_one()
    assert told == 3  # one a batch, not one a row
    assert isinstance(verify_ledger(enterprise.engine, enterprise.tools.privacy.keys, ()), LedgerVerified)


def test_two_organisations_that_want_the_same_numbers_at_once(enterprise: Enterprise) -> None:
    with_another(enterprise)
    rows = [a_row(number, at) for at, number in enumerate(some_numbers(100))]
    contracts = [enterprise.contract_id, OTHER_CONTRACT]
    with ThreadPoolExecutor(2) as crew:
        done = [
            report(each)
            for each in crew.map(
                lambda contract: enterprise.bring(
                    rows if contract == OTHER_CONTRACT else rows[::-1], contract=contract
                ),
                contracts,
            )
        ]
    assert sum(each.entered for each in done) == 100
    assert sum(each.refused for each in done) == 100
    with reading(enterprise.engine) as connection:
        whose = connection.execute(
            sa.select(enterprise_lines.c.organisation, numbers_held.c.held_for).join(
                numbers_held, numbers_held.c.number == enterprise_lines.c.number
            )
        ).all()
    assert len(whose) == 100
    assert all(row.organisation == row.held_for for row in whose)


def test_the_same_file_at_once_enters_each_line_once(enterprise: Enterprise) -> None:
    table = a_table([a_row(number, at) for at, number in enumerate(some_numbers(50))])
    with ThreadPoolExecutor(3) as crew:
        done = [report(each) for each in crew.map(lambda _: enterprise.bring_file(table), range(3))]
    assert sum(each.entered for each in done) == 50
    assert all(each.entered + each.known == 50 for each in done)
    assert enterprise.contract().lines_entered == 50


def test_a_spreadsheet_is_read_as_it_was_typed(enterprise: Enterprise) -> None:
    book, content = Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["number", "kind", "product", "user"])
    sheet.append([13800000000, "mobile", "voice", 17])
    sheet.append(["abc", "mobile", "voice", 18])
    book.save(content)
    done = report(enterprise.bring_file(content.getvalue(), name="lines.xlsx"))
    assert counts(done) == (1, 0, 1)
    assert bad(done) == [(3, "number", "MSISDN_FORMAT")]
    with reading(enterprise.engine) as connection:
        (line,) = list_lines(connection, enterprise.contract_id, limit=10)
    assert (line.number, line.user_reference) == (next(some_numbers(1)), "17")


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "lines.csv", "TABLE_COLUMNS"),
        (b"number,kind\n", "lines.csv", "TABLE_COLUMNS"),
        (b"number,kind,product,user,salary\n", "lines.csv", "TABLE_COLUMNS"),
        (b"\xff\xfe\x00", "lines.csv", "TABLE_ENCODING"),
        (b"no archive", "lines.xlsx", "TABLE_UNREADABLE"),
    ],
)
def test_what_is_no_such_table_is_refused_whole(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    enterprise = an_enterprise(tmp_path)
    with pytest.raises(BadInput) as problem:
        enterprise.bring_file(content, name=name)
    assert problem.value.code == code
    with pytest.raises(BadInput, match="ENTERPRISE_CONTRACT_UNKNOWN"):
        enterprise.bring([a_row(next(some_numbers(1)))], contract="ENT-NONE")
    enterprise.engine.dispose()


def test_the_report_shows_the_first_bad_rows_and_counts_all(tmp_path: Path) -> None:
    enterprise = an_enterprise(tmp_path)
    most = enterprise_import.ROWS_REFUSED_SHOWN_MAX
    done = report(enterprise.bring([a_row("+8613900000000", at) for at in range(most + 5)]))
    assert done.refused == most + 5
    assert len(done.rows_refused) == most
    enterprise.engine.dispose()
