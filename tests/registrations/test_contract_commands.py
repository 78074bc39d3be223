"""`shiming terms`, `confirmations` and `receipts` as a clerk, a customer or a verifier runs them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from jwcrypto.jwk import JWK
from typer.testing import CliRunner, Result

from shiming.entrypoints import receipt_commands
from shiming.infrastructure.clock import FixedClock
from shiming.infrastructure.database import transact, unit_of_work
from shiming.infrastructure.signing import Ed25519Signer
from shiming.registrations.commands import confirmations, terms
from shiming.registrations.connectors.qr_receipt import png
from shiming.registrations.model.confirmation import ConfirmationShown
from shiming.registrations.model.registration import LineRegistered
from shiming.registrations.store.tables import lines
from shiming.registrations.use_cases.confirmations import show_confirmation
from shiming.registrations.use_cases.paper_receipts import code_in_pdf
from shiming.vocabulary.errors import BadInput
from tests.databases import a_database
from tests.privacy.builders import NOW
from tests.registrations.builders import a_number, a_session
from tests.registrations.contract_builders import (
    OPERATOR,
    SESSION,
    ContractDesk,
    ContractServer,
    KeepingChannel,
    a_contract_desk,
    a_contract_policy,
    an_order,
)
from tests.registrations.enterprise_builders import CONTRACT, an_enterprise

LATER = NOW + timedelta(minutes=1)
root = typer.Typer()
root.add_typer(terms.app, name="terms")
root.add_typer(confirmations.app, name="confirmations")
root.add_typer(receipt_commands.app, name="receipts")

DOCUMENT = f"""
operator = "{OPERATOR}"
version = "2026-01"
effective_from = 2026-05-01
title = {{ zh = "电信服务协议", en = "Terms of service" }}

[[clauses]]
name = "scope"
zh = "本协议适用于移动电话服务。"
en = "These terms are about mobile service."

[[clauses]]
name = "transfer_and_resale"
zh = "不得转让、出租、出售卡和号码。"
en = "You do not sell, lend or hand on the card or the number."
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ContractDesk]:
    with a_database("sqlite", tmp_path / "database") as url:
        desk = a_contract_desk(tmp_path, url)
        desk.add(an_order())
        yield desk
        desk.desk.engine.dispose()


def run(desk: ContractDesk, *arguments: object, language: str = "en") -> Result:
    platform = ContractServer(desk.desk, language=language)
    return CliRunner().invoke(root, [str(each) for each in arguments], obj=lambda: platform)


def result_of(desk: ContractDesk, *arguments: object) -> Any:
    done = run(desk, *arguments, "--json")
    assert done.exit_code in {0, 1}, (done.output, done.exception)
    return json.loads(done.stdout)


def a_file(folder: Path, content: str, name: str = "terms.toml") -> Path:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    return file


def a_line(desk: ContractDesk) -> str:
    desk.desk.sessions.add(a_session(SESSION))
    outcome = desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered)
    line: str = outcome.receipt["line"]["id"]
    return line


def the_code(desk: ContractDesk, link: str) -> str:
    """What the link shows on the customer's own telephone."""
    shown = transact(
        desk.desk.engine,
        lambda connection: show_confirmation(
            desk.desk.tools, connection, link.rpartition("/")[2], policy=a_contract_policy(), now=NOW
        ),
    )
    assert isinstance(shown, ConfirmationShown)
    return shown.code


def test_terms_are_published_shown_compared_and_accepted(desk: ContractDesk, tmp_path: Path) -> None:
    first = result_of(desk, "terms", "publish", a_file(tmp_path, DOCUMENT))
    assert (first["version"], first["repeated"]) == ("2026-01", False)
    assert result_of(desk, "terms", "publish", tmp_path / "terms.toml")["repeated"] is True
    later = (
        DOCUMENT.replace("2026-01", "2026-02").replace("2026-05-01", "2026-06-01").replace("sell", "sell on")
    )
    assert run(desk, "terms", "publish", a_file(tmp_path, later)).exit_code == 0
    listed = result_of(desk, "terms", "list", "--operator", OPERATOR)["items"]
    assert [(each["version"], each["in_force"]) for each in listed] == [("2026-02", False), ("2026-01", True)]
    assert "* 2026-01" in run(desk, "terms", "list", "--operator", OPERATOR).stdout
    shown = run(desk, "terms", "show", "--operator", OPERATOR, language="zh")
    assert "不得转让" in shown.stdout
    assert "sell on" in run(desk, "terms", "show", "2026-02", "--operator", OPERATOR).stdout
    changed = run(desk, "terms", "diff", "2026-01", "2026-02", "--operator", OPERATOR).stdout
    assert changed.startswith("[transfer_and_resale]\n- You do not sell, lend")
    changes = result_of(desk, "terms", "diff", "2026-01", "2026-02", "--operator", OPERATOR)["changes"]
    assert [each["name"] for each in changes] == ["transfer_and_resale"]
    wanted = ("terms", "accept", SESSION, "--version", "2026-01", "--hash")
    assert result_of(desk, *wanted, first["content_hash"])["version"] == "2026-01"
    refused = run(desk, *wanted, "sha256:0", language="zh")
    assert (refused.exit_code, "TERMS_CONTENT_DIFFERS" in refused.stderr) == (1, True)


