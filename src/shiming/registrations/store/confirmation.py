"""Confirmation codes, of which only hashes are kept, and what handlers confirmed of contracts.

What a customer confirmed stands in their order (`line_orders.confirmed_*`).
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.registrations.model.confirmation import ContractConfirmation, IssuedCode
from shiming.registrations.model.orders import ConfirmationMethod

#: One row for each order or contract: a new code takes the place of the old one.
confirmation_codes = sa.Table(
    "confirmation_codes",
    schema,
    sa.Column("reference", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False),
    sa.Column("covers", sa.String(128), nullable=False),
    sa.Column("code_hash", sa.String(128), nullable=False),
    sa.Column("link_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("issued_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
    sa.Column("issued", sa.Integer, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("used_at", UtcInstant),
)

contract_confirmations = sa.Table(
    "contract_confirmations",
    schema,
    sa.Column("contract", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("method", sa.String(20), nullable=False),
    sa.Column("confirmed_at", UtcInstant, nullable=False),
)


def find_code(connection: Connection, reference: str, *, for_update: bool = False) -> IssuedCode | None:
    """Return the code of an order or contract; `for_update` holds it until the transaction ends."""
    query = confirmation_codes.select().where(confirmation_codes.c.reference == reference)
    return _code(connection.execute(query.with_for_update() if for_update else query).one_or_none())


def find_by_link(connection: Connection, link_hash: str) -> IssuedCode | None:
    """Return the code that a link belongs to."""
    query = confirmation_codes.select().where(confirmation_codes.c.link_hash == link_hash)
    return _code(connection.execute(query).one_or_none())


def put_code(connection: Connection, code: IssuedCode) -> None:
    """Write a code in the place of the one before."""
    row = asdict(code)
    statement = insert_into(connection, confirmation_codes).values(**row)
    changed = {name: value for name, value in row.items() if name != "reference"}
    connection.execute(statement.on_conflict_do_update(index_elements=["reference"], set_=changed))


def count_wrong(connection: Connection, code: IssuedCode) -> None:
    """Count one more wrong answer."""
    _change(connection, code, wrong=confirmation_codes.c.wrong + 1)


def use_code(connection: Connection, code: IssuedCode, now: datetime) -> bool:
    """Mark a code as used; False when it was so already: of two that come at once, one wins."""
    return _change(connection, code, used_at=now)


def put_contract_confirmation(
    connection: Connection, operator: str, confirmation: ContractConfirmation
) -> None:
    """Write what the handler confirmed of a contract, in the place of what was confirmed before."""
    row = {**asdict(confirmation), "method": confirmation.method.value, "operator": operator}
    changed = {name: value for name, value in row.items() if name != "contract"}
    statement = insert_into(connection, contract_confirmations).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=["contract"], set_=changed))


def find_contract_confirmation(connection: Connection, contract: str) -> ContractConfirmation | None:
    """Return what the handler confirmed of a contract."""
    query = contract_confirmations.select().where(contract_confirmations.c.contract == contract)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return ContractConfirmation(
        row.contract, row.session_id, row.lines, ConfirmationMethod(row.method), row.confirmed_at
    )


def _change(connection: Connection, code: IssuedCode, **columns: Any) -> bool:
    """Change the row of this very code, not of one that has taken its place, while it is unused."""
    statement = confirmation_codes.update().where(
        confirmation_codes.c.reference == code.reference,
        confirmation_codes.c.code_hash == code.code_hash,
        confirmation_codes.c.used_at.is_(None),
    )
    return connection.execute(statement.values(**columns)).rowcount == 1


def _code(row: Row[Any] | None) -> IssuedCode | None:
    return None if row is None else IssuedCode(**row._asdict())
