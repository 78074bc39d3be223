"""Tables of enterprise contracts, their lines and who uses them, and rows to and from them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.database import insert_into
from shiming.infrastructure.tables import UtcInstant, schema
from shiming.jurisdictions.model import Channel, ProductClass
from shiming.registrations.model.enterprise_lines import (
    EnterpriseContract,
    EnterpriseLine,
    EnterpriseLineState,
    LineUse,
    PoolBlock,
)
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.numbers import NumberRange
from shiming.registrations.model.orders import TermsAcceptance
from shiming.registrations.store.number_tables import number_blocks

enterprise_contracts = sa.Table(
    "enterprise_contracts",
    schema,
    sa.Column("contract_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("organisation", sa.String(40), nullable=False, index=True),
    sa.Column("handler_session", sa.String(64), nullable=False),
    sa.Column("lines_confirmed", sa.Integer, nullable=False),
    sa.Column("lines_entered", sa.Integer, nullable=False),
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("terms_version", sa.String(40)),
    sa.Column("terms_hash", sa.String(80)),
    sa.Column("terms_accepted_at", UtcInstant),
    sa.Column("terms_channel", sa.String(20)),
    sa.Column("terms_language", sa.String(8)),
    sa.CheckConstraint("lines_entered BETWEEN 0 AND lines_confirmed", name="lines_as_confirmed"),
)

enterprise_imports = sa.Table(
    "enterprise_imports",
    schema,
    sa.Column("contract_id", sa.String(40), primary_key=True),
    sa.Column("file_hash", sa.String(80), primary_key=True),
    sa.Column("import_id", sa.String(40), nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("finished_at", UtcInstant, nullable=False),
    sa.Column("report", sa.Text, nullable=False),  # lines, columns and codes; nothing of a cell
)

enterprise_lines = sa.Table(
    "enterprise_lines",
    schema,
    sa.Column("number", sa.String(64), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("contract_id", sa.String(40), nullable=False),
    sa.Column("organisation", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("product_class", sa.String(60), nullable=False),
    sa.Column("user_reference", sa.String(80), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("entered_at", UtcInstant, nullable=False),
    sa.Column("iccid", sa.String(20)),
    sa.Column("contact_evidence", sa.String(64)),  # contacts of a batch are one piece in the vault
    sa.Column("line_id", sa.String(40)),
    sa.Column("session_id", sa.String(64)),
    sa.Column("subject", sa.String(80)),
    sa.Column("vacated_until", UtcInstant),
)
sa.Index("ix_enterprise_lines_contract", enterprise_lines.c.contract_id, enterprise_lines.c.number)
_has_user = enterprise_lines.c.subject.is_not(None)
sa.Index(
    "ix_enterprise_lines_user",
    enterprise_lines.c.subject,
    sqlite_where=_has_user,
    postgresql_where=_has_user,
)
_has_line = enterprise_lines.c.line_id.is_not(None)
sa.Index(
    "ix_enterprise_lines_line",
    enterprise_lines.c.line_id,
    sqlite_where=_has_line,
    postgresql_where=_has_line,
)
_vacated = enterprise_lines.c.vacated_until.is_not(None)
sa.Index(
    "ix_enterprise_lines_vacated",
    enterprise_lines.c.vacated_until,
    sqlite_where=_vacated,
    postgresql_where=_vacated,
)

line_uses = sa.Table(
    "line_uses",
    schema,
    sa.Column("line_id", sa.String(40), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("contract_id", sa.String(40), nullable=False, index=True),
    sa.Column("user_reference", sa.String(80), nullable=False),
    sa.Column("session_id", sa.String(64), nullable=False, unique=True),
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("used_from", UtcInstant, nullable=False),
    sa.Column("used_to", UtcInstant),
)


def add_contract(connection: Connection, contract: EnterpriseContract) -> None:
    """Write a new contract."""
    connection.execute(
        enterprise_contracts.insert().values(
            contract_id=contract.contract_id,
            operator=contract.operator,
            organisation=contract.organisation,
            handler_session=contract.handler_session,
            lines_confirmed=contract.lines_confirmed,
            lines_entered=contract.lines_entered,
            created_at=contract.created_at,
            **_terms_columns(contract.terms),
        )
    )


def find_contract(
    connection: Connection, contract_id: str, *, for_update: bool = False
) -> EnterpriseContract | None:
    """Return a contract; `for_update` holds it until the transaction ends."""
    query = enterprise_contracts.select().where(enterprise_contracts.c.contract_id == contract_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _contract(row)


def list_contracts(
    connection: Connection, organisation: str, *, limit: int
) -> tuple[EnterpriseContract, ...]:
    """Return contracts of an organisation, the latest first."""
    mine = enterprise_contracts.c.organisation == organisation
    newest = enterprise_contracts.c.created_at.desc()
    rows = connection.execute(enterprise_contracts.select().where(mine).order_by(newest).limit(limit))
    return tuple(_contract(row) for row in rows)


def change_contract(connection: Connection, contract_id: str, **columns: Any) -> None:
    """Set columns of a contract that the caller holds."""
    where = enterprise_contracts.c.contract_id == contract_id
    connection.execute(enterprise_contracts.update().where(where).values(**columns))


def change_terms(connection: Connection, contract_id: str, agreed: TermsAcceptance) -> None:
    """Write what the handler of a contract agreed to last; lines that stand keep theirs."""
    change_contract(connection, contract_id, **_terms_columns(agreed))


def find_import(connection: Connection, contract_id: str, file_hash: str) -> Row[Any] | None:
    """Return what the import of a file came to."""
    query = enterprise_imports.select().where(
        enterprise_imports.c.contract_id == contract_id, enterprise_imports.c.file_hash == file_hash
    )
    return connection.execute(query).one_or_none()


def save_import(connection: Connection, **columns: Any) -> None:
    """Write what the import of a file came to; a later one of the same file replaces it."""
    statement = insert_into(connection, enterprise_imports).values(**columns)
    names = ("import_id", "refused", "finished_at", "report")
    changed = {name: statement.excluded[name] for name in names}
    keys = ["contract_id", "file_hash"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def read_pool(connection: Connection, operator: str) -> tuple[PoolBlock, ...]:
    """Return the ranges of an operator's pool."""
    query = number_blocks.select().where(number_blocks.c.operator == operator)
    return tuple(
        PoolBlock(NumberRange(row.first, row.last), LineKind(row.kind), bool(row.excluded))
        for row in connection.execute(query)
    )


