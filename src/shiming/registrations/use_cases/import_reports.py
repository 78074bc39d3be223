"""What came of a file: how many rows went in, were there already, or were passed over, and why."""

from dataclasses import dataclass, field
from typing import Any

from shiming.infrastructure.bulk_rows import BadRow

BAD_ROWS_SHOWN_MAX = 1000  # a file with more faults is mended at its source; all of them are counted


@dataclass(slots=True)
class ImportReport:
    """Counts, and the first bad rows in the order in which they were found."""

    added: int = 0
    unchanged: int = 0
    refused: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    def count(self, *, repeated: bool) -> None:
        """Count a good row."""
        if repeated:
            self.unchanged += 1
        else:
            self.added += 1

    def refuse(self, row: BadRow) -> None:
        """Count a bad row, and keep it while there is room."""
        self.refused += 1
        if len(self.bad_rows) < BAD_ROWS_SHOWN_MAX:
            self.bad_rows.append(row)

    def to_json(self) -> dict[str, Any]:
        """Return the report, bad rows by line."""
        return {
            "added": self.added,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "bad_rows": [row.to_json() for row in sorted(self.bad_rows, key=lambda row: row.line)],
        }