def test_terms_without_the_clause_are_refused_and_other_files_are_no_terms(
    desk: ContractDesk, tmp_path: Path
) -> None:
    bare = a_file(tmp_path, DOCUMENT.replace("transfer_and_resale", "other"))
    assert result_of(desk, "terms", "publish", bare)["reasons"][0]["code"] == "TRANSFER_CLAUSE_MISSING"
    for name, content, code in (
        ("terms.toml", "operator = ", "TERMS_DOCUMENT_INVALID"),
        ("terms.json", "{", "JSON_INVALID"),
        ("terms.json", "{}", "TERMS_DOCUMENT_INVALID"),
        ("long.toml", "#" * 1_000_001, "FILE_UNREADABLE"),
    ):
        done = run(desk, "terms", "publish", a_file(tmp_path, content, name))
        assert isinstance(done.exception, BadInput)
        assert done.exception.code == code
    for arguments in (
        ("terms", "publish", tmp_path / "absent.toml"),
        ("terms", "show", "--operator", OPERATOR),
        ("terms", "diff", "a-1", "a-2", "--operator", OPERATOR),
        ("terms", "accept", "SES-none", "--version", "a-1", "--hash", "x"),
        ("terms", "accept", SESSION, "--version", "a-1", "--hash", "x", "--language", "fr"),
        ("confirmations", "send", "SES-none"),
        ("receipts", "paper", "REG-none", "--out", tmp_path / "x.pdf"),
        ("receipts", "send", "REG-none"),
    ):
        assert isinstance(run(desk, *arguments).exception, BadInput), arguments


def test_the_customer_reads_the_code_from_their_own_telephone(desk: ContractDesk) -> None:
    sent = result_of(desk, "confirmations", "send", SESSION)
    assert set(sent) == {"session", "lines", "expires_at", "attempts", "link"}
    again = run(desk, "confirmations", "send", SESSION)
    assert (again.exit_code, "CONFIRMATION_CODE_TOO_SOON" in again.stderr) == (1, True)
    code = the_code(desk, sent["link"])
    wrong = result_of(desk, "confirmations", "take", SESSION, "000000" if code != "000000" else "000001")
    assert (wrong["attempts_left"], wrong["reasons"][0]["code"]) == (2, "CONFIRMATION_CODE_WRONG")
    assert result_of(desk, "confirmations", "take", SESSION, code)["method"] == "read_back"


def test_a_code_goes_to_a_line_that_the_customer_holds(desk: ContractDesk) -> None:
    held = "SES-earlier"
    desk.desk.sessions.add(a_session(held), a_session(SESSION))
    none = run(desk, "confirmations", "send", SESSION, "--own-line")
    assert (none.exit_code, "CONFIRMATION_NO_OWN_LINE" in none.stderr) == (1, True)
    outcome = desk.desk.register(held, a_number(5), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered)
    with unit_of_work(desk.desk.engine) as connection:  # the network has confirmed it
        connection.execute(lines.update().values(status="active"))
    platform = ContractServer(desk.desk)
    arguments = ["confirmations", "send", SESSION, "--own-line", "--json"]
    done = CliRunner().invoke(root, arguments, obj=lambda: platform)
    assert json.loads(done.stdout)["sent_to"] == outcome.receipt["line"]["id"]
    code = platform.channel.sent[0].text.en.split("code ")[1].split()[0]
    assert result_of(desk, "confirmations", "take", SESSION, code)["lines"] == 1
    deaf = ContractServer(desk.desk, channel=KeepingChannel(answers=False), clock=FixedClock(LATER))
    assert CliRunner().invoke(root, arguments, obj=lambda: deaf).exit_code == 1


def test_a_terminal_shows_the_link_as_a_code(desk: ContractDesk) -> None:
    shown = run(desk, "confirmations", "send", SESSION).stdout
    assert "/v1/confirmations/" in shown
    assert "█" in shown


def test_a_receipt_is_sent_to_its_line_and_no_link_is_printed(desk: ContractDesk) -> None:
    line = a_line(desk)
    sent = result_of(desk, "receipts", "send", line)
    assert (sent.keys(), sent["line"]) == ({"line", "notice", "expires_at"}, line)
    assert run(desk, "receipts", "send", line).stdout.strip() == sent["notice"]


