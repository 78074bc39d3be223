"""The receipt on paper: readable, the same each time, and its code proves what it says to anybody."""

import base64
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
import segno
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from shiming.infrastructure.canonical_json import canonical_bytes
from shiming.infrastructure.database import reading, transact
from shiming.infrastructure.outbox import outbox
from shiming.infrastructure.signing import Ed25519Signer
from shiming.jurisdictions.model import Channel
from shiming.privacy.model import LedgerVerified
from shiming.privacy.use_cases.verifying import verify_ledger
from shiming.recognition.documents.barcodes import read_barcodes
from shiming.recognition.images import read_image
from shiming.registrations.connectors.qr_receipt import PREFIX, pack, png, unpack
from shiming.registrations.model.lines import LineKind
from shiming.registrations.model.orders import ConfirmationMethod, LineConfirmation, TermsAcceptance
from shiming.registrations.model.paper_receipts import DOMAIN, PaperGenuine, PaperIssued, PaperNotGenuine
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.rules import base45
from shiming.registrations.rules.paper_receipt import page_of, paper_content
from shiming.registrations.store.receipts import receipts_issued
from shiming.registrations.use_cases.paper_receipts import (
    PaperWords,
    code_in_pdf,
    issue_paper_receipt,
    verify_paper_receipt,
)
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    a_contract_desk,
    an_order,
    the_policy,
)

SIGNER = Ed25519Signer.from_seed(bytes(32))
OTHER = Ed25519Signer.from_seed(bytes(31) + b"1")
WORDS = PaperWords(the_policy(), lambda _: "示例电信 & <Example>")
CONTENT: dict[str, Any] = {"kind": "paper_receipt", "version": 1, "number": "+8613800000000"}
RECEIPT: dict[str, Any] = {
    "line": {
        "id": "REG-1",
        "number": "+8613800000000",
        "operator": OPERATOR,
        "kind": "mobile",
        "product_class": "voice",
        "registered_at": NOW.isoformat(),
    },
    "proof": {"rehearsal": False},
    "contract": {
        "terms": {"version": "2026-01", "hash": "sha256:" + "2" * 64},
        "confirmed": {"how": "read_back", "at": NOW.isoformat()},
    },
    "rules": [{"citation": "order25:6"}, {"citation": "six_agencies2016:five_lines"}],
    "pack": {"id": "cn", "version": "1"},
    "ledger": {"leaf": "1.1", "hash": "a" * 64},
}


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[ContractDesk]:
    desk = a_contract_desk(tmp_path, database_url)
    desk.desk.sessions.add(a_session(SESSION))
    yield desk
    desk.desk.engine.dispose()


def register(desk: ContractDesk) -> str:
    outcome = desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered), outcome
    line: str = outcome.receipt["line"]["id"]
    return line


def issue(desk: ContractDesk, line: str) -> PaperIssued | None:
    return transact(
        desk.desk.engine,
        lambda connection: issue_paper_receipt(desk.desk.tools, connection, line, WORDS, now=NOW),
    )


def issued(desk: ContractDesk, line: str) -> PaperIssued:
    found = issue(desk, line)
    assert found is not None
    return found


def text_of(pdf: bytes) -> str:
    reader = pypdf.PdfReader(BytesIO(pdf))
    assert len(reader.pages) == 1
    return reader.pages[0].extract_text()


@given(st.binary(max_size=80))
def test_base45_reads_what_it_wrote(content: bytes) -> None:
    assert base45.decode(base45.encode(content)) == content


@given(st.text(alphabet=base45.ALPHABET + "a", max_size=12))
@example("GGW")
@example("::")
@example("A")
def test_base45_reads_one_spelling_only(text: str) -> None:
    try:
        content = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(content) == text


def test_the_page_is_read_back_in_both_languages(desk: ContractDesk) -> None:
    paper = issued(desk, register(desk))
    said = text_of(paper.pdf)
    for expected in (
        "+8613800000000",
        "登记回执",
        "Receipt of a real-name",
        "示例电信 & <Example>",
        "2026-05-01 12:00:00 UTC",
        paper.line_id,
        "six_agencies2016:five_lines",
        "异议",
        "Dispute",
        "2年",
        "2 years",
    ):
        assert expected.replace(" ", "") in said.replace(" ", "").replace("\n", ""), expected
    assert "p1.someone" not in said


def test_the_paper_of_an_order_says_which_terms_and_how_it_was_confirmed(desk: ContractDesk) -> None:
    accepted = TermsAcceptance("2026-01", "sha256:" + "4" * 64, NOW, Channel.SHOP)
    said = LineConfirmation(a_number(), ConfirmationMethod.OWN_DEVICE, NOW)
    desk.add(replace(an_order(), terms=accepted, confirmation=said))
    paper = issued(desk, register(desk))
    assert paper.content["terms"] == {"version": "2026-01", "hash": accepted.content_hash}
    assert paper.content["confirmed"] == "own_device"
    printed = text_of(paper.pdf).replace("\n", "")
    assert "2026-01 (4444444444444444...)" in printed
    assert "on one's own device" in printed


def test_the_same_receipt_is_the_same_file_and_noted_once(desk: ContractDesk) -> None:
    line = register(desk)
    first, again = issued(desk, line), issued(desk, line)
    assert (first.pdf, first.qr_text) == (again.pdf, again.qr_text)
    with reading(desk.desk.engine) as connection:
        assert len(connection.execute(receipts_issued.select()).all()) == 1
        events = connection.execute(sa.select(outbox.c.facts).where(outbox.c.type == "receipt.issued")).all()
    assert len(events) == 1
    assert "13800000000" not in events[0].facts
    assert isinstance(verify_ledger(desk.desk.engine, desk.desk.vault.keys), LedgerVerified)
    assert issue(desk, "REG-none") is None


