"""Who the applicant claims to be, as read from the document. In memory only, masked when shown."""

from dataclasses import dataclass, field
from datetime import date

from shiming.vocabulary.masking import mask_identity_number, mask_name


@dataclass(frozen=True, slots=True, repr=False)
class ClaimedIdentity:
    """The attributes that an authority can confirm. None = not read."""

    document_type: str
    number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    birth_date: date | None = None
    sex: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    long_term: bool = False
    address: str | None = field(repr=False, default=None)

    def __repr__(self) -> str:
        number = mask_identity_number(self.number) if self.number else None
        name = mask_name(self.name) if self.name else None
        return f"ClaimedIdentity({self.document_type}, {number}, {name})"


@dataclass(frozen=True, slots=True, repr=False)
class DeclaredIdentity:
    """What the applicant or the clerk typed, to be compared with the document; never a source of its own."""

    name: str | None = None
    number: str | None = None

    def __repr__(self) -> str:
        return "DeclaredIdentity(***)"
