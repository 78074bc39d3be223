"""What other rules would mean for the lines that are in use: how many people, how many lines.

A store is read once, holder by holder, in one consistent view that writes nothing; what is kept in memory is
the counts of one holder. Nobody is named: the answer is numbers. How fast one may register (velocity) is not
simulated, because lines that exist are not registered again.

A holder is affected by a cap when more of their lines lie above it than above the cap of today's rules. Who
holds too many already, from earlier times, and would not hold more too many, is not affected again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.jurisdictions.model import CapPolicy, CapScope, HolderKind, Policy, ProductClass
from shiming.registrations.model.iot import CardState
from shiming.registrations.store.iot_cards import iot_cards
from shiming.registrations.store.tables import in_use, lines

ROWS_AT_ONCE = 1000  # of the cursor; a row has some hundred bytes
_ORGANISATION = "ORG-"


class Held(NamedTuple):
    """What somebody has at an operator; `used`: an organisation's line of which they are the user."""

    operator: str
    product: str
    used: bool = False


#: Everything that one holder has, counted.
Holding = Mapping[Held, int]


@dataclass(slots=True)
class CapEffect:
    """What becomes of one cap: the most lines and the scope before and after; None: not capped."""

    name: str
    before: CapPolicy | None
    after: CapPolicy | None
    holders_above_before: int = 0
    holders_above_after: int = 0
    holders_affected: int = 0
    lines_affected: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the effect as numbers, with the values it comes from."""
        return {
            "cap": self.name,
            "before": _cap_json(self.before),
            "after": _cap_json(self.after),
            "holders_above": {"before": self.holders_above_before, "after": self.holders_above_after},
            "holders_affected": self.holders_affected,
            "lines_affected": self.lines_affected,
        }


@dataclass(slots=True)
class ProductEffect:
    """Lines whose kind of holder may not have this class of product any more."""

    product: str
    holder: HolderKind
    holders_affected: int = 0
    lines_affected: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the effect as numbers."""
        return {
            "product": self.product,
            "holder": self.holder.value,
            "holders_affected": self.holders_affected,
            "lines_affected": self.lines_affected,
        }


@dataclass(slots=True)
class Simulation:
    """Both sets of rules and what changes from the first to the second."""

    before: Policy
    after: Policy
    holders: int = 0
    lines: int = 0
    holders_affected: int = 0
    lines_affected: int = 0
    caps: dict[str, CapEffect] = field(default_factory=dict)
    products: dict[tuple[str, HolderKind], ProductEffect] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the whole answer; `lines_affected` counts a line once for each rule that it meets."""
        sides = {
            name: {"pack": side.pack_id, "on": side.on.isoformat(), "content_hash": side.content_hash}
            for name, side in (("before", self.before), ("after", self.after))
        }
        return {
            **sides,
            "holders": self.holders,
            "lines": self.lines,
            "holders_affected": self.holders_affected,
            "lines_affected": self.lines_affected,
            "caps": [effect.to_json() for effect in self.caps.values()],
            "products": [effect.to_json() for effect in self.products.values()],
        }


def simulate(before: Policy, after: Policy, holders: Iterable[tuple[str, Holding]]) -> Simulation:
    """Return what changes for these holders, each given once with all lines in use."""
    outcome = Simulation(before, after)
    for name in dict.fromkeys((*before.caps, *after.caps)):
        outcome.caps[name] = CapEffect(name, before.caps.get(name), after.caps.get(name))
    for holder, held in holders:
        kind = HolderKind.ORGANISATION if holder.startswith(_ORGANISATION) else HolderKind.PERSON
        lines_before = outcome.lines_affected
        outcome.holders += 1
        outcome.lines += sum(count for each, count in held.items() if not each.used)
        _count_caps(outcome, kind, held)
        _count_products(outcome, kind, held)
        outcome.holders_affected += outcome.lines_affected > lines_before
    return outcome


def holders_in(connection: Connection) -> Iterator[tuple[str, Holding]]:
    """Yield every holder with what they have in use, by a cursor of the server.

    A person who uses an organisation's card is there with it: some caps count it for them.
    """
    own = sa.select(lines.c.subject, lines.c.operator, lines.c.product_class, sa.literal(0)).where(in_use)
    cards = iot_cards.join(
        lines, (lines.c.line_id == iot_cards.c.line_id) & (lines.c.operator == iot_cards.c.operator)
    )
    used = (
        sa.select(iot_cards.c.actual_user, lines.c.operator, lines.c.product_class, sa.literal(1))
        .select_from(cards)
        .where(iot_cards.c.actual_user.is_not(None), iot_cards.c.state == CardState.SOLD.value, in_use)
    )
    query = sa.union_all(own, used).order_by("subject")
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    for subject, of_one in groupby(rows, key=lambda row: str(row[0])):
        yield subject, Counter(Held(row[1], row[2], bool(row[3])) for row in of_one)


def _count_caps(outcome: Simulation, kind: HolderKind, held: Holding) -> None:
    above_before = _above(outcome.before, kind, held)
    above_after = _above(outcome.after, kind, held)
    for name, effect in outcome.caps.items():
        more = above_after[name] - above_before[name]
        effect.holders_above_before += above_before[name] > 0
        effect.holders_above_after += above_after[name] > 0
        if more > 0:
            effect.holders_affected += 1
            effect.lines_affected += more
            outcome.lines_affected += more


def _count_products(outcome: Simulation, kind: HolderKind, held: Holding) -> None:
    hit = set()
    for (_, product, used), count in held.items():
        lost = _may_hold(outcome.before, kind, product) and not _may_hold(outcome.after, kind, product)
        if lost and not used:
            effect = outcome.products.setdefault((product, kind), ProductEffect(product, kind))
            effect.lines_affected += count
            outcome.lines_affected += count
            hit.add(product)
    for product in hit:
        outcome.products[product, kind].holders_affected += 1


def _above(policy: Policy, kind: HolderKind, held: Holding) -> Counter[str]:
    """Count the lines above each cap; lines of one cap and scope count together."""
    counted: Counter[tuple[str, str]] = Counter()
    for (operator, product, _), count in held.items():
        name = _cap_of(policy, kind, product)
        if name is not None:
            national = policy.caps[name].scope.value is CapScope.NATIONAL
            counted[name, "" if national else operator] += count
    above: Counter[str] = Counter()
    for (name, _), count in counted.items():
        above[name] += max(0, count - policy.caps[name].lines_per_holder_max.value)
    return above


def _cap_of(policy: Policy, kind: HolderKind, product: str) -> str | None:
    rules = policy.products.get(ProductClass(product)) if product in set(ProductClass) else None
    if rules is None:
        return None
    cited = rules.cap_of_organisation if kind is HolderKind.ORGANISATION else rules.cap_of_person
    return None if cited is None else cited.value


def _may_hold(policy: Policy, kind: HolderKind, product: str) -> bool:
    rules = policy.products.get(ProductClass(product)) if product in set(ProductClass) else None
    return rules is not None and kind in rules.holders.value


def _cap_json(cap: CapPolicy | None) -> dict[str, Any] | None:
    if cap is None:
        return None
    return {
        "lines_per_holder_max": cap.lines_per_holder_max.value,
        "scope": cap.scope.value.value,
        "citation": cap.lines_per_holder_max.citation,
    }
