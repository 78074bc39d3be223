"""One address for two readers: a program gets JSON from an API route, a browser the page at the same path.

`APIRouter(route_class=ForPrograms)`: its routes pass browsers by.
"""

from typing import Any

from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match


class ForPrograms(APIRoute):
    """A route that is not there for browsers; a page at the same path, further down, answers them."""

    def matches(self, scope: Any) -> tuple[Match, Any]:
        """Match as any route does, unless the caller asked for HTML."""
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return Match.NONE, {}
        return super().matches(scope)
