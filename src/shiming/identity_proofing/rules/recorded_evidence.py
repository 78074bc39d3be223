"""Recorded evidence as JSON and back, without loss: what a receipt carries and a replay decides on."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shiming.identity_proofing.model.evidence import Evidence
from shiming.vocabulary.errors import BadInput, Text


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence as plain JSON values."""
    document: dict[str, Any] = _adapter().dump_python(evidence, mode="json")
    return document


def evidence_from_json(document: Mapping[str, Any]) -> Evidence:
    """Read recorded evidence; raise BadInput when it is not complete or not of this form."""
    try:
        return _adapter().validate_python(dict(document))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise BadInput(
            "EVIDENCE_INVALID",
            Text(
                zh="记录的测量数据格式不正确。",
                en=f"The recorded measurements are not well formed: {place}.",
            ),
            advice=Text(zh="请使用原始回执文件。", en="Use the receipt as it was issued."),
            details={"place": place},
        ) from None


@cache
def _adapter() -> TypeAdapter[Evidence]:
    return TypeAdapter(Evidence)
