"""SQL scripts: statements one after the other, each ended by a line that holds `;` alone.

The line ends a statement whatever the statement contains, such as the body of a function or a trigger.

>>> statements_of(script_of(["CREATE TABLE a (b)", "SELECT ';'"]))
('CREATE TABLE a (b)', "SELECT ';'")
"""

from collections.abc import Iterable

_END = "\n;\n"


def script_of(statements: Iterable[str]) -> str:
    """Return the script that holds these statements."""
    return "\n".join(f"{statement.strip()}{_END}" for statement in statements)


def statements_of(script: str) -> tuple[str, ...]:
    """Return the statements of a script."""
    return tuple(part.strip() for part in script.split(_END) if part.strip())