def test_a_receipt_on_paper_is_verified_from_file_photo_and_text(desk: ContractDesk, tmp_path: Path) -> None:
    line, pdf = a_line(desk), tmp_path / "receipt.pdf"
    assert result_of(desk, "receipts", "paper", line, "--out", pdf)["bytes"] == pdf.stat().st_size
    code = code_in_pdf(pdf.read_bytes())
    assert code is not None
    photo = tmp_path / "photo.png"
    photo.write_bytes(png(code))
    public_key = run(desk, "receipts", "key").stdout.strip()
    for source in (pdf, photo, code):
        shown = result_of(desk, "receipts", "verify-qr", source, "--key", public_key)
        assert (shown["verified"], shown["content"]["line"]) == (True, line)
    assert "Genuine" in run(desk, "receipts", "verify-qr", pdf).stdout
    other = Ed25519Signer.from_seed(b"1" * 32).public_key
    forged = run(desk, "receipts", "verify-qr", pdf, "--key", other)
    assert (forged.exit_code, "QR_SIGNATURE_WRONG" in forged.stdout) == (1, True)
    pdf.write_bytes(pdf.read_bytes().replace(b"SHIMING1:", b"SHIMING2:"))
    assert isinstance(run(desk, "receipts", "verify-qr", pdf).exception, BadInput)


def test_the_receipt_in_json_is_verified(desk: ContractDesk, tmp_path: Path) -> None:
    desk.desk.sessions.add(a_session(SESSION))
    outcome = desk.desk.register(SESSION, a_number(), operator=OPERATOR)
    assert isinstance(outcome, LineRegistered)
    whole = a_file(tmp_path, json.dumps(dict(outcome.receipt)), "receipt.json")
    assert result_of(desk, "receipts", "verify-registration", whole) == {"verified": True}
    changed = {**outcome.receipt, "line": {**outcome.receipt["line"], "operator": "cn-two"}}
    forged = run(desk, "receipts", "verify-registration", a_file(tmp_path, json.dumps(changed), "f.json"))
    assert (forged.exit_code, forged.stdout) == (1, "not genuine\n")


def test_a_portable_receipt_is_made_and_verified(desk: ContractDesk, tmp_path: Path) -> None:
    line, wallet = a_line(desk), JWK.generate(kty="OKP", crv="Ed25519")
    jwk = a_file(tmp_path, wallet.export_public(), "wallet.jwk")
    made = result_of(desk, "receipts", "portable", line, "--holder-key", jwk)
    shown = a_file(tmp_path, made["sd_jwt"], "shown.txt")
    checked = result_of(desk, "receipts", "verify-portable", shown)
    assert (checked["verified"], checked["claims"]["operator"]) == (True, OPERATOR)
    unproven = run(desk, "receipts", "verify-portable", made["sd_jwt"], "--nonce", "n", "--audience", "a")
    assert (unproven.exit_code, "KEY_BINDING_MISSING" in unproven.stdout) == (1, True)
    half = result_of(desk, "receipts", "verify-portable", made["sd_jwt"], "--nonce", "n")
    assert half["reason"] == "KEY_BINDING_WRONG"
    for key in ("hello", "AAAA", "é"):
        done = run(desk, "receipts", "verify-portable", shown, "--key", key)
        assert isinstance(done.exception, BadInput)
        assert done.exception.code == "PUBLIC_KEY_INVALID"
    desk.desk.terminate(line)
    ended = run(desk, "receipts", "portable", line, "--holder-key", jwk)
    assert (ended.exit_code, "PORTABLE_LINE_ENDED" in ended.stderr) == (1, True)


def test_a_handler_confirms_the_lines_of_a_contract(tmp_path: Path) -> None:
    with a_database("sqlite", tmp_path / "database") as url:
        enterprise = an_enterprise(tmp_path, url, lines=3)
        desk = ContractDesk(enterprise.registration)
        sent = result_of(desk, "confirmations", "send-contract", CONTRACT, "--lines", "12")
        assert (sent["contract"], sent["lines"]) == (CONTRACT, 12)
        code = the_code(desk, sent["link"])
        wrong = result_of(desk, "confirmations", "take-contract", CONTRACT, code, "--lines", "13")
        assert wrong["reasons"][0]["code"] == "CONFIRMATION_OF_OTHER_LINE"
        assert (
            result_of(desk, "confirmations", "take-contract", CONTRACT, code, "--lines", "12")["lines"] == 12
        )
        assert enterprise.contract().lines_confirmed == 12
        enterprise.engine.dispose()
