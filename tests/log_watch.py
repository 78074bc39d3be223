"""A watch on everything the test suite logs: no identity number or name of a specimen may be in it.

Each record is written as the program would write it (`RedactingFormatter` for its own records, the library's
default for others) and searched. `SPECIMENS` are the people of the specimens and of the tests' examples.
"""

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from shiming.infrastructure.logging import RedactingFormatter

ROOT = Path(__file__).resolve().parents[1] / "specimens"
_EXAMPLES = ("11010519491231002X", "张三丰", "欧阳修远", "王小明")
_PERSONAL = {"name", "number", "personal_number", "document_number", "surname", "given_names", "address"}


@cache
def specimens() -> re.Pattern[str]:
    """Return a pattern that finds any specimen person's name or number."""
    files = [ROOT / "cases.json", *sorted((ROOT / "population").glob("*.json"))]
    found = {text for file in files for text in _personal(json.loads(file.read_text(encoding="utf-8")))}
    return re.compile("|".join(_pattern(text) for text in sorted({*found, *_EXAMPLES})))


def _pattern(text: str) -> str:
    """Find a text anywhere; a short Latin name such as LU as a word only: references are made by chance."""
    literal = re.escape(text)
    return rf"(?<![\w-]){literal}(?![\w-])" if re.fullmatch("[A-Z]{2,5}", text) else literal


class LogWatch(logging.Handler):
    """Remembers every log line in which a specimen person appears."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.hits: list[str] = []
        self._own, self._others = RedactingFormatter(), logging.Formatter("%(name)s %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        """Search one record as it would be written."""
        formatter = self._own if record.name.startswith("shiming") else self._others
        line = formatter.format(record)
        if specimens().search(line):
            self.hits.append(f"{record.name} {record.levelname} from {record.pathname}:{record.lineno}")


def _personal(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _personal(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _personal(inner, key)
    elif isinstance(value, str) and key in _PERSONAL and len(value) > 1:
        yield value
