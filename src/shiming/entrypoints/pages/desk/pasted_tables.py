"""Tables of rows that staff bring: a file, sent by script, or rows pasted into a form, which needs none."""

import io
from typing import Annotated, BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from shiming.entrypoints.pages.desk.tables import Column, Gathered, Table
from shiming.infrastructure.bulk_rows import BadRow
from shiming.infrastructure.http.uploads import FilePart, TextPart, UploadForm
from shiming.registrations.api.line_platform import TABLE
from shiming.registrations.use_cases.import_reports import ImportReport
from shiming.vocabulary.errors import Text

PASTED_CHARACTERS_MAX = 40_000  # a plain form is 64 kB at most, and each sign may take three bytes of it
#: The token stands in the form too, as in every form of ours.
TABLE_FILE = UploadForm((FilePart("table", TABLE),), (TextPart("csrf_token", 200),))
PASTED = "pasted.csv"

BAD_ROWS: Table[BadRow] = Table(
    "bad-rows",
    Text(zh="未导入的行", en="Rows that were passed over"),
    (
        Column("line", Text(zh="行号", en="Line"), lambda row: row.line, look="number"),
        Column("column", Text(zh="列", en="Column"), lambda row: row.column, look="code"),
        Column("why", Text(zh="原因", en="Why"), lambda row: row.text),
        Column("code", Text(zh="代码", en="Code"), lambda row: row.code, look="code"),
    ),
    order="line",
    exported=False,  # it is the answer to one upload and has no address
)


class PastedTable(BaseModel):
    """Rows with their heading, as CSV."""

    model_config = ConfigDict(extra="ignore")
    rows: Annotated[str, Field(max_length=PASTED_CHARACTERS_MAX)]

    def stream(self) -> BinaryIO:
        """Return the rows as a file of CSV."""
        return io.BytesIO(self.rows.encode())


def bad_rows_of(report: ImportReport) -> Gathered[BadRow]:
    """Return the bad rows in the order of the file."""
    rows = sorted(report.bad_rows, key=lambda row: row.line)
    return Gathered(tuple(rows), cut=report.refused > len(rows))
