"""What a machine readable zone says, and which of its check digits are right."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from shiming.vocabulary.machine_readable_zone.dates import DateParts
from shiming.vocabulary.machine_readable_zone.layouts import Format
from shiming.vocabulary.masking import mask_middle, mask_name

Sex = Literal["male", "female", "unspecified"]
CheckName = Literal["document_number", "birth_date", "expiry_date", "optional_data", "composite"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether the check digit of one field is right and the field has the form that the standard asks."""

    name: CheckName
    valid: bool


@dataclass(frozen=True, slots=True)
class Repair:
    """One character that was read wrongly, by its position in the zone.

    `proof` is `check_digit` where check digits prove it, `alphabet` where the standard allows no other
    kind of character there (names and states have no check digit), `length` for fillers added or taken.
    """

    position: int
    proof: Literal["check_digit", "alphabet", "length"]


@dataclass(frozen=True, slots=True, repr=False)
class MachineReadableZone:
    """The fields of one zone, every text without fillers.

    A date with unknown parts is None; its parts stand in `..._parts`. `document_number_alternatives` are
    look-alikes of the number that the check digits cannot tell from it; a second source has to.
    """

    format: Format
    lines: tuple[str, ...]
    document_code: str
    issuing_state: str
    surname: str
    given_names: str
    names_truncated: bool
    document_number: str
    nationality: str
    birth_date: date | None
    birth_date_parts: DateParts | None
    sex: Sex
    expiry_date: date | None
    expiry_date_parts: DateParts | None
    optional_data: str
    optional_data_2: str
    checks: tuple[CheckResult, ...]
    repairs: tuple[Repair, ...]
    document_number_alternatives: tuple[str, ...]

    @property
    def check_digits_valid(self) -> bool:
        """Whether every check digit of the format is right."""
        return all(check.valid for check in self.checks)

    def check_of(self, name: CheckName) -> bool | None:
        """Return the result of one check, None where the format has no such check digit."""
        return next((check.valid for check in self.checks if check.name == name), None)

    def reveal(self, purpose: str) -> str:
        """Return the lines in clear for `purpose`, which the caller records in the access log."""
        if not purpose.strip():
            message = "a clear value is only given for a stated purpose"
            raise ValueError(message)
        return "\n".join(self.lines)

    def masked(self) -> str:
        """Return what may be shown."""
        number = mask_middle(self.document_number, first=1, last=2)
        name = mask_name(f"{self.given_names} {self.surname}".strip())
        validity = "valid" if self.check_digits_valid else "not valid"
        return f"{self.format} {self.document_code} {self.issuing_state} {number} {name}, {validity}"

    def __str__(self) -> str:
        return self.masked()

    def __repr__(self) -> str:
        return f"MachineReadableZone({self.masked()})"
