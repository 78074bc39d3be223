"""The server as a reader program meets it: HTTP, each request signed with the key of the enrolled device."""

import base64
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from shiming.identity_proofing.model.card_reading import ReaderState
from shiming.infrastructure.device_proofs import (
    HEADER,
    DeviceProof,
    body_hash,
    new_key,
    public_half,
    sign_proof,
    thumbprint,
)
from shiming.vocabulary.errors import BadInput, Text, Unavailable

TIMEOUT_S = 10.0
KEY_BYTES_MAX = 2_000
_SESSION = re.compile(r"SES-[0-9A-Z-]{4,36}")
_SERVER_FAULTS_FROM = 500
_ERRORS_FROM = 400


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """The private key of an enrolled device."""

    private: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> "DeviceKey":
        """Read a key file; BadInput (DEVICE_KEY_FILE) for what is none."""
        try:
            with file.open("rb") as stream:
                private = json.loads(stream.read(KEY_BYTES_MAX))
            public_half(private)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise _key_file() from error
        return cls(private)

    @classmethod
    def make(cls, file: Path) -> "DeviceKey":
        """Make a key in a new file that only its owner can read; BadInput when there is a file already."""
        private = new_key()
        try:
            file.touch(mode=0o600, exist_ok=False)
            file.write_text(json.dumps(private), encoding="ascii")
        except OSError as error:
            raise _key_file() from error
        return cls(private)

    @property
    def public(self) -> str:
        """The public half, as an administrator enrols it."""
        return public_half(self.private)

    def proof(self, method: str, path: str, body: bytes, *, said: str | None = None) -> str:
        """Return the header that says that this device sends this request now; `said`: Upload-Metadata."""
        return sign_proof(
            self.private,
            DeviceProof(
                key_id=thumbprint(self.public),
                method=method,
                path=path,
                body_hash=body_hash(body),
                issued_at=int(time.time()),
                nonce=secrets.token_urlsafe(16),
                said_hash="" if said is None else body_hash(said.encode("latin-1")),
            ),
        )


@dataclass(slots=True)
class Server:
    """An installation at an address, for one device."""

    address: str
    key: DeviceKey
    http: httpx.Client = field(repr=False)

    @classmethod
    def at(cls, address: str, key: DeviceKey, *, ca: Path | None = None) -> "Server":
        """Reach the server at an address such as https://registry.example; BadInput for what is none."""
        parts = urlsplit(address)
        if parts.scheme not in {"https", "http"} or not parts.netloc:
            raise _address()
        verify: Any = str(ca) if ca else True
        return cls(address.rstrip("/"), key, httpx.Client(timeout=TIMEOUT_S, verify=verify))

    def session_wanting(self) -> str | None:
        """Return the session that wants a reading of this device."""
        found = self.send("GET", "/v1/capture-devices/self/session")
        session: str | None = found["session"]
        return session

    def send(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """Send signed; return the JSON of the answer. BadInput or Unavailable with the server's code."""
        body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        base = urlsplit(self.address).path
        headers = {HEADER: self.key.proof(method, base + path, body), "content-type": "application/json"}
        try:
            answer = self.http.request(method, self.address + path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise _unreachable() from error
        if answer.status_code >= _ERRORS_FROM:
            raise _problem(answer)
        return answer.json() if answer.content else None


@dataclass(frozen=True, slots=True)
class HttpOffice:
    """One session of a server."""

    server: Server
    session: str

    def tell(self, state: ReaderState, code: str = "") -> None:
        """Say what the reader does."""
        said = {"state": state.value, "code": code}
        self.server.send("POST", f"/v1/proofing-sessions/{self.session}/reader-state", said)

    def hand_in(self, reading: dict[str, Any]) -> None:
        """Hand a reading in."""
        portrait = reading["portrait_jpeg"]
        coded = base64.b64encode(portrait).decode() if portrait else None
        path = f"/v1/proofing-sessions/{self.session}/card-reading"
        self.server.send("POST", path, {**reading, "portrait_jpeg": coded})


def session_in(url: str) -> tuple[str, str]:
    """Return server address and session of a session's URL: that of the API, or of its page.

    >>> session_in("https://registry.example/v1/proofing-sessions/SES-0082-0C20-A1G7-D")
    ('https://registry.example', 'SES-0082-0C20-A1G7-D')
    """
    parts, found = urlsplit(url), _SESSION.search(url)
    if parts.scheme not in {"https", "http"} or not parts.netloc or found is None:
        raise _address()
    before, api, _ = parts.path.partition("/v1/")
    return f"{parts.scheme}://{parts.netloc}{before if api else ''}", found.group()


def _problem(answer: httpx.Response) -> BadInput | Unavailable:
    """Return the problem (RFC 9457) that the server answered with."""
    try:
        found = answer.json()
        code, title, detail = str(found["code"]), str(found["title"]), str(found.get("detail", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return _unreachable()
    kind = Unavailable if answer.status_code >= _SERVER_FAULTS_FROM else BadInput
    return kind(code, Text(zh=title, en=title), Text(zh=detail, en=detail))


def _unreachable() -> Unavailable:
    return Unavailable(
        "SERVER_UNREACHABLE",
        Text(zh="服务器没有应答。", en="The server does not answer."),
        Text(zh="请检查网络和地址。", en="Check the network and the address."),
    )


def _address() -> BadInput:
    return BadInput(
        "SESSION_ADDRESS",
        Text(zh="地址不正确。", en="This is no address of a session or a server."),
        Text(
            zh="例如 https://host/v1/proofing-sessions/SES-...",
            en="Such as https://host/v1/proofing-sessions/SES-...",
        ),
    )


def _key_file() -> BadInput:
    return BadInput(
        "DEVICE_KEY_FILE",
        Text(zh="设备密钥文件无法使用。", en="The key file of the device cannot be used."),
        Text(
            zh="用 shiming reader --enrol --key 文件 生成新的。",
            en="Make one in a new file: shiming reader --enrol --key FILE",
        ),
    )
