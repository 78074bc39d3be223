"""Style sheets, scripts and pictures: from memory, compressed, under an address that names their content.

    /static/{version}/js/page.js

`version` is one hash over all files, so that browsers may keep each for ever, and modules import each other
by relative paths. HTMX comes from npm through the set-up (tools/setup/web_assets.py); nothing is fetched at
run time.
"""

import gzip
import hashlib
import mimetypes
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fastapi import Request, Response

from shiming.entrypoints.pages.routing import page_router
from shiming.infrastructure.http.asking import open_to_all
from shiming.vocabulary.errors import BadInput, Text, Unavailable

STATIC = Path(__file__).parents[1] / "static"
VENDORED = ("htmx.min.js",)
_COMPRESSED_FROM = 400  # bytes; smaller ones fit into one packet as they are
_FOR_EVER = "public, max-age=31536000, immutable"
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"  # its own: without it, it could fetch nothing
_WHY = "how pages look and work is no secret"

router = page_router()


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    media_type: str
    content: bytes = field(repr=False)
    compressed: bytes | None = field(repr=False)

    def answer(self, request: Request, *, cache_control: str) -> Response:
        """Return it, compressed where the browser takes that."""
        headers = {"cache-control": cache_control, "vary": "Accept-Encoding"}
        if self.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(self.compressed, media_type=self.media_type, headers=headers)
        return Response(self.content, media_type=self.media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by their paths."""

    version: str
    files: dict[str, Asset]

    def url(self, path: str) -> str:
        """Return the address of a file; KeyError for one that is not there, so that a test finds it."""
        if path not in self.files:
            raise KeyError(path)
        return f"/static/{self.version}/{path}"


@cache
def assets() -> Assets:
    """Read all files once a process; Unavailable where the set-up did not fetch HTMX."""
    vendor = Path(sys.prefix) / "share" / "shiming" / "web"
    sources = {str(path.relative_to(STATIC)): path for path in STATIC.rglob("*") if path.is_file()}
    sources |= {f"vendor/{name}": vendor / name for name in VENDORED}
    digest, files = hashlib.sha256(), {}
    for name in sorted(sources):
        try:
            content = sources[name].read_bytes()
        except OSError as problem:
            raise Unavailable(
                "WEB_ASSETS_MISSING",
                Text(zh="页面所需的文件缺失。", en="A file that pages need is missing."),
                Text(zh="请运行 make setup。", en="Run `make setup`."),
                {"file": name},
            ) from problem
        digest.update(name.encode() + b"\0" + content)
        files[name] = _asset(name, content)
    return Assets(digest.hexdigest()[:16], files)


@router.get("/static/{version}/{path:path}", dependencies=[open_to_all(_WHY)])
def static_file(request: Request, version: str, path: str) -> Response:
    """Return a file; under the address of another version, the file of this one, kept by nobody."""
    found = assets()
    if path not in found.files:
        raise BadInput("ROUTE_UNKNOWN", Text(zh="没有这个地址。", en="There is nothing at this address."))
    current = version == found.version
    return found.files[path].answer(request, cache_control=_FOR_EVER if current else "no-store")


@router.get("/service-worker.js", dependencies=[open_to_all(_WHY)])
def service_worker(request: Request) -> Response:
    """Return the service worker; at the root, because it serves every page."""
    answer = assets().files["js/service_worker.js"].answer(request, cache_control="no-cache")
    answer.headers["content-security-policy"] = _WORKER_POLICY
    return answer


@router.get("/manifest.webmanifest", dependencies=[open_to_all(_WHY)])
def manifest(request: Request) -> Response:
    """Return what makes the pages installable on a telephone."""
    return assets().files["manifest.webmanifest"].answer(request, cache_control="no-cache")


@router.get("/favicon.ico", dependencies=[open_to_all(_WHY)])
def favicon(request: Request) -> Response:
    """Return the picture that browsers ask for by themselves."""
    return assets().files["img/icon.svg"].answer(request, cache_control="no-cache")


def _asset(name: str, content: bytes) -> Asset:
    kinds = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".svg": "image/svg+xml"}
    media_type = kinds.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packed = gzip.compress(content, 9, mtime=0) if len(content) >= _COMPRESSED_FROM else None
    return Asset(media_type, content, packed if packed and len(packed) < len(content) else None)
