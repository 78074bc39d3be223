"""The client against real servers: mutual TLS, answers that are too large or never end."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shiming.infrastructure.http_client import HttpService, ResilientClient
from shiming.vocabulary.errors import BadInput, Unavailable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority that lives for one test."""

    def __init__(self, folder: Path, name: str = "test ca") -> None:
        self.folder, self.name = folder, _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        certificate = self._builder(self.name, self.key, ca=True).sign(self.key, hashes.SHA256())
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = self._builder(_name(name), key, ca=False).add_extension(names, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        file = self.folder / f"{name}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return file

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )


def _wrapped(plain: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(plain, server_side=True) if tls else plain


@contextmanager
def answering(*parts: bytes, tls: ssl.SSLContext | None = None, pause_s: float = 0.0) -> Iterator[str]:
    """Answer every connection with these bytes; yield the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                plain, _ = listener.accept()
            except OSError:
                continue
            with suppress(OSError), plain, _wrapped(plain, tls) as connection:
                request = b""
                # to close before all is read would reset the connection
                while not request.endswith(b"{}") and (part := connection.recv(65536)):
                    request += part
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause_s)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()
        thread.join(6)


def _server_side(ca: Authority, certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(ca.file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _reason(service: HttpService) -> str:
    client = ResilientClient(service, sleep=lambda _s: None)
    try:
        client.post_json("/", {}, {})
    except Unavailable as error:
        return str(error.details["reason"])
    finally:
        client.close()
    return "answered"


def test_mutual_tls(tmp_path: Path) -> None:
    ca = Authority(tmp_path)
    server, client = ca.issue("server"), ca.issue("client")
    with answering(ANSWER, tls=_server_side(ca, server)) as url:
        known = HttpService(url, ca_file=ca.file, client_certificate=client, attempts_max=1)
        assert _reason(known) == "answered"
        assert _reason(HttpService(url, ca_file=ca.file, attempts_max=1)) == "CONNECTION"
        assert _reason(HttpService(url, client_certificate=client, attempts_max=1)) == "CONNECTION"


def test_files_that_are_no_certificates_are_bad_input(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    for service in (
        HttpService("https://127.0.0.1", ca_file=junk),
        HttpService("https://127.0.0.1", ca_file=tmp_path / "none.pem"),
        HttpService("https://127.0.0.1", client_certificate=junk),
    ):
        with pytest.raises(BadInput, match="TLS_FILES_INVALID"):
            ResilientClient(service)


def test_an_answer_that_never_ends_is_cut_off() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with answering(head, *[b"x" * 40_000] * 3) as url:
        assert _reason(HttpService(url, attempts_max=1, response_bytes_max=64_000)) == "ANSWER_TOO_LARGE"
    with answering(head, *[b"x"] * 12, pause_s=0.05) as url:
        assert _reason(HttpService(url, attempts_max=1, total_s_max=0.2)) == "TIMEOUT"


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with answering(moved) as url:
        response = ResilientClient(HttpService(url)).post_json("/", {}, {})
    assert response.status_code == 302


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(HttpService("http://127.0.0.1", token="secret"))
