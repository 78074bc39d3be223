"""Which claims a portable receipt has, and whether what a verifier sees is what it asked for. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from shiming.jurisdictions.model import DocumentPolicy
from shiming.registrations.errors.portable_receipts import PortableRefusal
from shiming.registrations.model.lines import Line, LineStatus
from shiming.registrations.model.portable_receipts import (
    ADULT_YEARS,
    CLOCK_SKEW_MAX,
    KEY_BINDING_AGE_MAX,
    LIFE,
    VCT,
    WhatIsAsked,
)
from shiming.vocabulary.refusals import Refusal


def decide_portable(line: Line, *, rehearsal: bool, citation: str) -> tuple[Refusal, ...]:
    """Return why no receipt is made of a line."""
    refusals = []
    if line.status is LineStatus.TERMINATED:
        refusals.append(Refusal(PortableRefusal.PORTABLE_LINE_ENDED, citation))
    if rehearsal:
        refusals.append(Refusal(PortableRefusal.PORTABLE_REHEARSAL, citation))
    return tuple(refusals)


def is_adult(category: DocumentPolicy | None) -> bool | None:
    """Say whether a category of holders is of age by its definition; None where it says neither."""
    if category is None:
        return None
    if category.age_years_min is not None and category.age_years_min.value >= ADULT_YEARS:
        return True
    if category.age_years_below is not None and category.age_years_below.value <= ADULT_YEARS:
        return False
    return None


def shown_claims(issuer: str, now: datetime) -> dict[str, Any]:
    """Return what every verifier sees; of the issue the day alone, since seconds would name the holder."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "iss": issuer,
        "iat": int(day.timestamp()),
        "exp": int((day + LIFE).timestamp()),
        "vct": VCT,
    }


def disclosable_claims(line: Line, *, level: str | None, adult: bool | None) -> dict[str, Any]:
    """Return what the holder may disclose, each by itself; neither name nor number of a document."""
    claims = {
        "registered_since": line.registered_at.astimezone(UTC).date().isoformat(),
        "operator": line.operator,
        "line_number": line.number.reveal("claim of a receipt for its holder"),
        "line_kind": line.kind.value,
        "product_class": line.product_class,
        "assurance_level": level,
        f"age_over_{ADULT_YEARS}": adult,
    }
    return {name: value for name, value in claims.items() if value is not None}


def problem_of_claims(claims: Mapping[str, Any], wanted: WhatIsAsked, *, now: datetime) -> str | None:
    """Return the code of what is wrong with verified claims; None when they are what was asked for."""
    if claims.get("vct") != wanted.vct:
        return "PORTABLE_KIND"
    if wanted.issuer is not None and claims.get("iss") != wanted.issuer:
        return "PORTABLE_ISSUER"
    if "status" in claims:
        return "PORTABLE_STATUS"
    at, skew = now.timestamp(), CLOCK_SKEW_MAX.total_seconds()
    expires, issued, begins = (claims.get(name) for name in ("exp", "iat", "nbf"))
    if not _is_instant(expires) or at >= expires + skew:
        return "PORTABLE_EXPIRED"
    if any(begin is not None and (not _is_instant(begin) or at < begin - skew) for begin in (issued, begins)):
        return "PORTABLE_NOT_YET"
    return None


def problem_of_key_binding(issued_at: Any, *, now: datetime) -> str | None:
    """Return the code of what is wrong with the age of a proof of the holder's key."""
    age = now.timestamp() - issued_at if _is_instant(issued_at) else None
    if age is None or age > KEY_BINDING_AGE_MAX.total_seconds() or age < -CLOCK_SKEW_MAX.total_seconds():
        return "KEY_BINDING_OLD"
    return None


def _is_instant(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
