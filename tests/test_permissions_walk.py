"""Nothing can be reached without a permission: every use case, every route, every question is walked.

A use case that asks no question is called from inside and says why; a route that asks none says why it is
open to all; a question must be in the table of roles and scopes, and whoever is not listed there is denied.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol

import pytest

import shiming
from shiming.accounts.model import Denied, Principal, PrincipalKind, Role
from shiming.accounts.rules.permission_table import ALL_CODES, CLIENT_SCOPES, ROLE_CODES, decide_permission
from shiming.entrypoints.http_api import create_app, routes_of
from shiming.infrastructure.http.asking import Asked, OpenToAll, gates_of
from shiming.vocabulary.permissions import Permission, asks, inside, questions_of

OPERATOR = "cn-example"
#: What any file or connection can do; not a verb of a feature.
OF_RESOURCES = {"read", "close"}


def modules(part: str) -> Iterator[ModuleType]:
    """Every module of Shiming with a part of its name that is, or ends in, this."""
    for found in pkgutil.walk_packages(shiming.__path__, "shiming."):
        if any(each == part or each.endswith(f"_{part}") for each in found.name.split(".")):
            yield importlib.import_module(found.name)


def use_cases() -> list[tuple[str, Callable[..., object]]]:
    """Every public function that a module of use cases defines itself, with its name.

    Methods too, but for those of values (dataclasses), protocols and resources.
    """
    found = []
    for module in modules("use_cases"):
        found += [(f"{module.__name__}.{name}", verb) for name, verb in public_functions(module)]
        for name, kind in vars(module).items():
            if name.startswith("_") or not inspect.isclass(kind) or kind.__module__ != module.__name__:
                continue
            if not is_dataclass(kind) and Protocol not in kind.__bases__:
                found += [
                    (f"{module.__name__}.{name}.{method}", verb)
                    for method, verb in vars(kind).items()
                    if inspect.isfunction(verb) and method not in OF_RESOURCES and not method.startswith("_")
                ]
    return found


def public_functions(module: Any) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, found in vars(module).items():
        function = inspect.unwrap(found) if callable(found) else found
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if function.__module__ == module.__name__ and function.__name__ != "<lambda>":
            yield name, found


def all_questions() -> list[type[Permission]]:
    for _ in modules("permissions"):
        pass
    found: list[type[Permission]] = []
    waiting: list[type[Permission]] = [Permission]
    while waiting:
        below = [each for each in waiting.pop().__subclasses__() if each.__module__.startswith("shiming.")]
        waiting += below
        found += below
    # a slotted dataclass leaves its unslotted twin behind until it is collected
    return list({f"{each.__module__}.{each.__qualname__}": each for each in found}.values())


@cache
def routes() -> tuple[Any, ...]:
    platform = SimpleNamespace(data_folder=Path("unused"), engine=None)
    return tuple(routes_of(create_app(platform)))


def marked(function: Callable[..., object]) -> bool:
    return bool(questions_of(function)) or bool(getattr(function, "__shiming_inside__", ""))


def a_question(kind: type[Permission]) -> Permission:
    """A question of this kind about something; what it is about does not matter here."""
    values = {field.name: OPERATOR if field.name == "operator" else "x" for field in fields(kind)}
    return kind(**values)


def staff(*roles: Role, operator: str | None = OPERATOR) -> Principal:
    return Principal("ACC-1", "person-1", PrincipalKind.STAFF, frozenset(roles), operator=operator)


def test_every_use_case_asks_or_says_why_not() -> None:
    found = use_cases()
    assert len(found) > 40, "the walk found next to nothing"
    without = [name for name, function in found if not marked(function)]
    assert not without, "carry @asks or @inside: " + ", ".join(without)


def test_the_walk_notices_a_use_case_without_a_question() -> None:
    """The negative control: the walk is able to fail."""

    def naked() -> None: ...

    @inside("")
    def without_reason() -> None: ...

    @asks()
    def without_question() -> None: ...

    assert not any(marked(function) for function in (naked, without_reason, without_question))
    module = ModuleType("shiming.example.use_cases")
    naked.__module__ = module.__name__
    vars(module).update(naked=naked, elsewhere=modules)
    assert [name for name, _ in public_functions(module)] == ["naked"]


def test_every_route_asks_or_says_why_it_is_open() -> None:
    found = routes()
    assert len(found) > 20, "the walk found next to nothing"
    for route in found:
        gates = gates_of(route.dependant)
        name = f"{sorted(route.methods or ())} {route.path}"
        assert gates, f"{name} neither asks nor says why it is open to all"
        assert not ({Asked, OpenToAll} <= {type(gate) for gate in gates}), f"{name} does both"
        for gate in gates:
            if isinstance(gate, OpenToAll):
                assert len(gate.why.split()) > 1, f"{name} does not say why it is open to all"


def test_every_question_of_a_route_is_one_of_a_feature() -> None:
    known = {(each.__module__, each.__qualname__) for each in all_questions()}
    asked = {
        question for route in routes() for gate in gates_of(route.dependant) if isinstance(gate, Asked)
        for question in gate.questions
    }  # fmt: skip
    assert asked
    assert {(each.__module__, each.__qualname__) for each in asked} <= known


def test_every_feature_has_its_routes() -> None:
    prefixes = {"/".join(str(route.path).split("/")[:3]) for route in routes()}
    wanted = {"/v1/proofing-sessions", "/v1/registrations", "/v1/evidence", "/v1/disclosures", "/v1/ledger"}
    assert wanted <= prefixes, f"no routes: {sorted(wanted - prefixes)}"


@pytest.mark.parametrize("question", all_questions(), ids=lambda each: each.__name__)
def test_every_question_is_in_the_table(question: type[Permission]) -> None:
    assert question.code in ALL_CODES, f"nobody can be given {question.code}"
    parts = question.__module__.split(".")
    assert any(each == "permissions" or each.endswith("_permissions") for each in parts)


def test_every_code_of_the_table_is_asked_somewhere() -> None:
    asked = {question.code for question in all_questions()}
    assert not ALL_CODES - asked, f"nothing asks {sorted(ALL_CODES - asked)}"


@pytest.mark.parametrize("question", all_questions(), ids=lambda each: each.__name__)
def test_who_is_not_listed_is_denied(question: type[Permission]) -> None:
    if question.code == "accounts.read_own":
        return  # everybody who is signed in may see themselves
    asked = a_question(question)
    assert isinstance(decide_permission(staff(), asked), Denied)
    for role in Role:
        if question.code not in ROLE_CODES[role]:
            assert isinstance(decide_permission(staff(role, operator=None), asked), Denied)
    scoped = Principal("CLT-1", "CLT-1", PrincipalKind.CLIENT, scopes=frozenset({question.code}))
    if question.code not in CLIENT_SCOPES:
        assert isinstance(decide_permission(scoped, asked), Denied)
    assert isinstance(decide_permission(Principal("CLT-2", "x", PrincipalKind.CLIENT), asked), Denied)


def test_a_question_that_no_table_knows_is_denied_to_everybody() -> None:
    class MayDoAnything(Permission):
        code = "anything.at_all"

    everything = Principal("ACC-2", "p", PrincipalKind.STAFF, frozenset(Role))
    assert isinstance(decide_permission(everything, MayDoAnything()), Denied)


def of_operators() -> list[type[Permission]]:
    return [each for each in all_questions() if "operator" in {field.name for field in fields(each)}]


@pytest.mark.parametrize("question", of_operators(), ids=lambda each: each.__name__)
def test_an_operators_staff_ask_about_their_operator_only(question: type[Permission]) -> None:
    values = {field.name: "x" for field in fields(question)} | {"operator": "cn-other"}
    assert isinstance(decide_permission(staff(*Role), question(**values)), Denied)
