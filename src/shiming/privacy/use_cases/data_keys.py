"""The data key of a piece of evidence: found, or made when the piece is the first of its kind in its case."""

from datetime import datetime

from sqlalchemy.engine import Connection

from shiming.infrastructure.encryption import new_data_key
from shiming.privacy.model import KeyScope
from shiming.privacy.store import data_keys as store
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.vocabulary.errors import Text, Unavailable
from shiming.vocabulary.permissions import inside

_ATTEMPTS_MAX = 3  # a key is destroyed between two looks at most once in its life


@inside("putting evidence needs its key")
def data_key_of(
    tools: PrivacyTools, connection: Connection, scope: KeyScope, *, now: datetime
) -> tuple[str, bytes]:
    """Return id and clear bytes of the live key of a scope; nobody destroys it before this transaction ends.

    Two writers that are first at once end up with the same key: the database keeps only one.
    """
    for _ in range(_ATTEMPTS_MAX):
        found = store.find_live_key(connection, scope)
        if found is not None:
            return found.data_key_id, tools.keys.unwrap(found.wrapped)
        new = store.StoredKey(tools.new_reference("KEY"), tools.keys.wrap(new_data_key()))
        store.insert_key(connection, scope, new, now=now)
    raise Unavailable(
        "DATA_KEY_CONTESTED",
        Text(zh="材料正在被销毁。", en="This evidence is being erased just now."),
        Text(zh="请稍后重试。", en="Try again in a moment."),
    )
