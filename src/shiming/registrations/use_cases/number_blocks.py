"""Take ranges into a pool, one or a file of them."""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import BinaryIO

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.bulk_rows import BadRow, Column, Row, read_rows
from shiming.infrastructure.database import transact
from shiming.infrastructure.outbox import Event, emit
from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.registrations.events.numbers import NUMBER_BLOCKS_ADDED
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import (
    BlockAdded,
    NewBlock,
    NumberBlock,
    NumberNotGiven,
    NumberRange,
    read_operator,
)
from shiming.registrations.permissions.numbers import MayManageNumbers
from shiming.registrations.rules.number_pool import decide_block
from shiming.registrations.store import numbers as store
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.registrations.use_cases.tools import RegistrationTools
from shiming.vocabulary.errors import BadInput, ShimingError, Text
from shiming.vocabulary.msisdn import Msisdn, NumberSeries
from shiming.vocabulary.permissions import asks
from shiming.vocabulary.refusals import Refusal

#: One transaction: long enough to pay for its disk write, short enough to let clerks in between.
BATCH_ROWS = 1000
COLUMNS = (
    Column("operator"),
    Column("first"),
    Column("last", required=False),
    Column("kind", required=False),
    Column("excluded", required=False),
)
_YES = frozenset({"1", "true", "yes", "y", "是"})
_NO = frozenset({"", "0", "false", "no", "n", "否"})


@asks(MayManageNumbers)
def add_block(
    tools: RegistrationTools, connection: Connection, new: NewBlock, *, now: datetime, policy: Policy
) -> BlockAdded | NumberNotGiven:
    """Take a range into the pool, or out of it for good; the same one again changes nothing."""
    ((_, outcome),) = _take_in(tools, connection, [(0, new)], now=now, policy=policy)
    return outcome


@dataclass(frozen=True, slots=True)
class _Plan:
    regions: tuple[str, ...]
    also: tuple[NumberSeries, ...]  # that common data lack


@asks(MayManageNumbers)
def import_blocks(
    tools: RegistrationTools,
    engine: Engine,
    stream: BinaryIO,
    name: str,
    *,
    operator: str | None,
    regions: tuple[str, ...],
    now: datetime,
    policy: Policy,
) -> ImportReport:
    """Take in a CSV or XLSX of ranges, `BATCH_ROWS` in one transaction; `operator` None: of any operator.

    Exclusions stand after their block. Good rows go in whatever the others are; the same file again changes
    nothing. Raises BadInput for what is no such table.
    """
    report = ImportReport()
    rows = read_rows(stream, name, COLUMNS)
    plan = _Plan(regions, policy.numbering.series)
    while batch := list(islice(rows, BATCH_ROWS)):
        good = list(_readable(batch, report, operator=operator, plan=plan))
        outcomes = transact(engine, partial(_take_in_of, tools, good, now, policy))
        for line, outcome in outcomes:
            if isinstance(outcome, NumberNotGiven):
                refusal = outcome.refusals[0]
                report.refuse(BadRow(line, "first", refusal.code.value, refusal.words.clerk))
            else:
                report.count(repeated=outcome.repeated)
    return report


@asks(MayManageNumbers)
def read_block(operator: str, first: str, last: str, kind: str, *, excluded: bool) -> NewBlock:
    """Read a range as it was typed; raise BadInput."""
    return NewBlock(read_operator(operator), NumberRange.parse(first, last), _kind(kind), excluded)


_Numbered = tuple[int, NewBlock]
_Outcome = tuple[int, BlockAdded | NumberNotGiven]


def _take_in_of(
    tools: RegistrationTools, rows: Sequence[_Numbered], now: datetime, policy: Policy, connection: Connection
) -> list[_Outcome]:
    return _take_in(tools, connection, rows, now=now, policy=policy)


def _take_in(
    tools: RegistrationTools,
    connection: Connection,
    rows: Sequence[_Numbered],
    *,
    now: datetime,
    policy: Policy,
) -> list[_Outcome]:
    """Decide on each row after those before it, blocks before exclusions, and write what may go in."""
    store.keep_others_out(connection)
    ordered = sorted(rows, key=lambda row: row[1].excluded)
    pool = _Pool.around(connection, [new for _, new in ordered])
    citation = policy.numbering.quarantine_days.citation
    outcomes: list[_Outcome] = []
    added = []
    for line, new in ordered:
        decision = decide_block(new, *pool.near(new), citation)
        if isinstance(decision, NumberBlock):
            outcomes.append((line, BlockAdded(decision, repeated=True)))
        elif decision:
            outcomes.append((line, _not_given(decision)))
        else:
            reference = tools.privacy.new_reference("RNG")
            block = NumberBlock(reference, new.operator, new.range, new.kind, new.excluded, now)
            pool.add(block)
            added.append(block)
            outcomes.append((line, BlockAdded(block)))
    store.add_blocks(connection, added)
    _tell(tools, connection, added, now=now)
    return outcomes


