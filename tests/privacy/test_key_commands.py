"""`shiming kek` and `shiming evidence` as a person and a program use them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import Clock, FixedClock
from shiming.infrastructure.database import unit_of_work
from shiming.infrastructure.settings import Settings
from shiming.infrastructure.signing import Ed25519Signer
from shiming.privacy.commands import app as evidence
from shiming.privacy.key_commands import app as kek
from shiming.privacy.model import EvidenceKind, EvidenceRef, Purpose, RetentionClass
from shiming.privacy.use_cases.tools import PrivacyTools
from shiming.privacy.use_cases.vault import put_evidence
from shiming.vocabulary.errors import BadInput
from tests.privacy.builders import NOW, Vault, a_retention_policy, a_vault


@dataclass(frozen=True)
class Platform:
    settings: Settings
    engine: Engine
    privacy: PrivacyTools
    clock: Clock
    language: str


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    opened = a_vault(tmp_path)
    yield opened
    opened.engine.dispose()


def run(app: typer.Typer, vault: Vault, *arguments: str, language: str = "en", answer: str = "") -> Result:
    platform = Platform(vault.settings, vault.engine, vault.tools, FixedClock(NOW), language)
    done = CliRunner().invoke(app, list(arguments), obj=lambda: platform, input=answer)
    if isinstance(done.exception, BadInput):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def in_json(app: typer.Typer, vault: Vault, *arguments: str) -> Any:
    return json.loads(run(app, vault, *arguments, "--json").stdout)


def put(vault: Vault) -> EvidenceRef:
    with unit_of_work(vault.engine) as connection:
        return put_evidence(
            vault.tools,
            connection,
            subject=vault.subject(),
            case_reference="SES-1",
            kind=EvidenceKind.PORTRAIT,
            purpose=Purpose.REGISTRATION,
            retention_class=RetentionClass.PORTRAIT,
            content=b"portrait",
            retention=a_retention_policy(),
            now=NOW,
        )


def test_a_new_key_and_the_way_to_it(vault: Vault) -> None:
    put(vault)
    assert in_json(kek, vault, "list") == {
        "keks": [{"kek_id": "kek1", "present": True, "known": True, "data_keys": 1}]
    }
    assert "kek2" in run(kek, vault, "new").stdout
    listed = run(kek, vault, "list").stdout.splitlines()
    assert [line.split(maxsplit=2) for line in listed] == [
        ["kek1", "1", "only unwraps"],
        ["kek2", "0", "wraps new data keys"],
    ]
    assert "1 data keys are wrapped by the present key" in run(kek, vault, "rotate").stdout
    assert in_json(kek, vault, "rotate") == {"rewrapped": 0}
    assert "已重新加密 0 个" in run(kek, vault, "rotate", language="zh").stdout
    assert in_json(kek, vault, "new") == {"kek": "kek3"}


def test_erasing_asks_first_and_leaves_a_receipt_that_can_be_checked(vault: Vault, tmp_path: Path) -> None:
    ref = put(vault)
    command = ("erase", ref.evidence_id, "--why", "holder_asked", "--actor", "STF-1")
    assert run(evidence, vault, *command, answer="n\n").exit_code == 1
    assert in_json(evidence, vault, "list", "--case", "SES-1")["evidence"][0]["erased_at"] is None
    assert run(evidence, vault, *command, answer="y\n").exit_code == 0
    assert run(evidence, vault, *command, "--yes").exit_code == 0  # twice is once
    assert in_json(evidence, vault, "list", "--case", "SES-1")["evidence"][0]["erased_why"] == "holder_asked"
    receipt = run(evidence, vault, "receipts", "--case", "SES-1").stdout
    assert json.loads(receipt)["evidence"][0]["id"] == ref.evidence_id
    file = tmp_path / "receipt.json"
    file.write_text(receipt)
    assert run(evidence, vault, "check-receipt", str(file)).exit_code == 0
    other = Ed25519Signer.from_seed(b"o" * 32).public_key
    assert run(evidence, vault, "check-receipt", str(file), "--public-key", other).exit_code == 1
    file.write_text(receipt.replace("holder_asked", "somebody_asked"))
    assert run(evidence, vault, "check-receipt", str(file)).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("erase", "EVD-0", "--why", "holder_asked", "--actor", "STF-1", "--yes"), "EVIDENCE_UNKNOWN"),
        (("erase", "EVD-0", "--why", "Ms Li asked", "--actor", "STF-1", "--yes"), "ERASURE_REASON"),
        (("receipts",), "EVIDENCE_OF_WHOM"),
        (("list",), "EVIDENCE_OF_WHOM"),
        (("check-receipt", "/nowhere/receipt.json"), "RECEIPT_UNREADABLE"),
    ],
)
def test_what_cannot_be_meant_is_said(vault: Vault, arguments: tuple[str, ...], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        run(evidence, vault, *arguments)
    assert refused.value.code == code


def test_lost_objects_are_named(vault: Vault) -> None:
    ref = put(vault)
    assert "Every object is there" in run(evidence, vault, "check").stdout
    vault.tools.objects.remove(ref.evidence_id)
    done = run(evidence, vault, "check")
    assert (done.exit_code, ref.evidence_id in done.stdout) == (1, True)
    assert in_json(evidence, vault, "check") == {"missing": [ref.evidence_id]}
