"""Two OpenID providers on loopback: `oidc-provider-mock` as a process, and one that lies on request."""

import base64
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import Key, RSAKey

WAIT_S = 20.0


@contextmanager
def mock_provider() -> Iterator[str]:
    """Run oidc-provider-mock and give its issuer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://localhost:{port}"
    try:
        until = time.monotonic() + WAIT_S
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


def sign_in_there(location: str, subject: str) -> dict[str, str]:
    """Do what a person does at the mock provider; return the query of the way back."""
    answer = httpx.post(location, data={"sub": subject}, trust_env=False)
    assert answer.status_code == httpx.codes.FOUND, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


@dataclass
class LyingProvider:
    """Issues id_tokens with any claim, header and key; checks PKCE as RFC 7636 says."""

    port: int
    key: Key = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "k1"}))
    subject: str = "248289761001"
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signing_key: Key | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    jwks_fetched: int = 0
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def approve(self, location: str) -> dict[str, str]:
        """Sign somebody in without asking; return the query of the way back."""
        question = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = hashlib.sha256(location.encode()).hexdigest()
        self.asked[code] = question
        return {"code": code, "state": question["state"]}

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **self.metadata,
        }

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        question = self.asked.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if question is None or question["code_challenge"] != challenge:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": question["client_id"],
            "sub": self.subject,
            "nonce": question["nonce"],
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "k1", **self.header}
        key = self.signing_key or self.key
        return {
            "id_token": jwt.encode(header, claims, key, algorithms=[header["alg"]]),
            "token_type": "Bearer",
        }


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """Serve a LyingProvider on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/jwks":
                provider.jwks_fetched += 1
                self._answer(200, {"keys": [provider.key.as_dict(private=False)]})
            else:
                self._answer(200, provider.document())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answer = provider.token(form)
            self._answer(200 if answer else 400, answer or {"error": "invalid_grant"})

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = LyingProvider(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