def _tell(
    tools: RegistrationTools, connection: Connection, added: Iterable[NumberBlock], *, now: datetime
) -> None:
    """Write one leaf and one event for each operator that got ranges."""
    by_operator: dict[str, list[NumberBlock]] = defaultdict(list)
    for block in added:
        by_operator[block.operator].append(block)
    for operator, blocks in sorted(by_operator.items()):
        facts: dict[str, Fact] = {
            "blocks": len(blocks),
            "excluded": sum(block.excluded for block in blocks),
            "numbers": sum(block.range.size for block in blocks if not block.excluded),
            "first_block": blocks[0].block_id,
        }
        emit(connection, Event(NUMBER_BLOCKS_ADDED, blocks[0].block_id, operator, now, facts))
        record(
            connection,
            tools.privacy.keys,
            kind=NUMBER_BLOCKS_ADDED,
            facts=facts,
            now=now,
            operator=operator,
        )


@dataclass(slots=True)
class _Pool:
    """The ranges near those of a batch: what the database has, and what the batch adds."""

    stored: dict[tuple[bool, str], NumberBlock | None]
    fresh: dict[tuple[bool, int], list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    blocks: dict[str, NumberBlock] = field(default_factory=dict)

    @classmethod
    def around(cls, connection: Connection, news: Sequence[NewBlock]) -> "_Pool":
        """Read what lies near these ranges."""
        stored: dict[tuple[bool, str], NumberBlock | None] = {}
        for excluded in (False, True):
            ends = [new.range.last for new in news if new.excluded is excluded]
            if not excluded:
                ends += [new.range.first for new in news if new.excluded]
            found = store.nearest(connection, ends, excluded=excluded)
            stored |= {(excluded, number): block for number, block in found.items()}
        return cls(stored)

    def add(self, block: NumberBlock) -> None:
        """Remember a range that the batch adds."""
        insort(self.fresh[block.excluded, len(block.range.first)], (block.range.first, block.block_id))
        self.blocks[block.block_id] = block

    def near(self, new: NewBlock) -> tuple[NumberBlock | None, NumberBlock | None]:
        """Return the nearest range of the same sort, and for an exclusion the nearest block."""
        same = self._nearest(new.range.last, excluded=new.excluded)
        return same, self._nearest(new.range.first, excluded=False) if new.excluded else None

    def _nearest(self, number: str, *, excluded: bool) -> NumberBlock | None:
        stored = self.stored[excluded, number]
        fresh = self.fresh[excluded, len(number)]
        at = bisect_right(fresh, (number, "\uffff"))
        if at == 0:
            return stored
        found = self.blocks[fresh[at - 1][1]]
        return found if stored is None or stored.range.first < found.range.first else stored


def _readable(
    batch: Iterable[Row | BadRow], report: ImportReport, *, operator: str | None, plan: _Plan
) -> Iterator[_Numbered]:
    for row in batch:
        if isinstance(row, BadRow):
            report.refuse(row)
            continue
        new = _new_block(row, operator=operator, plan=plan)
        if isinstance(new, BadRow):
            report.refuse(new)
        else:
            yield row.line, new


def _new_block(row: Row, *, operator: str | None, plan: _Plan) -> NewBlock | BadRow:
    cells = row.cells
    column = "operator"
    try:
        of = read_operator(cells["operator"])
        if operator not in {None, of}:
            raise _foreign()
        column = "first"
        numbers = NumberRange.parse(cells["first"], cells["last"])
        require_plan(numbers, plan.regions, also=plan.also)
        column = "kind"
        kind = _kind(cells["kind"])
        column = "excluded"
        return NewBlock(of, numbers, kind, _yes_or_no(cells["excluded"]))
    except ShimingError as problem:
        return BadRow.of(row, column, problem)


@asks(MayManageNumbers)
def require_plan(
    numbers: NumberRange, regions: tuple[str, ...], *, also: tuple[NumberSeries, ...] = ()
) -> None:
    """Raise BadInput when the ends of a range are no numbers of the numbering plans of these regions.

    `also`: series of those plans that common data lack.
    """
    if not regions:
        return
    begin = Msisdn.parse(numbers.first, also=also)
    if numbers.last != numbers.first:
        Msisdn.parse(numbers.last, also=also)
    if begin.region not in regions:
        raise BadInput(
            "RANGE_OTHER_REGION",
            Text(zh="号段不属于本地编号计划。", en="The range is of no numbering plan used here."),
            Text(zh="请核对国家代码。", en="Compare the country code."),
        )


def _kind(text: str) -> LineKind:
    try:
        return LineKind(text or LineKind.MOBILE)
    except ValueError:
        choices = ", ".join(kind.value for kind in LineKind)
        raise BadInput(
            "LINE_KIND_UNKNOWN",
            Text(zh="号码类型未知。", en="This is no kind of line."),
            Text(zh=f"可用：{choices}。", en=f"Use one of: {choices}."),
        ) from None


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise BadInput("YES_OR_NO", Text(zh="此项应为是或否。", en="This cell is yes or no."))


def _foreign() -> BadInput:
    return BadInput(
        "OTHER_OPERATOR", Text(zh="不能代其他企业导入。", en="You may not do this for another operator.")
    )


def _not_given(refusals: tuple[Refusal, ...]) -> NumberNotGiven:
    return NumberNotGiven(refusals)
