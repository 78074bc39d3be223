"""One table from error code to status, and every code that the source can raise has a meaning in it."""

import ast
import re
from pathlib import Path

import pytest

import shiming
from shiming.entrypoints.http_problems import STATUSES
from shiming.infrastructure.http.asking import Forbidden, Unauthenticated
from shiming.infrastructure.http.problems import _DESCRIPTIONS, Refusal, status_of
from shiming.vocabulary.errors import BadInput, Text, Unavailable

SOURCE = Path(shiming.__file__).parent
_CODE = re.compile(r"[A-Z][A-Z0-9_]{3,}")
_SOME = Text(zh="x", en="x")


def codes_in_source() -> set[str]:
    """Return every text in the source that has the form of a code."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        if file.name == "http_problems.py":
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value):
                found.add(node.value)
    return found


def test_the_table_names_only_codes_that_exist() -> None:
    assert not set(STATUSES) - codes_in_source()


def test_statuses_are_documented_ones() -> None:
    assert set(STATUSES.values()) <= set(_DESCRIPTIONS)
    assert all(
        status != 500 or code in {"INTERNAL_FAULT", "QUESTION_NOT_ASKED"} for code, status in STATUSES.items()
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("SOMETHING_ELSE", _SOME), 400),
        (Unavailable("SOMETHING_ELSE", _SOME), 503),
        (Refusal("SOMETHING_ELSE", _SOME), 409),
        (Forbidden("x.y"), 403),
        (Unauthenticated("TOKEN_EXPIRED"), 401),
        (BadInput("SESSION_UNKNOWN", _SOME), 404),
        (BadInput("IDEMPOTENCY_KEY_REUSED", _SOME), 422),
        (BadInput("IMAGE_TOO_LARGE", _SOME), 413),
        (BadInput("RATE_LIMITED", _SOME), 429),
    ],
)
def test_a_code_has_its_status_or_that_of_its_kind(error: BadInput, status: int) -> None:
    assert status_of(error, STATUSES) == status


def test_what_is_unknown_is_not_found() -> None:
    """A code that says that a named thing does not exist is 404, wherever it is raised."""
    things = (
        "SESSION",
        "LINE",
        "RECEIPT",
        "EVIDENCE",
        "DISCLOSURE",
        "LEAF",
        "ACCOUNT",
        "CLIENT",
        "JOB",
        "WEBHOOK",
    )
    unknown = {f"{thing}_UNKNOWN" for thing in things} & codes_in_source()
    assert {code for code in unknown if STATUSES.get(code) != 404} == set()
