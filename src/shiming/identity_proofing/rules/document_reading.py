"""Which document lies before us and whose it says it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shiming.identity_proofing.model.claimed_identity import ClaimedIdentity, DeclaredIdentity
from shiming.identity_proofing.model.evidence import FieldComparison
from shiming.recognition.measurements import DocumentKind, DocumentMeasurement
from shiming.vocabulary.errors import BadInput
from shiming.vocabulary.identity_numbers.cn import (
    PERMIT_DIVISIONS,
    ResidentIdentityNumber,
    compact,
    problems_of,
)
from shiming.vocabulary.person_name import PersonName, similarity

UNKNOWN_TYPE = "unknown"
LONG_TERM = frozenset({"long_term", "长期"})
_SELF_CHECKED = frozenset({"resident_id", "hkmt_residence_permit"})
#: Codes of the machine-readable zone (first two letters) by the packs' names of documents.
_MRZ_TYPES = {"P": "passport", "CR": "hk_macao_permit", "CT": "taiwan_permit", "CD": "taiwan_permit"}


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Both sides in their places, and the identity they state."""

    front: DocumentMeasurement
    back: DocumentMeasurement | None
    identity: ClaimedIdentity


def read_document_sides(first: DocumentMeasurement, second: DocumentMeasurement | None) -> ReadDocument:
    """Put the sides in their places, whichever was photographed first, and read the identity."""
    front, back = first, second
    if second is not None and first.kind is DocumentKind.RESIDENT_ID_BACK:
        front, back = second, first
    read: dict[str, Any] = {**(back.fields if back else {}), **front.fields}
    number = read.get("number") or read.get("document_number")
    valid_to = read.get("valid_to") or read.get("expiry_date")
    return ReadDocument(
        front,
        back,
        ClaimedIdentity(
            document_type=_document_type(front.kind, read),
            number=str(number) if number else None,
            name=_name(read),
            birth_date=_day(read.get("birth_date")),
            sex=read.get("sex") or None,
            valid_from=_day(read.get("valid_from")),
            valid_to=_day(valid_to),
            long_term=str(valid_to) in LONG_TERM,
            address=read.get("address") or None,
        ),
    )


def compare_with_declared(
    identity: ClaimedIdentity, declared: DeclaredIdentity
) -> tuple[FieldComparison, ...]:
    """Compare what the document says with what was declared, field by field."""
    comparisons = []
    if declared.number:
        same = compact(identity.number) == compact(declared.number) if identity.number else None
        comparisons.append(FieldComparison("number", "document~declared", same))
    if declared.name:
        alike = _name_similarity(identity.name, declared.name)
        comparisons.append(FieldComparison("name", "document~declared", None, alike))
    return tuple(comparisons)


def number_holds(document_type: str, number: str) -> bool | None:
    """Say whether a number passes its own checks; None for a document whose numbers have none."""
    return not problems_of(number) if document_type in _SELF_CHECKED else None


def number_agrees(document_type: str, number: str, birth_date: date, sex: str | None) -> dict[str, bool]:
    """Compare what a number tells of its holder with what the document says; empty where it tells nothing."""
    if document_type not in _SELF_CHECKED:
        return {}
    told = ResidentIdentityNumber.parse(number)
    return {"birth_date": told.birth_date == birth_date, "sex": sex is None or told.sex == sex}


def same_number(a: str, b: str) -> bool:
    """Say whether two numbers are the same but for the way they are written."""
    return compact(a) == compact(b)


def _name_similarity(a: str | None, b: str) -> float | None:
    try:
        return round(similarity(PersonName.parse(a or ""), PersonName.parse(b)), 6)
    except BadInput:
        return None


def _document_type(kind: DocumentKind, read: Mapping[str, Any]) -> str:
    if kind is DocumentKind.RESIDENT_ID_FRONT:
        permit = str(read.get("number") or "")[:6] in PERMIT_DIVISIONS
        return "hkmt_residence_permit" if permit else "resident_id"
    code = str(read.get("document_code") or "").replace("<", "")
    return _MRZ_TYPES.get(code) or _MRZ_TYPES.get(code[:1]) or UNKNOWN_TYPE


def _name(read: Mapping[str, Any]) -> str | None:
    if read.get("name"):
        return str(read["name"])
    parts = [str(read[part]) for part in ("surname", "given_names") if read.get(part)]
    return " ".join(parts) or None


def _day(value: Any) -> date | None:
    """Read a date as the document reader gives it: a date, or ISO 8601 text; anything else is not read."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).replace(".", "-"))
    except ValueError:
        return None
