from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import Engine

from shiming.identity_proofing import store
from shiming.identity_proofing.use_cases.challenges import Application, open_session
from shiming.identity_proofing.use_cases.settling import settle_waiting_evidence
from shiming.infrastructure.database import reading, unit_of_work
from shiming.jurisdictions.model import Channel, Route
from shiming.privacy.model import IdentityRecord
from shiming.privacy.use_cases.retention import UNUSED_AFTER
from shiming.privacy.use_cases.vault import list_metadata, put_identity
from tests.identity_proofing.proofing_builders import a_policy
from tests.identity_proofing.proofing_desk import NAME, NUMBER, Desk
from tests.privacy.builders import NOW, a_retention_policy, a_vault

LATER = NOW + UNUSED_AFTER + timedelta(seconds=1)


def a_case(desk: Desk, folder: Path, url: str) -> str:
    """A session with an identity record in the vault."""
    vault = a_vault(folder, url)
    with unit_of_work(vault.engine) as connection:
        session = open_session(desk.tools, connection, Application(Channel.SHOP, Route.STANDARD), a_policy())
        put_identity(
            vault.tools,
            connection,
            subject="p1.someone",
            case_reference=session.id,
            identity=IdentityRecord("resident_id", NUMBER, NAME, ""),
            retention=a_retention_policy(),
            now=NOW,
        )
    vault.engine.dispose()
    return session.id


def test_evidence_belongs_to_the_line_of_its_session_or_goes(
    tmp_path: Path, database: Engine, database_url: str
) -> None:
    desk = Desk.open(tmp_path, database)
    abandoned, registered = (a_case(desk, tmp_path, database_url) for _ in range(2))
    with unit_of_work(database) as connection:
        sessions = store._sessions
        connection.execute(sessions.update().where(sessions.c.id == registered).values(consumed_by="REG-1"))
        assert settle_waiting_evidence(connection, NOW + UNUSED_AFTER) == 0
        assert settle_waiting_evidence(connection, LATER) == 2
        assert settle_waiting_evidence(connection, LATER) == 0
    with reading(database) as connection:
        (gone,) = list_metadata(connection, case_reference=abandoned)
        (kept,) = list_metadata(connection, case_reference=registered)
    assert (gone.line_id, gone.retain_until) == (None, LATER)
    assert (kept.line_id, kept.retain_until) == ("REG-1", None)
