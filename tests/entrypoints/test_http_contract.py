"""The API keeps to its own description: schemathesis sends what the document allows, and what it does not."""

import contextlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import Request
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from shiming.accounts.model import Role
from shiming.accounts.use_cases.accounts import Actor, NewAccount, create_account
from shiming.entrypoints.http_api import api_routes_of, create_app
from shiming.entrypoints.wiring import Platform
from shiming.infrastructure.http.asking import Asked, Caller, gates_of
from shiming.infrastructure.http.rate_limits import RateLimits
from shiming.infrastructure.settings import Settings
from shiming.vocabulary.permissions import Permission
from tests.infrastructure.http_peers import serving
from tests.log_watch import specimens

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
SECONDS_MAX = 20.0  # on a busy machine; all operations take about 10 s on a quiet one
UNDERSTOOD = frozenset(range(200, 500)) | {503}
NOBODY, ANYBODY = None, "token-for-everything"


@schemathesis.serializer("application/offset+octet-stream")  # a chunk of an upload (tus) is bytes
def _chunk(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@dataclass(frozen=True)
class OpenGate:
    """Lets one token do everything, so that routes are reached."""

    person: Caller

    def caller(self, request: Request) -> Caller | None:
        return self.person if request.headers.get("authorization") == f"Bearer {ANYBODY}" else None

    def known_caller(self, request: Request) -> Caller | None:
        return self.caller(request)

    def allow(self, caller: Caller, question: Permission) -> bool:
        del caller, question
        return True


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    folder = tmp_path_factory.mktemp("contract")
    folder.chmod(0o700)
    platform = Platform(Settings.from_environment({"SHIMING_DATA": str(folder), "SHIMING_SANDBOX": "1"}))
    with platform.begin() as connection:
        wanted = NewAccount("contract", "110105194912310021", frozenset({Role.ADMINISTRATOR}))
        account = create_account(platform.accounts, connection, wanted, by=Actor())
    platform.__dict__["gatekeeper"] = OpenGate(Caller(account.reference, account.person_key, "staff"))
    app = create_app(platform, limits=RateLimits(None, None))
    with serving(app) as address:
        yield app, address


def test_the_document_is_valid_and_complete(served: tuple[Any, str]) -> None:
    app, address = served
    document = httpx.get(f"{address}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert not list(OpenAPIV31SpecValidator(document).iter_errors())
    documented = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert documented == {
        (route.path, method) for route in api_routes_of(app) for method in route.methods or ()
    }
    operation_ids = [
        operation["operationId"] for item in document["paths"].values() for operation in item.values()
    ]
    assert len(operation_ids) == len(set(operation_ids))


def test_every_operation_documents_its_refusals(served: tuple[Any, str]) -> None:
    app, _ = served
    document = app.openapi()
    for route in api_routes_of(app):
        for method in route.methods or ():
            operation = document["paths"][route.path][method.lower()]
            closed = any(isinstance(gate, Asked) for gate in gates_of(route.dependant))
            wanted = {"400", "429", "500", "503"} | ({"401", "403"} if closed else set())
            if "requestBody" in operation:
                wanted |= {"413", "422"}
            missing = wanted - set(operation["responses"])
            assert not missing, (method, route.path, missing)
            assert closed == ("security" in operation)
            assert operation.get("description") or operation.get("summary")


def test_no_person_is_in_the_document(served: tuple[Any, str]) -> None:
    app, _ = served
    assert not specimens().search(json.dumps(app.openapi(), ensure_ascii=False))


@pytest.mark.parametrize(
    ("token", "examples"),
    [
        pytest.param(NOBODY, 1, id="nobody"),
        pytest.param(ANYBODY, 2, id="anybody"),
        pytest.param(ANYBODY, 15, id="long", marks=pytest.mark.long),
    ],
)
def test_the_api_answers_as_it_says(served: tuple[Any, str], token: str | None, examples: int) -> None:
    _, address = served
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations: list[Any] = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 10
    random.shuffle(operations)  # seeded by pytest-randomly: where time runs out, others are left each time
    ends = time.monotonic() + SECONDS_MAX * max(1, examples / 2)
    headers = {"authorization": f"Bearer {token}"} if token else {"authorization": ""}
    broken: list[str] = []
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            if time.monotonic() < ends:
                broken += _try(operation, mode, address, headers, examples)
    assert not broken, "\n".join(broken)


def _try(operation: Any, mode: Any, address: str, headers: dict[str, str], examples: int) -> list[str]:
    """Return how an operation breaks its word."""
    broken: list[str] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        response = case.call(base_url=address, headers=headers, timeout=10)
        said = f"{operation.label} [{mode.value}] {response.status_code} {response.text[:300]}"
        if response.status_code not in UNDERSTOOD:
            broken.append(said)
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            broken.extend(f"{said}: {failure.title}: {failure.message}" for failure in failures.exceptions)

    with contextlib.suppress(Unsatisfiable):  # of some operations there is no invalid form
        run()
    return broken