def test_the_printed_code_is_read_by_a_camera_and_verified_offline(desk: ContractDesk) -> None:
    paper = issued(desk, register(desk))
    codes = read_barcodes(read_image(png(paper.qr_text)))
    assert [code.text for code in codes] == [paper.qr_text]
    assert code_in_pdf(paper.pdf) == paper.qr_text
    found = verify_paper_receipt(codes[0].text, [OTHER.public_key, SIGNER.public_key])
    assert isinstance(found, PaperGenuine)
    assert (found.content, found.key_id) == (paper.content, SIGNER.key_id)
    assert found.content["number"] == "+8613800000000"
    assert code_in_pdf(b"%PDF-1.4") is None


def test_the_code_is_printed_large_enough_and_damage_is_forgiven() -> None:
    text = pack(paper_content(RECEIPT, receipt_hash="sha256:" + "3" * 64, key_id=SIGNER.key_id), SIGNER)
    code = segno.make_qr(text, error="m", boost_error=False)
    assert code.mode == "alphanumeric"
    assert 66 / (code.symbol_size(border=4)[0]) > 0.6  # millimetres a module


@given(st.data())
def test_one_changed_bit_is_refused(data: st.DataObject) -> None:
    packed = bytearray(base45.decode(pack(CONTENT, SIGNER).removeprefix(PREFIX)))
    bit = data.draw(st.integers(0, 8 * len(packed) - 1))
    packed[bit // 8] ^= 1 << bit % 8
    found = unpack(PREFIX + base45.encode(bytes(packed)), [SIGNER.public_key])
    assert isinstance(found, PaperNotGenuine)


def test_one_changed_character_is_refused() -> None:
    text = pack(CONTENT, SIGNER)
    assert isinstance(unpack(text + "\n", [SIGNER.public_key]), PaperGenuine)
    for place in range(len(text)):
        changed = text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]
        assert isinstance(unpack(changed, [SIGNER.public_key]), PaperNotGenuine)


def sealed(packed: bytes) -> str:
    signature = base64.b64decode(SIGNER.sign(DOMAIN + packed))
    return PREFIX + base45.encode(signature + packed)


def test_what_is_no_receipt_is_refused_with_its_reason() -> None:
    bomb = b"{" + b" " * 1_000_000 + b"}"
    loose = b'{"version": 1, "kind": "paper_receipt"}'
    other_kind = canonical_bytes({"kind": "x", "version": 1})
    plain = canonical_bytes(CONTENT)
    cases = {
        "hello": "QR_NOT_A_RECEIPT",
        PREFIX + "0" * 5000: "QR_NOT_A_RECEIPT",
        PREFIX + "a": "QR_DAMAGED",
        PREFIX + base45.encode(bytes(70)): "QR_SIGNATURE_WRONG",
        sealed(zlib.compress(bomb)): "QR_DAMAGED",
        sealed(zlib.compress(plain) + b"more"): "QR_DAMAGED",
        sealed(zlib.compress(b"[]")): "QR_DAMAGED",
        sealed(zlib.compress(loose)): "QR_NOT_A_RECEIPT",
        sealed(zlib.compress(other_kind)): "QR_NOT_A_RECEIPT",
        pack(CONTENT, OTHER): "QR_SIGNATURE_WRONG",
    }
    for text, code in cases.items():
        found = unpack(text, [SIGNER.public_key])
        assert isinstance(found, PaperNotGenuine)
        assert found.code == code
    assert isinstance(unpack(pack(CONTENT, SIGNER), []), PaperNotGenuine)


def test_the_signature_of_anything_else_is_none_of_a_receipt() -> None:
    packed = zlib.compress(canonical_bytes(CONTENT))
    signature = base64.b64decode(SIGNER.sign(packed))  # without the domain
    found = unpack(PREFIX + base45.encode(signature + packed), [SIGNER.public_key])
    assert isinstance(found, PaperNotGenuine)


def test_the_page_says_what_the_code_carries() -> None:
    content = paper_content(RECEIPT, receipt_hash="sha256:" + "3" * 64, key_id="k")
    page = page_of(content, operator_name="Example", sources=(), kept_for="P2Y", qr_text="x")
    said = {name.en: value for name, value in page.rows}
    assert said["Terms accepted"].startswith("2026-01 (2222")
    assert "read back" in said["Confirmed: 1 line"]
    bare = paper_content({**RECEIPT, "contract": None}, receipt_hash="h", key_id="k")
    assert (bare["terms"], bare["confirmed"]) == (None, None)
    rehearsed = {**RECEIPT, "proof": {"rehearsal": True}}
    warned = page_of(
        paper_content(rehearsed, receipt_hash="h", key_id="k"),
        operator_name="Example",
        sources=(),
        kept_for="P2Y",
        qr_text="x",
    )
    assert warned.paragraphs[0].en.startswith("Rehearsal")
    assert len(page.paragraphs) == len(warned.paragraphs) - 1
    for kind in LineKind:
        assert page_of(
            {**content, "line_kind": kind.value},
            operator_name="Example",
            sources=(),
            kept_for="P2Y",
            qr_text="x",
        ).rows
    assert replace(page, qr_text="y") != page
