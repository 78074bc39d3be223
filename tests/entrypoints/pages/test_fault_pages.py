"""The page of an error says to each reader what they can do: staff look into faults, others try again."""

import pytest

from shiming.entrypoints.pages.preferences import Preferences
from shiming.entrypoints.pages.rendering import environment_of
from shiming.vocabulary.errors import BadInput, ShimingError, Text, Unavailable

_WORDS = Text(zh="数据库不可用。", en="The database cannot be used."), Text(zh="查。", en="Check the disk.")
FAULT = Unavailable("DATABASE_UNAVAILABLE", *_WORDS)
UNKNOWN = BadInput("SESSION_UNKNOWN", Text(zh="没有。", en="There is none."), Text(zh="查。", en="Check it."))


def shown(error: ShimingError, status: int, caller: object) -> str:
    environment = environment_of("en")
    facts = {
        "error": error, "status": status, "fault": status >= 500, "request_id": "ID-1", "caller": caller,
        "may": lambda _code: False, "csrf_token": "token", "path": "/somewhere", "sandbox": True,
        "preferences": Preferences("en", "normal", "normal"),
    }  # fmt: skip
    facts["m"] = environment.get_template("macros.html").make_module(facts)
    return environment.get_template("problem.html").render(facts)


@pytest.mark.parametrize(
    ("error", "status", "caller", "title", "tries_again"),
    [
        (FAULT, 503, None, "This does not work at the moment.", True),
        (FAULT, 503, object(), "The database cannot be used.", True),
        (UNKNOWN, 404, None, "There is none.", False),
        (UNKNOWN, 409, None, "There is none.", True),
    ],
)
def test_an_error_says_what_its_reader_can_do(
    error: ShimingError, status: int, caller: object, title: str, tries_again: bool
) -> None:
    found = shown(error, status, caller)
    assert f"<h1>{title}</h1>" in found
    assert ("Try again</a>" in found) is tries_again
    assert ("Check the disk." in found) is (error is FAULT and caller is not None)
    assert error.code in found
