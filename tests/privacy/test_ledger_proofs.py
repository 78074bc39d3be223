"""Proofs and witnesses: what others check without the database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shiming.infrastructure.database import reading, unit_of_work
from shiming.infrastructure.signed_notes import cosigned_at, is_signed, parse_note
from shiming.privacy.model import LedgerBroken
from shiming.privacy.rules.checkpoint import LedgerCheckpoint, parse_checkpoint
from shiming.privacy.rules.proofs import (
    ConsistencyProof,
    InclusionProof,
    LeafNotSealed,
    LeafUnknown,
    read_proof,
)
from shiming.privacy.rules.witnessing import CheckpointWitnessed, WitnessingRefused, WitnessRefusal
from shiming.privacy.use_cases.proving import (
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
    proof_holds,
)
from shiming.privacy.use_cases.signed_checkpoints import known_checkpoint
from shiming.privacy.use_cases.witnessing import cosign_checkpoint
from shiming.vocabulary.errors import BadInput
from tests.privacy.ledger_desk import NOW, Ledger, a_log

WITNESS = a_log(b"w" * 32, "witness.example/w1")


def newest(ledger: Ledger) -> LedgerCheckpoint:
    with reading(ledger.engine) as connection:
        found = latest_checkpoint(connection)
    assert found is not None
    return found


def inclusion(ledger: Ledger, leaf_id: str) -> InclusionProof | LeafUnknown | LeafNotSealed | LedgerBroken:
    with reading(ledger.engine) as connection:
        return inclusion_proof(connection, leaf_id)


def consistency(ledger: Ledger, old: int, new: int | None = None) -> ConsistencyProof:
    with reading(ledger.engine) as connection:
        found = consistency_proof(connection, old, new)
    assert isinstance(found, ConsistencyProof)
    return found


def test_every_sealed_leaf_is_proven_and_the_proof_is_checked_without_the_database(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        leaves = [ledger.append_in(connection, index) for index in range(300)]
    ledger.seal(batch_leaves_max=130)
    keys = (ledger.log.key,)
    for leaf in leaves[::37]:
        proof = inclusion(ledger, str(leaf))
        assert isinstance(proof, InclusionProof)
        assert (proof.leaf_hash.hex(), proof.size) == (leaf.hash, 300)
        assert proof_holds(proof, keys)
        assert read_proof(proof.to_json()) == proof
        assert not proof_holds(proof, (a_log(b"o" * 32).key,))
        assert not proof_holds(read_proof(proof.to_json() | {"index": proof.index + 1}), keys)
        assert not proof_holds(read_proof(proof.to_json() | {"leaf_hash": "00" * 32}), keys)
        assert not proof_holds(read_proof(proof.to_json() | {"checkpoint": "none"}), keys)


def test_a_leaf_that_is_not_sealed_or_never_was_has_no_proof(database: Engine) -> None:
    ledger = Ledger(database)
    leaf = ledger.append()
    assert inclusion(ledger, leaf.leaf_id) == LeafNotSealed("1-1")
    assert inclusion(ledger, "1-2") == LeafUnknown("1-2")
    with reading(database) as connection:
        assert latest_checkpoint(connection) is None
    for text in ("", "1", "1-", "a-b", "1-1:00"):
        with pytest.raises(BadInput, match="LEAF_ID_FORMAT"):
            inclusion(ledger, text)


def test_a_tampered_ledger_gives_no_proof(database: Engine) -> None:
    ledger = Ledger(database)
    ledger.append(4)
    ledger.seal()
    untouched = ledger.snapshot()
    root_for_hash = "UPDATE ledger_leaves SET hash = (SELECT root FROM ledger_batches) WHERE sequence = 2"
    cases = {
        "UPDATE ledger_leaves SET hash = 'none' WHERE sequence = 2": "LEAF_CHANGED",
        root_for_hash: "LEAF_NOT_AS_SEALED",
        "DELETE FROM ledger_leaves WHERE sequence = 2": "LEAF_MISSING",
        "DELETE FROM ledger_tiles": "TILE_CHANGED",
        "UPDATE ledger_batches SET root = ''": "LEAF_NOT_AS_SEALED",
    }
    for statement, why in cases.items():
        ledger.tamper(statement)
        found = inclusion(ledger, "1-2")
        assert isinstance(found, LedgerBroken)
        assert found.why.value == why
        ledger.restore(untouched)
    known = inclusion(ledger, "1-2:" + "00" * 32)
    assert isinstance(known, LedgerBroken)
    assert known.why.value == "KNOWN_LEAF_CONTRADICTED"
    ledger.tamper("DELETE FROM ledger_tiles")
    with reading(database) as connection:
        assert isinstance(consistency_proof(connection, 1), LedgerBroken)


def test_every_earlier_tree_is_the_beginning_of_the_newest(database: Engine) -> None:
    ledger = Ledger(database)
    with unit_of_work(database) as connection:
        for index in range(20):
            ledger.append_in(connection, index)
    ledger.seal(batch_leaves_max=6)
    for old in range(21):
        proof = consistency(ledger, old)
        assert proof.new_size == 20
        assert proof.holds
        assert proof_holds(proof, (ledger.log.key,))
        assert read_proof(proof.to_json()) == proof
    assert consistency(ledger, 6, 12).checkpoint
    between = consistency(ledger, 5, 11)  # sizes that no checkpoint states
    assert between.holds
    assert not between.checkpoint
    assert not proof_holds(between, (ledger.log.key,))
    for sizes in ((-1, 5), (7, 6), (3, 21)):
        with pytest.raises(BadInput, match="LEDGER_SIZE_UNKNOWN"):
            consistency(ledger, *sizes)


@given(
    content=st.dictionaries(
        st.sampled_from(["version", "proof", "leaf", "path", "index", "size", "leaf_hash"]),
        st.one_of(st.just(1), st.text(), st.lists(st.text()), st.just("inclusion")),
    )
)
def test_what_is_no_proof_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="PROOF_FORMAT"):
        read_proof(content)


def test_numbers_and_paths_of_proofs_are_bounded() -> None:
    proof = ConsistencyProof(1, bytes(32), 2, bytes(32), (bytes(32),), "note").to_json()
    assert isinstance(read_proof(proof), ConsistencyProof)
    for change in (
        {"path": ["00" * 32] * 70},
        {"path": "00"},
        {"old_root": "00"},
        {"old_size": -1},
        {"old_size": True},
        {"checkpoint": 1},
        {"version": 2},
    ):
        with pytest.raises(BadInput, match="PROOF_FORMAT"):
            read_proof(proof | change)


def cosign(
    ledger: Ledger, note: str, last: str | None = None, proof: ConsistencyProof | None = None
) -> CheckpointWitnessed | WitnessingRefused:
    return cosign_checkpoint(note, WITNESS, log_key=ledger.log.key, last=last, proof=proof, now=NOW)


def test_a_witness_signs_what_continues_what_it_signed_last(database: Engine) -> None:
    ledger = Ledger(database)
    ledger.append(3)
    ledger.seal()
    first = cosign(ledger, newest(ledger).note)
    assert isinstance(first, CheckpointWitnessed)
    assert (first.size, cosigned_at(parse_note(first.note), WITNESS.cosigning_key)) == (3, NOW)
    assert is_signed(parse_note(first.note), ledger.log.key)
    assert parse_checkpoint(parse_note(first.note).text).size == 3
    assert cosign(ledger, newest(ledger).note, first.note) == first  # the same once more
    ledger.append(4)
    ledger.seal()
    note = newest(ledger).note
    second = cosign(ledger, note, first.note, consistency(ledger, 3))
    assert isinstance(second, CheckpointWitnessed)
    assert second.size == 7
    refused = {
        WitnessRefusal.PROOF_MISSING: cosign(ledger, note, first.note),
        WitnessRefusal.NOT_CONSISTENT: cosign(ledger, note, first.note, consistency(ledger, 2)),
        WitnessRefusal.CHECKPOINT_OLDER: cosign(ledger, first.note, second.note, consistency(ledger, 3)),
        WitnessRefusal.CHECKPOINT_FOREIGN: cosign(ledger, note.replace("\n7\n", "\n8\n")),
        WitnessRefusal.LAST_FOREIGN: cosign(ledger, note, "damaged", consistency(ledger, 3)),
    }
    assert {why: outcome for why, outcome in refused.items() if outcome != WitnessingRefused(why)} == {}
    assert all(why.text.zh and why.text.en.isascii() for why in WitnessRefusal)


def test_a_witness_refuses_a_rewritten_ledger(database: Engine) -> None:
    """The log itself, with all its keys, shows another history of the same and of a larger size."""
    ledger = Ledger(database)
    ledger.append(3)
    earlier = ledger.snapshot()
    ledger.append()
    ledger.seal()
    first = cosign(ledger, newest(ledger).note)
    assert isinstance(first, CheckpointWitnessed)
    ledger.restore(earlier)
    ledger.append(1, "other")
    ledger.seal()
    fork = newest(ledger)
    assert (fork.size, ledger.findings()) == (4, [])  # by itself it is whole
    assert cosign(ledger, fork.note, first.note) == WitnessingRefused(WitnessRefusal.PROOF_MISSING)
    proof = consistency(ledger, 4)
    assert cosign(ledger, fork.note, first.note, proof) == WitnessingRefused(WitnessRefusal.NOT_CONSISTENT)
    ledger.append()
    ledger.seal()
    larger = cosign(ledger, newest(ledger).note, first.note, consistency(ledger, 4))
    assert larger == WitnessingRefused(WitnessRefusal.NOT_CONSISTENT)


def test_a_checkpoint_from_outside_must_be_signed_by_this_ledger() -> None:
    log = a_log()
    note = log.sign("shiming/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
    assert known_checkpoint(note, (log.key,)).size == 0
    with pytest.raises(BadInput, match="CHECKPOINT_NOT_OURS"):
        known_checkpoint(note, (a_log(b"o" * 32).key,))
    with pytest.raises(BadInput, match="CHECKPOINT_NOT_OURS"):
        known_checkpoint(note, ())
    with pytest.raises(BadInput, match="CHECKPOINT_FORMAT"):
        known_checkpoint(log.sign("shiming/test\n"), (log.key,))
    elsewhere = a_log(name="other/log").sign(
        "shiming/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    )
    with pytest.raises(BadInput, match="CHECKPOINT_NOT_OURS"):  # signed, but in the name of another log
        known_checkpoint(elsewhere, (a_log(name="other/log").key,))
