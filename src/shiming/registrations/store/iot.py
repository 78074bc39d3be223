"""Tables of assessments and contracts for industry cards, and both to and from rows."""

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from shiming.infrastructure.tables import UtcInstant, schema
from shiming.jurisdictions.model import Binding, Channel
from shiming.registrations.model.iot import (
    Area,
    Assessment,
    AssessmentResult,
    ContractStatus,
    FenceTerms,
    IotContract,
    TrafficClass,
)

iot_assessments = sa.Table(
    "iot_assessments",
    schema,
    sa.Column("assessment_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("organisation", sa.String(40), nullable=False),
    sa.Column("result", sa.String(20), nullable=False),
    sa.Column("assessor", sa.String(80), nullable=False),
    sa.Column("evidence", sa.String(64), nullable=False),
    sa.Column("assessed_at", UtcInstant, nullable=False),
)
sa.Index("ix_iot_assessments", iot_assessments.c.organisation, iot_assessments.c.assessed_at)

iot_contracts = sa.Table(
    "iot_contracts",
    schema,
    sa.Column("contract_id", sa.String(40), primary_key=True),
    sa.Column("operator", sa.String(40), nullable=False),
    sa.Column("organisation", sa.String(40), nullable=False, index=True),
    sa.Column("scene", sa.String(60), nullable=False),
    sa.Column("traffic", sa.String(20), nullable=False),
    sa.Column("cards_max", sa.Integer, nullable=False),
    sa.Column("terms", sa.Text, nullable=False),  # of the fence, JSON; no person in it
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("resale_clause", sa.Boolean, nullable=False),
    sa.Column("sells_devices", sa.Boolean, nullable=False),
    sa.Column("handler_session", sa.String(64), nullable=False),
    sa.Column("assessment", sa.String(40)),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("signed_at", UtcInstant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Index("ix_iot_contracts_operator", iot_contracts.c.operator, iot_contracts.c.contract_id)


def add_assessment(connection: Connection, assessment: Assessment) -> None:
    """Write an assessment; it is never changed, a later one counts instead."""
    connection.execute(
        iot_assessments.insert().values(**asdict(assessment) | {"result": assessment.result.value})
    )


def find_latest_assessment(connection: Connection, organisation: str) -> Assessment | None:
    """Return the assessment of a company that was made last."""
    table = iot_assessments
    query = (
        table.select()
        .where(table.c.organisation == organisation)
        .order_by(table.c.assessed_at.desc(), table.c.assessment_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to read a row by name
    return Assessment(**{**values, "result": AssessmentResult(row.result)})


def add_contract(connection: Connection, contract: IotContract) -> None:
    """Write a new contract."""
    names = (column.name for column in iot_contracts.c)
    values = {name: getattr(contract, name) for name in names}
    words = {name: values[name].value for name in ("traffic", "channel", "status")}
    connection.execute(
        iot_contracts.insert().values({**values, **words, "terms": _terms_text(contract.terms)})
    )


def find_contract(
    connection: Connection, contract_id: str, *, for_update: bool = False
) -> IotContract | None:
    """Return a contract; `for_update` holds it until the transaction ends."""
    query = iot_contracts.select().where(iot_contracts.c.contract_id == contract_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    return None if row is None else _contract(row)


def list_contracts(
    connection: Connection, operator: str | None, *, after: str | None, limit: int
) -> tuple[IotContract, ...]:
    """Return contracts in the order of their references."""
    query = iot_contracts.select().order_by(iot_contracts.c.contract_id).limit(limit)
    if operator is not None:
        query = query.where(iot_contracts.c.operator == operator)
    if after is not None:
        query = query.where(iot_contracts.c.contract_id > after)
    return tuple(_contract(row) for row in connection.execute(query))


def set_status(connection: Connection, contract: IotContract, status: ContractStatus) -> bool:
    """Set the status and count the version; False when it is not this version any more."""
    table = iot_contracts
    statement = (
        table.update()
        .where(table.c.contract_id == contract.contract_id, table.c.version == contract.version)
        .values(status=status.value, version=contract.version + 1)
    )
    return connection.execute(statement).rowcount == 1


def _terms_text(terms: FenceTerms) -> str:
    return json.dumps(asdict(terms) | {"binding": terms.binding.value}, sort_keys=True)


def _terms(text: str) -> FenceTerms:
    content = json.loads(text)
    area = content.pop("area")
    return FenceTerms(
        **{
            **content,
            "apns": tuple(content["apns"]),
            "targets": tuple(content["targets"]),
            "binding": Binding(content["binding"]),
        },
        area=None if area is None else Area(**area),
    )


def _contract(row: Row[Any]) -> IotContract:
    values = dict(row._mapping)  # noqa: SLF001 - as above
    typed = {
        "traffic": TrafficClass(row.traffic),
        "terms": _terms(row.terms),
        "channel": Channel(row.channel),
        "status": ContractStatus(row.status),
    }
    return IotContract(**{**values, **typed})
