"""`shiming ledger` as a person and a program use it."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner, Result

from shiming.infrastructure.clock import Clock, FixedClock
from shiming.infrastructure.database import open_database
from shiming.infrastructure.encryption import KeyProvider
from shiming.infrastructure.signed_notes import NoteKey, NoteSigner, cosigned_at, parse_note
from shiming.privacy.ledger_commands import app
from shiming.vocabulary.errors import BadInput
from tests.databases import a_database
from tests.privacy.ledger_desk import NOW, Ledger


@dataclass(frozen=True)
class Platform:
    engine: Engine
    keys: KeyProvider
    ledger_signer: NoteSigner
    ledger_keys: tuple[NoteKey, ...]
    witness_keys: tuple[NoteKey, ...]
    clock: Clock
    language: str = "en"


@dataclass(frozen=True)
class Desk:
    ledger: Ledger
    folder: Path
    witnesses: tuple[NoteKey, ...] = ()

    def run(self, *arguments: str | Path, language: str = "en") -> Result:
        ledger = self.ledger
        platform = Platform(
            ledger.engine,
            ledger.keys,
            ledger.log,
            (ledger.log.key,),
            self.witnesses,
            FixedClock(NOW),
            language,
        )
        done = CliRunner().invoke(app, [str(one) for one in arguments], obj=lambda: platform)
        if isinstance(done.exception, BadInput):
            raise done.exception
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self.run(*arguments).stdout)

    def keep(self, name: str, *arguments: str | Path) -> Path:
        """Write what a command prints into a file."""
        file = self.folder / name
        file.write_text(self.run(*arguments).stdout, encoding="utf-8")
        return file


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_database("sqlite", tmp_path / "database") as url:
        engine = open_database(url)
        ledger = Ledger(engine)
        ledger.append(5)
        yield Desk(ledger, tmp_path)
        engine.dispose()


def test_seal_verify_and_print_a_checkpoint(desk: Desk) -> None:
    assert desk.run("checkpoint").exit_code == 1
    assert desk.json("seal", "--json") == {"leaves": 5, "batches": 1, "size": 5, "stopped": []}
    assert desk.run("seal").stdout == "Sealed 0 leaves; 5 in all.\n"
    done = desk.run("verify")
    assert (done.exit_code, done.stdout) == (0, "The ledger is whole: 5 leaves, 5 of them sealed.\n")
    assert "账本完整" in desk.run("verify", language="zh").stdout
    checkpoint = desk.keep("checkpoint.txt", "checkpoint")
    assert checkpoint.read_text(encoding="utf-8").startswith("shiming/test\n5\n")
    assert desk.json("verify", "--from", checkpoint, "--json") == {"verified": True, "leaves": 5, "sealed": 5}
    key = desk.run("checkpoint", "--key").stdout.strip()
    assert NoteKey.parse(key) == desk.ledger.log.key


def test_verify_names_what_was_tampered_with(desk: Desk) -> None:
    desk.run("seal")
    checkpoint = desk.keep("checkpoint.txt", "checkpoint")
    leaf = desk.ledger.append()
    desk.ledger.tamper("DELETE FROM ledger_leaves WHERE sequence = 2")
    done = desk.run("verify")
    assert (done.exit_code, done.stdout) == (1, "LEAF_MISSING (1-2): A leaf is missing here.\n")
    found = desk.json("verify", "--json", "--from", checkpoint, "--leaf", str(leaf))
    assert (found["verified"], found["at"], found["why"], found["found"]) == (False, "1-2", "LEAF_MISSING", 1)
    other = str(leaf).replace(leaf.hash, "00" * 32)
    assert desk.json("verify", "--json", "--leaf", other)["findings"][-1]["why"] == "KNOWN_LEAF_CONTRADICTED"
    desk.ledger.tamper("UPDATE ledger_leaves SET mac = '' WHERE sequence = 6")
    stopped = desk.run("seal")
    assert stopped.exit_code == 1
    assert "LEAF_FOREIGN (1-6)" in stopped.stdout
    with desk.ledger.engine.begin() as connection:
        for number in range(200):
            desk.ledger.append_in(connection, number)
    desk.ledger.tamper("UPDATE ledger_leaves SET mac = ''")
    assert desk.run("verify").stdout.endswith("And 106 more.\n")


def test_prove_and_check_without_the_database(desk: Desk) -> None:
    assert desk.run("prove", "1-3").exit_code == 1
    assert "not sealed" in desk.run("prove", "1-3").stderr
    desk.run("seal")
    assert "no such leaf" in desk.run("prove", "1-9").stderr
    proof = desk.keep("proof.json", "prove", "1-3")
    key = desk.run("checkpoint", "--key").stdout.strip()
    elsewhere = Desk(Ledger(None), desk.folder)  # type: ignore[arg-type] # no database there at all
    assert elsewhere.run("check-proof", proof, "--key", key).stdout == "The proof holds.\n"
    assert elsewhere.json("check-proof", proof, "--key", key, "--json")["holds"] is True
    content = json.loads(proof.read_text(encoding="utf-8"))
    proof.write_text(json.dumps(content | {"index": 1}), encoding="utf-8")
    refused = elsewhere.run("check-proof", proof, "--key", key)
    assert (refused.exit_code, refused.stdout) == (1, "The proof does not hold.\n")
    desk.ledger.tamper("UPDATE ledger_leaves SET hash = (SELECT root FROM ledger_batches) WHERE sequence = 3")
    assert desk.run("prove", "1-3").stdout.startswith("LEAF_NOT_AS_SEALED (1-3)")


def test_consistency_of_sizes_and_of_checkpoints_that_were_kept(desk: Desk) -> None:
    desk.run("seal")
    old = desk.keep("old.txt", "checkpoint")
    earlier = desk.ledger.snapshot()
    desk.ledger.append(3)
    desk.run("seal")
    new = desk.keep("new.txt", "checkpoint")
    assert desk.json("consistency", "5", "8") == desk.json("consistency", old, new)
    proof = desk.keep("proof.json", "consistency", old, new)
    assert desk.run("check-proof", proof).exit_code == 0
    assert desk.run("consistency", "2", "5").exit_code == 0
    desk.ledger.restore(earlier)
    desk.ledger.append(3, "other")
    desk.run("seal")
    assert desk.run("consistency", old, "8").exit_code == 0
    contradicted = desk.run("consistency", old, new)
    assert contradicted.exit_code == 1
    assert contradicted.stdout.startswith("KNOWN_CHECKPOINT_CONTRADICTED (checkpoint 8)")
    assert desk.run("verify", "--from", new).exit_code == 1
    desk.ledger.tamper("DELETE FROM ledger_tiles")
    assert desk.run("consistency", "5", "8").stdout.startswith("TILE_CHANGED")


def test_a_witness_signs_remembers_and_refuses(desk: Desk) -> None:
    key_file = desk.folder / "witness.key"
    desk.run("seal")
    first = desk.keep("first.txt", "checkpoint")
    untouched = first.read_text(encoding="utf-8")
    done = desk.json("witness", first, "--key-file", key_file, "--name", "witness.example/w1", "--json")
    assert (done["witnessed"], done["why"]) == (True, None)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    witness_key = NoteKey.parse(done["witness_key"])
    assert cosigned_at(parse_note(first.read_text(encoding="utf-8")), witness_key) is not None
    desk.run("verify", "--from", first)  # a cosigned checkpoint is still one
    earlier = desk.ledger.snapshot()
    desk.ledger.append(2)
    desk.run("seal")
    second = desk.keep("second.txt", "checkpoint")
    proof = desk.keep("proof.json", "consistency", "5", "7")
    key = desk.run("checkpoint", "--key").stdout.strip()
    elsewhere = Desk(Ledger(None), desk.folder)  # type: ignore[arg-type] # the witness has no database
    named = ("--key-file", key_file, "--name", "witness.example/w1", "--key", key)
    assert elsewhere.run("witness", second, *named, "--proof", proof).exit_code == 0
    again = desk.keep("again.txt", "checkpoint")
    assert desk.run("witness", again, "--key-file", key_file).stdout.startswith("Witnessed at size 7")
    first.write_text(untouched, encoding="utf-8")
    older = desk.run("witness", first, *named)
    assert older.exit_code == 1
    assert older.stdout.startswith("CHECKPOINT_OLDER")
    assert first.read_text(encoding="utf-8") == untouched
    desk.ledger.restore(earlier)
    desk.ledger.append(4, "other")
    desk.run("seal")
    fork = desk.keep("fork.txt", "checkpoint")
    refused = desk.json("witness", fork, *named, "--json")
    assert (refused["witnessed"], refused["why"]) == (False, "NOT_CONSISTENT")
    not_a_consistency_proof = desk.keep("inclusion.json", "prove", "1-1")
    assert "PROOF_MISSING" in desk.run("witness", fork, *named, "--proof", not_a_consistency_proof).stdout


def test_what_a_witness_signed_comes_back_and_every_later_copy_carries_it(desk: Desk) -> None:
    desk.run("seal")
    shown = desk.keep("checkpoint.txt", "checkpoint")
    named = ("--key-file", desk.folder / "witness.key", "--name", "w.example")
    witness = NoteKey.parse(desk.json("witness", shown, *named, "--json")["witness_key"])
    with pytest.raises(BadInput, match="NO_KNOWN_WITNESS"):
        desk.run("add-cosignatures", shown)
    known = replace(desk, witnesses=(witness,))
    assert known.run("add-cosignatures", shown).stdout == "Checkpoint of size 5:\n  added: w.example\n"
    assert "原已存在：w.example" in known.run("add-cosignatures", shown, language="zh").stdout
    assert known.json("add-cosignatures", shown, "--json") == {
        "size": 5,
        "added": [],
        "there_already": ["w.example"],
        "unknown": [],
        "wrong": [],
    }
    assert desk.run("checkpoint").stdout == shown.read_text(encoding="utf-8")
    assert cosigned_at(parse_note(known.json("prove", "1-2")["checkpoint"]), witness) is not None
    assert known.run("verify").exit_code == 0
    desk.ledger.tamper("UPDATE ledger_batches SET checkpoint = replace(checkpoint, 'test', 'other')")
    refused = known.run("add-cosignatures", shown)
    assert (refused.exit_code, refused.stdout[:28]) == (1, "CHECKPOINT_FOREIGN (batch 1)")


def test_files_that_cannot_be_used_are_refused_with_a_code(desk: Desk) -> None:
    missing, large, folder = desk.folder / "missing", desk.folder / "large", desk.folder
    large.write_bytes(b"x" * 70_000)
    for file in (missing, large, folder):
        with pytest.raises(BadInput, match="LEDGER_FILE_UNUSABLE"):
            desk.run("verify", "--from", file)
    large.write_text("no note", encoding="utf-8")
    with pytest.raises(BadInput, match="NOTE_FORMAT"):
        desk.run("verify", "--from", large)
    with pytest.raises(BadInput, match="LEDGER_SIZE_UNKNOWN"):
        desk.run("consistency", "9" * 30, "1")
    with pytest.raises(BadInput, match="NOTE_KEY_FORMAT"):
        desk.run("check-proof", large, "--key", "nobody")
