"""A counter that proves people and keeps their identity, in a process of its own that a test can kill.

`python -m tests.entrypoints.session_keeper FIRST PEOPLE`: one transaction a session - the decided session,
its order and the identity record in the vault - and, only when it is committed, one line that names it.
"""

import os
import sys
import time
from datetime import timedelta

from sqlalchemy.engine import Connection

from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing import store
from shiming.identity_proofing.model.session import Session, SessionState
from shiming.infrastructure.database import transact
from shiming.infrastructure.settings import Settings
from shiming.jurisdictions.model import Channel, Route
from shiming.privacy.model import IdentityRecord
from shiming.privacy.use_cases.vault import put_identity
from shiming.vocabulary.msisdn import Msisdn
from shiming.vocabulary.reference_numbers import RANDOM_BYTES, ReferenceNumber
from tests.registrations.builders import an_order, prepare_order

OPERATOR = "cn-mobile"
CONTESTED = 9  # every so many customers want a number that another one wanted
PAUSE_S = 0.02  # clerks do not fill the database as fast as it can


def keep(platform: Platform, index: int, people: int) -> tuple[str, str]:
    """Keep session number `index` with an order for a number; return the reference and the number."""
    person, now = index % people, platform.clock.now()
    number = f"+8613800{index if index % CONTESTED else 0:06d}"
    reference = str(ReferenceNumber.create("SES", os.urandom(RANDOM_BYTES)))
    identity = IdentityRecord("resident_id", f"1101051949{person:08d}", f"person {person}", "somewhere")
    subject = f"p1.person-{person}"
    session = Session(
        id=reference,
        pack_id="cn",
        pack_version="1",
        pack_hash="sha256:" + "0" * 64,
        channel=next(iter(Channel)),
        route=next(iter(Route)),
        subject="natural_person",
        opened_at=now,
        expires_at=now + timedelta(minutes=30),
        state=SessionState.DECIDED,
    )
    receipt = {
        "subject": subject,
        "decision": {"outcome": "Verified", "level": "ial2"},
        "challenge": {"origin": "drawn"},
    }

    def work(connection: Connection) -> None:
        store.add_session(connection, session, OPERATOR)
        store.save_decision(connection, reference, receipt, now)
        put_identity(
            platform.privacy,
            connection,
            subject=subject,
            case_reference=reference,
            identity=identity,
            retention=platform.policy("cn", platform.today()).retention,
            now=now,
            operator=OPERATOR,
        )
        prepare_order(connection, an_order(reference, Msisdn(number), now=now))

    transact(platform.engine, work)
    return reference, number


def main() -> None:
    """Keep sessions until killed, or until the reader has gone."""
    first, people = int(sys.argv[1]), int(sys.argv[2])
    platform = Platform(Settings.from_environment(os.environ))
    index = first
    while True:
        reference, number = keep(platform, index, people)
        sys.stdout.write(f"{reference} {index % people} {number}\n")
        sys.stdout.flush()
        index += 1
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
