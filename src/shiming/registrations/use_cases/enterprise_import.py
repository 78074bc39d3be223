"""Enter many lines of an organisation from a table: good rows go in, bad rows are reported, twice is once.

The file is read as a stream, in batches; each batch is one transaction with one leaf of the ledger (counts
and the hash of its rows, not a leaf a row) and one event. Memory does not grow with the file. The contract's
row is held during a batch, so that two imports of one contract take turns; two contracts that want the same
number meet in `numbers_held`, where one of them gets it. While the database writes a batch, the next one is
read and looked at: each of the two has a processor of its own.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import BinaryIO

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import Event, emit
from shiming.privacy.model import EvidenceKind, Purpose, RetentionClass
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.vault import put_evidence
from shiming.registrations.errors.enterprise_lines import RowCode
from shiming.registrations.events.enterprise_lines import ENTERPRISE_LINES_ENTERED
from shiming.registrations.model.enterprise_lines import (
    EnterpriseContract,
    EnterpriseRefused,
    ImportReport,
    ImportRules,
    RowRefused,
    WantedLine,
)
from shiming.registrations.permissions.enterprise_lines import MayManageEnterpriseLines
from shiming.registrations.rules.enterprise_rows import decide_row, import_rules, read_row, refused_row
from shiming.registrations.rules.organisation_standing import decide_organisation_standing
from shiming.registrations.store import enterprise_import as batches
from shiming.registrations.store import enterprise_lines as store
from shiming.registrations.store.organisations import find_organisation
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks, inside

COLUMNS = (
    Column("number"),
    Column("kind"),
    Column("product"),
    Column("user"),
    Column("contact", required=False),
    Column("iccid", required=False),
)
IMPORT = "BAT"  # of batches of lines
BATCH_ROWS = 5000  # a batch is a tenth of a second: no other writer of SQLite waits longer
ROWS_REFUSED_SHOWN_MAX = 1000  # more has one cause, which these show
_HASHED_AT_ONCE = 1 << 20


@dataclass(slots=True)
class _Tally:
    """What the rows of a file came to so far."""

    entered: int = 0
    known: int = 0
    refused: int = 0
    shown: list[RowRefused] = field(default_factory=list)

    def refuse(self, row: RowRefused) -> None:
        self.refused += 1
        if len(self.shown) < ROWS_REFUSED_SHOWN_MAX:
            self.shown.append(row)


@dataclass(frozen=True, slots=True)
class _Import:
    """One run over one file."""

    desk: Desk
    engine: Engine
    contract: EnterpriseContract
    import_id: str
    until: datetime


@asks(MayManageEnterpriseLines)
def import_enterprise_lines(
    desk: Desk, engine: Engine, contract_id: str, *, stream: BinaryIO, name: str, region: str | None = None
) -> ImportReport | EnterpriseRefused:
    """Enter the lines of a file (CSV or XLSX, seekable) under a contract; the same again changes nothing.

    Columns: number, kind, product, user (such as a staff number), contact and iccid where there is one. A
    file that had bad rows may be sent again: rows that were entered are known, the others get another try.
    """
    file_hash = _hash_of(stream)
    with reading(engine) as connection:
        contract = store.find_contract(connection, contract_id)
        if contract is None:
            raise contract_unknown()
        former = store.find_import(connection, contract_id, file_hash)
        organisation = find_organisation(connection, contract.organisation)
        blocks = store.read_pool(connection, contract.operator)
    if former is not None and former.refused == 0:
        return _former(former.report)
    if organisation is not None:
        standing = decide_organisation_standing(organisation, desk.policy, now=desk.now)
        if standing.refusals:
            return EnterpriseRefused(standing.refusals)
    days = desk.policy.numbering.organisation_reservation_days.value
    run = _Import(
        desk,
        engine,
        contract,
        desk.tools.privacy.new_reference(IMPORT),
        desk.now + timedelta(days=days),
    )
    read, written = _Tally(), _Tally()
    _enter_all(run, _batches(stream, name, import_rules(blocks, desk.policy, region), read), written)
    shown = sorted(read.shown + written.shown, key=attrgetter("row"))
    report = ImportReport(
        run.import_id,
        contract_id,
        file_hash,
        written.entered,
        written.known,
        read.refused + written.refused,
        tuple(shown[:ROWS_REFUSED_SHOWN_MAX]),
    )
    transact(engine, lambda connection: _save(connection, report, desk.now))
    return report


@inside("every edge says it in the same words")
def contract_unknown() -> BadInput:
    """Return the error for a contract that is not there."""
    return BadInput(
        "ENTERPRISE_CONTRACT_UNKNOWN",
        Text(zh="没有这个合同。", en="There is no such contract."),
        Text(zh="请核对编号。", en="Compare the reference."),
    )


def _batches(stream: BinaryIO, name: str, rules: ImportRules, tally: _Tally) -> Iterator[list[WantedLine]]:
    batch: list[WantedLine] = []
    for row in read_rows(stream, name, COLUMNS):
        read = read_row(row.line, row.cells, rules) if isinstance(row, Row) else _as_refused(row)
        if isinstance(read, RowRefused):
            tally.refuse(read)
            continue
        batch.append(read)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _as_refused(row: BadRow) -> RowRefused:
    return RowRefused(row.line, row.column, row.code, row.text)


def _enter_all(run: _Import, batches_read: Iterator[list[WantedLine]], tally: _Tally) -> None:
    """Enter batch after batch; the next one is read meanwhile. What is under way at an error is finished."""
    under_way: Future[None] | None = None
    with ThreadPoolExecutor(1, "enterprise-import") as writer:
        for batch in batches_read:
            if under_way is not None:
                under_way.result()
            under_way = writer.submit(_enter, run, batch, tally)
        if under_way is not None:
            under_way.result()


def _enter(run: _Import, batch: list[WantedLine], tally: _Tally) -> None:
    """Enter one batch in one transaction; what it came to counts once it is committed."""
    first: dict[str, WantedLine] = {}
    for wanted in batch:
        if first.setdefault(wanted.number, wanted) is not wanted:
            tally.refuse(refused_row(wanted.row, "number", RowCode.NUMBER_TWICE))
    entered, known, refused = transact(run.engine, lambda connection: _write(run, connection, first))
    tally.entered += entered
    tally.known += known
    for row in refused:
        tally.refuse(row)


def _write(
    run: _Import, connection: Connection, rows: dict[str, WantedLine]
) -> tuple[int, int, list[RowRefused]]:
    #  (1) the contract is held, so its count stays right  (2) what is known of the numbers is read at once
    #  (3) the rules say of each row whether it goes in  (4) numbers are kept; one that another import took
    #  meanwhile is refused  (5) lines, count, leaf and event are written
    contract = store.find_contract(connection, run.contract.contract_id, for_update=True)
    if contract is None:  # pragma: no cover - contracts are never deleted
        raise contract_unknown()
    owner = batches.BatchOwner(
        contract.contract_id, contract.organisation, contract.operator, run.desk.now, run.until
    )
    taken = batches.find_taken(connection, tuple(rows))
    refused: list[RowRefused] = []
    new: list[WantedLine] = []
    known = 0
    for number, wanted in rows.items():
        decided = decide_row(
            wanted,
            taken.get(number),
            contract=contract.contract_id,
            organisation=contract.organisation,
            now=run.desk.now,
        )
        if isinstance(decided, RowRefused):
            refused.append(decided)
        elif decided:
            new.append(wanted)
        else:
            known += 1
    left = contract.lines_confirmed - contract.lines_entered
    refused += [refused_row(each.row, "number", RowCode.CONTRACT_LINES_USED_UP) for each in new[left:]]
    del new[left:]
    if new:
        nobodys = taken.keys().isdisjoint(each.number for each in new)
        held = batches.hold_numbers(connection, owner, [each.number for each in new], nobodys=nobodys)
        if len(held) != len(new):
            lost = [each for each in new if each.number not in held]
            refused += [refused_row(each.row, "number", RowCode.NUMBER_RESERVED) for each in lost]
            new = [each for each in new if each.number in held]
    if new:
        _write_new(run, connection, owner, contract, new)
    return len(new), known, refused


def _write_new(
    run: _Import,
    connection: Connection,
    owner: batches.BatchOwner,
    contract: EnterpriseContract,
    new: Sequence[WantedLine],
) -> None:
    contacts = {each.number: each.contact for each in new if each.contact}
    evidence = _keep_contacts(run, connection, contacts) if contacts else None
    batches.write_lines(connection, owner, new, evidence)
    store.change_contract(connection, contract.contract_id, lines_entered=contract.lines_entered + len(new))
    rows = "\n".join("\t".join(each[1:5]) for each in new)
    facts: dict[str, Fact] = {
        "contract": contract.contract_id,
        "organisation": contract.organisation,
        "import": run.import_id,
        "lines": len(new),
        "rows": hashlib.sha256(rows.encode()).hexdigest(),
    }
    now, operator = run.desk.now, contract.operator
    keys = run.desk.tools.privacy.keys
    record(connection, keys, kind=ENTERPRISE_LINES_ENTERED, facts=facts, now=now, operator=operator)
    told: dict[str, Fact] = {"import": run.import_id, "lines": len(new)}
    emit(connection, Event(ENTERPRISE_LINES_ENTERED, contract.contract_id, operator, now, told))


def _keep_contacts(run: _Import, connection: Connection, contacts: dict[str, str]) -> str:
    """Keep where users are reached in the vault, all of a batch as one piece."""
    ref = put_evidence(
        run.desk.tools.privacy,
        connection,
        subject=run.contract.organisation,
        case_reference=run.contract.contract_id,
        kind=EvidenceKind.CONTRACT,
        purpose=Purpose.REGISTRATION,
        retention_class=RetentionClass.IDENTITY,
        content=json.dumps(contacts, ensure_ascii=False).encode(),
        retention=run.desk.policy.retention,
        now=run.desk.now,
        operator=run.contract.operator,
    )
    return ref.evidence_id


def _hash_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := stream.read(_HASHED_AT_ONCE):
        digest.update(piece)
    stream.seek(0)
    return f"sha256:{digest.hexdigest()}"


def _save(connection: Connection, report: ImportReport, now: datetime) -> None:
    store.save_import(
        connection,
        contract_id=report.contract_id,
        file_hash=report.file_hash,
        import_id=report.import_id,
        refused=report.refused,
        finished_at=now,
        report=json.dumps(report.to_json(), ensure_ascii=False),
    )


def _former(text: str) -> ImportReport:
    kept = json.loads(text)
    lines = kept["entered"] + kept["known"]
    return ImportReport(kept["id"], kept["contract"], kept["file_hash"], 0, lines, 0, (), repeated=True)
