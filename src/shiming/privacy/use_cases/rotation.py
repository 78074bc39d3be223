"""Change the key-encryption key: wrap every data key again by the present one, while everybody works.

State is in the rows only: a data key names the key that wraps it. So a run that was killed is continued by
running it again, and two runs at once share the work. Evidence is not touched. The old key stays able to
unwrap until no row needs it - and as long as backups are kept whose rows do.
"""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection, Engine

from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.encryption import key_unknown
from shiming.infrastructure.sealed_secrets import count_sealed_by_kek, rewrap_sealed
from shiming.infrastructure.webhooks.secrets import count_secrets_by_kek, rewrap_secrets
from shiming.privacy.model import KekState
from shiming.privacy.permissions import MayRotateKeys
from shiming.privacy.store import data_keys as store
from shiming.privacy.use_cases.ledger import Fact, record
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import Text, Unavailable
from shiming.vocabulary.permissions import asks, inside

REWRAPPED_A_BATCH = 500  # SQLite's writers wait for one batch: some milliseconds
_HELD_WAIT_S = 0.2  # writers hold the last rows for the length of their transaction
_HELD_ATTEMPTS_MAX = 300  # a minute; longer means that a writer hangs


@asks(MayRotateKeys)
def list_keks(tools: PrivacyTools, connection: Connection) -> tuple[KekState, ...]:
    """Return the key-encryption keys, the present one last, and how many data keys each one wraps."""
    known, counts = tools.keys.kek_ids(), _wrapped_by(connection)
    lost = sorted(set(counts) - set(known))
    return tuple(
        KekState(kek_id, present=kek_id == known[-1], known=kek_id in known, data_keys=counts.get(kek_id, 0))
        for kek_id in (*lost, *known)
    )


@inside("programs refuse to start without the keys of their data")
def require_keks(tools: PrivacyTools, connection: Connection) -> None:
    """Raise KEY_UNKNOWN when data keys are wrapped by a key that this installation does not hold."""
    known = tools.keys.kek_ids()
    for kek_id in _wrapped_by(connection):
        if kek_id not in known:
            raise key_unknown(kek_id)


@asks(MayRotateKeys)
def record_new_kek(tools: PrivacyTools, connection: Connection, kek_id: str, *, now: datetime) -> None:
    """Record that a new key-encryption key was made."""
    record(connection, tools.keys, kind="kek.created", facts={"kek": kek_id}, now=now)


@asks(MayRotateKeys)
def rotate_keks(
    tools: PrivacyTools,
    engine: Engine,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda _done, _left: None,
    batch: int = REWRAPPED_A_BATCH,
) -> int:
    """Wrap by the present key whatever another one wraps; return how many data keys that were.

    `progress` gets how many are done and how many are left.
    """
    done = held = 0
    while True:
        present = tools.keys.kek_ids()[-1]  # each time: a newer one may be made meanwhile
        rewrapped = transact(engine, partial(_batch, tools, present=present, batch=batch, now=clock()))
        done += rewrapped
        done += transact(engine, lambda connection: rewrap_secrets(connection, tools.keys))
        done += transact(engine, lambda connection: rewrap_sealed(connection, tools.keys))
        with reading(engine) as connection:
            counts = _wrapped_by(connection)
        left = sum(count for kek_id, count in counts.items() if kek_id != present)
        progress(done, left)
        if not left:
            return done
        held = 0 if rewrapped else held + 1
        if held >= _HELD_ATTEMPTS_MAX:
            raise _rows_held(left)
        if held:
            time.sleep(_HELD_WAIT_S)


def _wrapped_by(connection: Connection) -> dict[str, int]:
    """Return how many keys of evidence, and secrets of webhooks and peers, each key-encryption key wraps."""
    counts = (store.count_by_kek, count_secrets_by_kek, count_sealed_by_kek)
    return dict(sum((Counter(count(connection)) for count in counts), Counter()))


def _batch(tools: PrivacyTools, connection: Connection, *, present: str, batch: int, now: datetime) -> int:
    keys = store.list_not_wrapped_by(connection, present, batch)
    if not keys:
        return 0
    wrapped = [
        store.StoredKey(key.data_key_id, tools.keys.wrap(tools.keys.unwrap(key.wrapped))) for key in keys
    ]
    store.rewrap(connection, wrapped)
    facts: dict[str, Fact] = {"kek": present, "data_keys": len(keys)}
    record(connection, tools.keys, kind="kek.rewrapped", facts=facts, now=now)
    return len(keys)


def _rows_held(left: int) -> Unavailable:
    return Unavailable(
        "KEK_ROWS_HELD",
        Text(zh="部分数据密钥一直被其他程序占用。", en="Other programs kept holding some data keys."),
        Text(zh="请再次运行 shiming kek rotate。", en="Run `shiming kek rotate` again."),
        {"data_keys": left},
    )
