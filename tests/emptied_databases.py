"""PostgreSQL databases that are emptied and used again, because making one takes longer than most tests.

A database is used again only when its structure is what it was (tests of tampering drop triggers), and after
every connection to it is gone. Emptying needs a superuser, who may switch the guards off; without one, or
when anything is odd, the caller makes a new database.
"""

from dataclasses import dataclass, field

import psycopg

_STRUCTURE = """
WITH ours AS (
    SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
), structure AS (
    SELECT concat('class ', oid, relname, relkind) AS mark FROM ours
    UNION ALL SELECT concat('column ', attrelid, attname, atttypid, attnotnull)
        FROM pg_attribute WHERE attnum > 0 AND attrelid IN (SELECT oid FROM ours)
    UNION ALL SELECT concat('trigger ', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat('constraint ', oid, conname) FROM pg_constraint
    UNION ALL SELECT concat('function ', oid, md5(prosrc))
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
)
SELECT md5(string_agg(mark, ',' ORDER BY mark)) FROM structure
"""
_OTHERS_OUT = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


#: Only what a test has written to has pages; a partitioned table has none, its partitions do.
_EMPTY = """
DO $body$
DECLARE
  written regclass;
BEGIN
  FOR written IN
    SELECT oid FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
  LOOP
    EXECUTE format('DELETE FROM ONLY %s', written);
  END LOOP;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences;
END
$body$
"""


@dataclass
class EmptiedDatabases:
    """The databases of one process that wait for their next test, with the structure they must have."""

    waiting: list[tuple[str, str]] = field(default_factory=list)

    def take(self) -> tuple[str, str] | None:
        """Return the address of an empty database and its structure; None when there is none."""
        return self.waiting.pop() if self.waiting else None

    def give_back(self, address: str, structure: str) -> bool:
        """Empty a database for the next test; False when it cannot be used again."""
        try:
            with psycopg.connect(address) as connection:
                connection.execute(_OTHERS_OUT)
                if structure_of(connection) != structure:
                    return False
                self._empty(connection)
        except psycopg.Error:
            return False
        self.waiting.append((address, structure))
        return True

    def _empty(self, connection: psycopg.Connection) -> None:
        connection.execute("SET LOCAL session_replication_role = replica")  # triggers and foreign keys rest
        connection.execute(_EMPTY)


def structure_of(connection: psycopg.Connection) -> str:
    """Return a fingerprint of tables, columns, constraints, triggers and functions."""
    (found,) = connection.execute(_STRUCTURE).fetchone() or ("",)
    return str(found)
