"""The reference page lists every route, with the permission that it asks."""

from pathlib import Path
from types import SimpleNamespace

from shiming.entrypoints.http_api import api_routes_of, create_app
from shiming.infrastructure.http.asking import Asked, gates_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"


def test_every_route_and_its_permissions_are_on_the_page(tmp_path: Path) -> None:
    page = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    listed = {line.split("`")[1]: line.rsplit("|", 2)[1].strip() for line in page}
    served = {}
    for route in api_routes_of(create_app(SimpleNamespace(data_folder=tmp_path))):
        for method in route.methods or ():
            gates = gates_of(route.dependant)
            asked = [
                question.code for gate in gates if isinstance(gate, Asked) for question in gate.questions
            ]
            served[f"{method} {route.path}"] = ", ".join(f"`{code}`" for code in asked) or "open"
    assert listed == served