def find_line(connection: Connection, number: str, *, for_update: bool = False) -> EnterpriseLine | None:
    """Return the enterprise line with a number; `for_update` holds it until the transaction ends."""
    query = enterprise_lines.select().where(enterprise_lines.c.number == number)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _line(row)


def find_line_by_id(connection: Connection, line_id: str) -> EnterpriseLine | None:
    """Return the enterprise line that became a registered line."""
    row = connection.execute(enterprise_lines.select().where(enterprise_lines.c.line_id == line_id)).first()
    return None if row is None else _line(row)


def list_lines(
    connection: Connection,
    contract_id: str,
    *,
    state: EnterpriseLineState | None,
    after: str | None,
    limit: int,
) -> tuple[EnterpriseLine, ...]:
    """Return lines of a contract in the order of their numbers."""
    query = enterprise_lines.select().where(enterprise_lines.c.contract_id == contract_id)
    if state is not None:
        query = query.where(enterprise_lines.c.state == state.value)
    if after is not None:
        query = query.where(enterprise_lines.c.number > after)
    found = connection.execute(query.order_by(enterprise_lines.c.number).limit(limit))
    return tuple(_line(row) for row in found)


def list_vacated(connection: Connection, before: datetime, limit: int) -> tuple[EnterpriseLine, ...]:
    """Return lines whose user left and whose time for the next one is over."""
    query = (
        enterprise_lines.select()
        .where(enterprise_lines.c.vacated_until <= before)
        .order_by(enterprise_lines.c.vacated_until, enterprise_lines.c.number)
        .limit(limit)
    )
    return tuple(_line(row) for row in connection.execute(query))


def change_line(connection: Connection, number: str, **columns: Any) -> None:
    """Set columns of a line that the caller holds."""
    where = enterprise_lines.c.number == number
    connection.execute(enterprise_lines.update().where(where).values(**columns))


def remove_line(connection: Connection, number: str) -> None:
    """Take a line out of its contract; who used it stays in `line_uses`."""
    connection.execute(enterprise_lines.delete().where(enterprise_lines.c.number == number))


def count_lines_of_user(connection: Connection, subject: str, operator: str) -> int:
    """Return how many enterprise lines of an operator a person uses now."""
    query = sa.select(sa.func.count()).where(
        enterprise_lines.c.subject == subject, enterprise_lines.c.operator == operator
    )
    return connection.execute(query).scalar_one()


def add_use(connection: Connection, use: LineUse) -> None:
    """Write that somebody uses a line from now on."""
    names = (column.name for column in line_uses.c)
    connection.execute(line_uses.insert().values({name: getattr(use, name) for name in names}))


def end_use(connection: Connection, line_id: str, at: datetime) -> None:
    """Write that whoever uses a line does so no more."""
    where = (line_uses.c.line_id == line_id) & line_uses.c.used_to.is_(None)
    connection.execute(line_uses.update().where(where).values(used_to=at))


def list_uses(connection: Connection, line_id: str) -> tuple[LineUse, ...]:
    """Return who used a line, first to last."""
    query = line_uses.select().where(line_uses.c.line_id == line_id).order_by(line_uses.c.position)
    return tuple(LineUse(**row._mapping) for row in connection.execute(query))  # noqa: SLF001 - public


def _terms_columns(terms: TermsAcceptance | None) -> dict[str, Any]:
    return {
        "terms_version": terms and terms.version,
        "terms_hash": terms and terms.content_hash,
        "terms_accepted_at": terms and terms.accepted_at,
        "terms_channel": terms and terms.channel.value,
        "terms_language": terms and terms.language,
    }


def _contract(row: Row[Any]) -> EnterpriseContract:
    accepted: datetime | None = row.terms_accepted_at
    terms = accepted and TermsAcceptance(
        row.terms_version, row.terms_hash, accepted, Channel(row.terms_channel), row.terms_language
    )
    return EnterpriseContract(
        contract_id=row.contract_id,
        operator=row.operator,
        organisation=row.organisation,
        handler_session=row.handler_session,
        lines_confirmed=row.lines_confirmed,
        created_at=row.created_at,
        lines_entered=row.lines_entered,
        terms=terms or None,
    )


def _line(row: Row[Any]) -> EnterpriseLine:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to read a row by name
    typed = {
        "kind": LineKind(row.kind),
        "product_class": ProductClass(row.product_class),
        "state": EnterpriseLineState(row.state),
    }
    return EnterpriseLine(**{**values, **typed})
