"""The server as a process: it starts or says why not, stops in order, and survives a full disk."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shiming.entrypoints.serve_commands import listen, tls_options
from shiming.vocabulary.errors import BadInput, Unavailable
from tests.entrypoints.http_processes import a_client_of, a_server, run, token_of

JPEG = b"\xff\xd8\xff\xe0"
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate of 127.0.0.1 and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return chain, secret


def test_a_program_gets_a_token_and_opens_a_session_over_tls(folder: Path, tmp_path: Path) -> None:
    chain, secret = a_certificate(tmp_path)
    credentials = a_client_of(folder)
    with a_server(folder, "serve", "--tls-cert", str(chain), "--tls-key", str(secret)) as server:
        assert server.address.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(chain))
        address = server.address.replace("127.0.0.1", "localhost")
        with httpx.Client(base_url=address, verify=trust, trust_env=False) as http:
            answer = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=credentials)
            http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            opened = http.post("/v1/proofing-sessions", json={"channel": "shop"})
            assert (opened.status_code, opened.json()["operator"]) == (201, "cn-one")
            assert opened.headers["strict-transport-security"]
        assert server.stop() == 0
        assert answer.json()["access_token"] not in server.errors


def slow_upload(address: str, token: str, session: str, sent: threading.Event) -> httpx.Response:
    """Send a document in two halves with a pause between them."""

    def body() -> Iterator[bytes]:
        yield (
            b'--b\r\nContent-Disposition: form-data; name="front"; filename="f"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n" + JPEG + b"x" * 100_000
        )
        sent.set()
        time.sleep(1.0)
        yield b"y" * 100_000 + b"\r\n--b--\r\n"

    return httpx.put(
        f"{address}/v1/proofing-sessions/{session}/document",
        content=body(),
        headers={"authorization": f"Bearer {token}", "content-type": "multipart/form-data; boundary=b"},
        timeout=30,
        trust_env=False,
    )


def test_stopping_finishes_an_upload_and_empties_the_spool(folder: Path) -> None:
    credentials = a_client_of(folder)
    with a_server(folder, "serve", "--grace", "20") as server:
        token = token_of(server.address, credentials)
        headers = {"authorization": f"Bearer {token}"}
        opened = httpx.post(
            f"{server.address}/v1/proofing-sessions",
            json={"channel": "shop"},
            headers=headers,
            trust_env=False,
        )
        sent, answers = threading.Event(), []
        upload = threading.Thread(
            target=lambda: answers.append(slow_upload(server.address, token, opened.json()["id"], sent))
        )
        upload.start()
        assert sent.wait(10)
        assert server.stop() == 0
        upload.join(10)
        (answer,) = answers
        assert (answer.status_code, answer.json()["code"]) == (400, "IMAGE_UNREADABLE")
    assert not list((folder / "spool").iterdir())


def test_a_full_disk_is_said_and_leaves_the_server_running(folder: Path) -> None:
    """A limit on the size of files stands for the disk: writing beyond it fails in the same way."""
    credentials = a_client_of(folder)
    with a_server(folder, "serve", file_bytes_max=8 * MIB) as server:
        headers = {"authorization": f"Bearer {token_of(server.address, credentials)}"}
        with httpx.Client(base_url=server.address, headers=headers, timeout=30, trust_env=False) as http:
            session = http.post("/v1/proofing-sessions", json={"channel": "shop"}).json()["id"]
            files = {"front": ("f.jpg", JPEG + b"x" * (9 * MIB), "image/jpeg")}
            answer = http.put(f"/v1/proofing-sessions/{session}/document", files=files)
            assert (answer.status_code, answer.json()["code"]) == (503, "SPOOL_WRITE")
            assert http.get(f"/v1/proofing-sessions/{session}").json()["state"] == "created"
        (spool,) = (folder / "spool").iterdir()
        assert [file.name for file in spool.iterdir()] == [".lock"]


def test_up_runs_a_worker_beside_the_server_and_stops_both(folder: Path) -> None:
    with a_server(folder, "up", "--grace", "5") as server:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            parts = httpx.get(f"{server.address}/readyz", trust_env=False).json()["parts"]
            if parts["worker"]["status"] == "ok":
                break
            time.sleep(1)
        assert parts["worker"]["status"] == "ok", parts
        children = psutil.Process(server.process.pid).children(recursive=True)
        assert children
        assert server.stop() == 0
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive


def test_a_start_that_cannot_be_is_refused_with_the_reason(folder: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable) as busy:
        listen("127.0.0.1", taken.getsockname()[1])
    assert busy.value.code == "ADDRESS_UNUSABLE"
    chain, secret = a_certificate(tmp_path)
    with pytest.raises(BadInput) as half:
        tls_options(chain, None)
    with pytest.raises(BadInput) as swapped:
        tls_options(secret, chain)
    assert (half.value.code, swapped.value.code) == ("TLS_OPTIONS", "TLS_CERTIFICATE")
    a_client_of(folder)
    (folder / "keys.json").unlink()
    missing = run(folder, "serve", "--port", "0")
    assert (missing.returncode, "KEY_FILE_MISSING" in missing.stderr) == (3, True), missing.stderr
