"""The sandbox authority's own records of invented people.

A JSON file: `{"people": [{"number", "name", "birth_date"?, "valid_to"?, "status"?, "portrait"?}, ...]}`.
`valid_to` is a day or `long_term`; `status` is `normal` (default), `expired` or `lost`; `portrait` is a
picture beside the file. The portrait is compared here, in this process: its template never leaves it.

A rehearsal may add people while the authority runs: `PopulationFile` reads a changed file again.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shiming.vocabulary.errors import BadInput, Text

_LOG = logging.getLogger(__name__)
PEOPLE_MAX = 100_000
LONG_TERM = "long_term"


class CardStatus(StrEnum):
    """What the authority knows about the card."""

    NORMAL = "normal"
    EXPIRED = "expired"
    LOST = "lost"


class PersonRecord(BaseModel):
    """One invented person."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    number: Annotated[str, StringConstraints(min_length=4, max_length=40)] = Field(repr=False)
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(repr=False)
    birth_date: date | None = Field(default=None, repr=False)
    valid_to: date | Literal["long_term"] | None = None
    status: CardStatus = CardStatus.NORMAL
    portrait: Path | None = None


class _Population(BaseModel):
    model_config = ConfigDict(extra="forbid")
    people: Annotated[tuple[PersonRecord, ...], Field(max_length=PEOPLE_MAX)]


def read_population(file: Path) -> dict[str, PersonRecord]:
    """Return the people of a file by number; portraits become paths beside the file."""
    try:
        population = _Population.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadInput(
            "POPULATION_INVALID",
            Text(zh="人口文件无法读取。", en="The population file cannot be read."),
            advice=Text(
                zh='格式：{"people": [{"number": ..., "name": ..., "portrait": ...}]}。',
                en='Its form: {"people": [{"number": ..., "name": ..., "portrait": ...}]}.',
            ),
        ) from error
    return {
        person.number: person.model_copy(
            update={"portrait": file.parent / person.portrait if person.portrait else None}
        )
        for person in population.people
    }


class PopulationFile(Mapping[str, PersonRecord]):
    """The people of a file as it is now; a file that has become unreadable changes nobody.

    Raises BadInput when it cannot be read the first time. Threads may share it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._people = read_population(file)
        self._seen = self._mark()

    def __getitem__(self, number: str) -> PersonRecord:
        return self._now()[number]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> dict[str, PersonRecord]:
        mark = self._mark()
        with self._lock:
            if mark is not None and mark != self._seen:
                self._seen = mark
                try:
                    self._people = read_population(self._file)
                except BadInput as problem:
                    _LOG.warning("the population stays as it was: %s", problem.code)
            return self._people

    def _mark(self) -> tuple[int, int, int] | None:
        """Return what tells one version of the file from another."""
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
