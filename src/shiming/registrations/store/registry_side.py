"""What the registry says about many lines at once, in a few queries a page; for comparing with a network."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shiming.registrations.model.lines import Line, LineKind
from shiming.registrations.model.provisioning import Profile
from shiming.registrations.store.orders import line_orders
from shiming.registrations.store.provisioning_tables import line_profiles
from shiming.registrations.store.sims import sim_uses, sims

Resource = tuple[str, str]


def profiles_of_lines(
    connection: Connection, lines: Sequence[Line], *, now: datetime
) -> dict[str, list[Profile]]:
    """Return the parts of each line's profile that hold now, as `list_profiles` orders them."""
    until = line_profiles.c.until
    query = (
        sa.select(line_profiles.c.line_id, line_profiles.c.profile)
        .where(line_profiles.c.line_id.in_(_ids(lines)), sa.or_(until.is_(None), until > now))
        .order_by(until.is_not(None), line_profiles.c.source)
    )
    found: dict[str, list[Profile]] = defaultdict(list)
    for line_id, profile in connection.execute(query):
        found[line_id].append(json.loads(profile))
    return found


def resources_of_lines(connection: Connection, lines: Sequence[Line]) -> dict[str, frozenset[Resource]]:
    """Return the number of each line, and its card: the present one, else the one that was asked for."""
    present = _present_cards(connection, lines)
    others = [line for line in lines if line.line_id not in present]
    asked = _asked_cards(connection, others)
    return {
        line.line_id: frozenset((_number(line), *present.get(line.line_id, asked.get(line.session_id, ()))))
        for line in lines
    }


def _number(line: Line) -> Resource:
    kind = "ACCOUNT" if line.kind is LineKind.INTERNET else "MSISDN"
    return kind, line.number.reveal("the operator's own BSS provisions it")


def _present_cards(connection: Connection, lines: Sequence[Line]) -> dict[str, tuple[Resource, ...]]:
    query = (
        sa.select(sim_uses.c.line_id, sims.c.iccid, sims.c.imsi)
        .join_from(sim_uses, sims, sims.c.iccid == sim_uses.c.iccid)
        .where(sim_uses.c.line_id.in_(_ids(lines)), sim_uses.c.until.is_(None))
    )
    rows = connection.execute(query)
    return {line_id: (("ICCID", iccid), ("IMSI", imsi)) for line_id, iccid, imsi in rows}


def _asked_cards(connection: Connection, lines: Sequence[Line]) -> dict[str, tuple[Resource, ...]]:
    if not lines:
        return {}
    query = sa.select(line_orders.c.session_id, line_orders.c.iccid, line_orders.c.imsi).where(
        line_orders.c.session_id.in_([line.session_id for line in lines])
    )
    return {
        session_id: tuple((kind, value) for kind, value in (("ICCID", iccid), ("IMSI", imsi)) if value)
        for session_id, iccid, imsi in connection.execute(query)
    }


def _ids(lines: Sequence[Line]) -> list[str]:
    return [line.line_id for line in lines]
