"""Decide about one row of an import of enterprise lines: what stands in it, then what is known of its number.

It runs a hundred thousand times in a row, so the common case - a whole number in a block of the pool, which
was found valid when the block was added - costs no parsing of the number.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from shiming.jurisdictions.model import HolderKind, Policy
from shiming.registrations.errors.enterprise_lines import RowCode
from shiming.registrations.model.enterprise_lines import (
    USER_REFERENCE_CHARACTERS_MAX,
    ImportRules,
    NumberPool,
    PoolBlock,
    RowRefused,
    Taken,
    WantedLine,
)
from shiming.registrations.model.lines import LineKind
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.sim_identifiers import Iccid

CONTACT_CHARACTERS_MAX = 254  # the longest e-mail address (RFC 5321); a telephone number is shorter
_RESERVED = "reserved"


def import_rules(blocks: Iterable[PoolBlock], policy: Policy, region: str | None) -> ImportRules:
    """Return what rows are read with: products of organisations whose actual user is proven."""
    products = {
        product.value: product
        for product, rules in policy.products.items()
        if HolderKind.ORGANISATION in rules.holders.value and rules.actual_user_required.value
    }
    return ImportRules(NumberPool(blocks), products, region, policy.numbering.series)


def read_row(row: int, cells: Mapping[str, str], rules: ImportRules) -> WantedLine | RowRefused:
    """Return the line that a row asks for, or what is wrong with its first wrong cell."""
    kind = rules.kinds.get(cells["kind"])
    if kind is None:
        return refused_row(row, "kind", RowCode.KIND_UNKNOWN)
    number = _read_number(row, cells["number"], kind, rules)
    if isinstance(number, RowRefused):
        return number
    wrong = _wrong_cell(cells, rules)
    if wrong is not None:
        return refused_row(row, *wrong)
    iccid = _read_card(row, cells["iccid"], kind) if cells["iccid"] else None
    if isinstance(iccid, RowRefused):
        return iccid
    return WantedLine(row, number, kind.value, cells["product"], cells["user"], cells["contact"], iccid)


def decide_row(
    wanted: WantedLine, taken: Taken | None, *, contract: str, organisation: str, now: datetime
) -> RowRefused | bool:
    """Say whether a line is entered: True; False when it was before; or why not."""
    if taken is None:
        return True
    if taken.contract_id == contract and taken.content == content_of(wanted):
        return False
    problem = _entered_problem(taken, contract) or _held_problem(taken, organisation, now)
    return True if problem is None else refused_row(wanted.row, "number", problem)


def content_of(wanted: WantedLine) -> tuple[object, ...]:
    """Return what a row of the same number has to have to be the same row."""
    return (wanted.kind, wanted.product_class, wanted.user_reference, wanted.iccid)


def refused_row(row: int, column: str, code: RowCode) -> RowRefused:
    """Return why a row is passed over."""
    return RowRefused(row, column, code.value, code.text)


def _read_number(row: int, text: str, kind: LineKind, rules: ImportRules) -> str | RowRefused:
    found = rules.pool.kind_of(text) if text[:1] == "+" and text[1:].isdecimal() and text.isascii() else None
    if found is None:
        try:
            text = Msisdn.parse(text, rules.region, also=rules.also).reveal("import")
        except BadInput as problem:
            return RowRefused(row, "number", problem.code, problem.text)
        found = rules.pool.kind_of(text)
    return text if found is kind else refused_row(row, "number", _pool_problem(text, found, rules.pool))


def _wrong_cell(cells: Mapping[str, str], rules: ImportRules) -> tuple[str, RowCode] | None:
    if cells["product"] not in rules.products:
        return "product", RowCode.PRODUCT_NOT_OFFERED
    if len(cells["user"]) > USER_REFERENCE_CHARACTERS_MAX:
        return "user", RowCode.USER_REFERENCE_TOO_LONG
    if len(cells["contact"]) > CONTACT_CHARACTERS_MAX:
        return "contact", RowCode.CONTACT_TOO_LONG
    return None


def _entered_problem(taken: Taken, contract: str) -> RowCode | None:
    if taken.contract_id is None:
        return RowCode.NUMBER_TAKEN if taken.line_id is not None else None
    return RowCode.ROW_DIFFERS if taken.contract_id == contract else RowCode.NUMBER_OF_OTHER_CONTRACT


def _held_problem(taken: Taken, organisation: str, now: datetime) -> RowCode | None:
    if taken.held_until is None or taken.held_until <= now:
        return None
    if taken.held_state != _RESERVED:
        return RowCode.NUMBER_RESTING
    return None if taken.held_for == organisation else RowCode.NUMBER_RESERVED


def _read_card(row: int, text: str, kind: LineKind) -> str | RowRefused:
    if not kind.has_sim:
        return refused_row(row, "iccid", RowCode.SIM_NOT_EXPECTED)
    try:
        return Iccid.parse(text).reveal("import")
    except BadInput as problem:
        return RowRefused(row, "iccid", problem.code, problem.text)


def _pool_problem(number: str, found: LineKind | None, pool: NumberPool) -> RowCode:
    if found is not None:
        return RowCode.KIND_DIFFERS
    return RowCode.NUMBER_EXCLUDED if pool.is_excluded(number) else RowCode.NUMBER_OUTSIDE_POOL
