"""Compare what was delivered, sold and returned with what is registered, contract by contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import Policy
from shiming.privacy.use_cases.ledger import Fact
from shiming.registrations.events import iot as events
from shiming.registrations.model.iot import CardState, IotContract
from shiming.registrations.model.iot_reports import StockStatement
from shiming.registrations.permissions.iot import MayReadIot, MayReportIot
from shiming.registrations.rules.iot_reconciliation import CardCounts, Difference, differences
from shiming.registrations.store import iot_cards as cards
from shiming.registrations.store import iot_reports as store
from shiming.registrations.use_cases.iot_contracts import get_contract, tell
from shiming.registrations.use_cases.organisations import Desk
from shiming.vocabulary.errors import BadInput, Text
from shiming.vocabulary.permissions import asks

DISCREPANCIES_SHOWN_MAX = 1000  # more has one cause, which these show
COUNT_MAX = 10_000_000  # more cards than any contract has


@dataclass(frozen=True, slots=True)
class ContractReconciled:
    """Cards of one contract; `stated` is the day of its maker's declaration, None without one."""

    contract: str
    counts: CardCounts
    stated: date | None
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return counts and what does not agree."""
        names = ("delivered", "returned", "sold", "stock", "registered", "awaiting")
        return {
            "contract": self.contract,
            "counts": {name: getattr(self.counts, name) for name in names},
            "stated": self.stated and self.stated.isoformat(),
            "differences": [
                {"what": each.what.value, "expected": each.expected, "found": each.found}
                for each in self.differences
            ],
        }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """An operator's cards, contract by contract that differs, and sold cards without a line."""

    operator: str
    cards: Mapping[CardState, int]
    contracts: int
    differing: tuple[ContractReconciled, ...]
    without_line: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differing and not self.without_line

    def to_json(self) -> dict[str, Any]:
        """Return the result; no card is named."""
        return {
            "operator": self.operator,
            "agrees": self.agrees,
            "cards": {state.value: self.cards.get(state, 0) for state in CardState},
            "contracts": self.contracts,
            "differing": [each.to_json() for each in self.differing],
            "sold_without_line": [
                {"contract": contract, "line": line or None} for contract, line in self.without_line
            ],
        }


@asks(MayReportIot)
def state_stock(desk: Desk, connection: Connection, statement: StockStatement) -> ContractReconciled:
    """Record what a maker declares of a day, and compare it with the records at once."""
    contract = get_contract(connection, statement.contract)
    if not (0 <= statement.sold <= COUNT_MAX and 0 <= statement.stock <= COUNT_MAX):
        raise BadInput("COUNT_INVALID", Text(zh="数量无效。", en="These are no counts."))
    if statement.on > desk.now.date():
        raise BadInput(
            "STATED_LATER", Text(zh="日期晚于今天。", en="The statement is of a day that has not come.")
        )
    if store.put_statement(connection, statement, now=desk.now):
        facts: dict[str, Fact] = {
            "on": statement.on.isoformat(),
            "sold": statement.sold,
            "stock": statement.stock,
        }
        tell(
            desk,
            connection,
            events.IOT_STOCK_STATED,
            statement.contract,
            operator=contract.operator,
            facts=facts,
        )
    return _reconcile_contract(connection, contract, desk.policy)


@asks(MayReadIot)
def reconcile_contract(connection: Connection, contract_id: str, policy: Policy) -> ContractReconciled:
    """Compare the cards of one contract with its lines, or with what its maker declares and reports."""
    return _reconcile_contract(connection, get_contract(connection, contract_id), policy)


@asks(MayReadIot)
def reconcile(connection: Connection, operator: str, policy: Policy) -> Reconciled:
    """Compare all of an operator's cards: delivered, sold, returned, registered; list what differs."""
    contracts = 0
    differing: list[ContractReconciled] = []
    for contract_id in cards.stream_contracts(connection, operator):
        contracts += 1
        found = _reconcile_contract(connection, get_contract(connection, contract_id), policy)
        if found.differences and len(differing) < DISCREPANCIES_SHOWN_MAX:
            differing.append(found)
    return Reconciled(
        operator,
        cards.count_of(connection, operator),
        contracts,
        tuple(differing),
        cards.sold_without_line(connection, operator, DISCREPANCIES_SHOWN_MAX),
    )


def _reconcile_contract(connection: Connection, contract: IotContract, policy: Policy) -> ContractReconciled:
    """Of a maker: devices delivered, sold to whom, in stock. Of others: cards sold, and their lines."""
    under = cards.count_under(connection, contract.contract_id)
    out, returned = under.get(CardState.SOLD, 0), under.get(CardState.RETURNED, 0)
    if contract.sells_devices and policy.iot.end_users_reported.value:
        registered, awaiting = store.count_end_users(connection, contract.contract_id)
        stated = store.find_latest_statement(connection, contract.contract_id)
        sold = registered + awaiting if stated is None else stated.sold
        stock = out - sold if stated is None else stated.stock
    else:
        registered, awaiting = cards.count_lines_under(connection, contract.contract_id)
        stated, sold, stock = None, out, 0
    counts = CardCounts(out + returned, returned, sold, stock, registered, awaiting, contract.cards_max)
    stated_on = None if stated is None else stated.on
    return ContractReconciled(contract.contract_id, counts, stated_on, differences(counts))
