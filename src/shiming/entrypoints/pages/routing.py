"""The router that pages hang on."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse


def page_router() -> APIRouter:
    """Return a router of pages: not part of the API's description, and what it answers is HTML."""
    return APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
