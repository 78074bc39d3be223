"""Which question each verb of privacy asks: a change here changes who sees whose face."""

import ast
import dataclasses
import inspect
from pathlib import Path

import pytest

import shiming
from shiming.privacy import permissions
from shiming.privacy.use_cases import (
    access_log,
    copies,
    cosignatures,
    disclosure_execution,
    disclosures,
    proving,
    vault,
)
from shiming.vocabulary.permissions import Permission, questions_of

QUESTIONS = [
    found
    for found in vars(permissions).values()
    if inspect.isclass(found) and issubclass(found, Permission) and found is not Permission
]


@pytest.mark.parametrize(
    ("verb", "codes"),
    [
        (vault.read_evidence, {"evidence.read"}),
        (vault.read_identity, {"identity.read"}),
        (copies.show_copy, {"evidence.read", "identity.read"}),
        (access_log.find_metadata, {"evidence.list"}),
        (access_log.list_accesses, {"access_log.read"}),
        (disclosures.request_disclosure, {"disclosures.request"}),
        (disclosures.approve_disclosure, {"disclosures.approve"}),
        (disclosures.refuse_disclosure, {"disclosures.approve"}),
        (disclosures.find_disclosure, {"disclosures.read"}),
        (disclosures.list_disclosures, {"disclosures.read"}),
        (disclosure_execution.execute_disclosure, {"disclosures.execute"}),
        (proving.latest_checkpoint, {"ledger.read"}),
        (proving.inclusion_proof, {"ledger.read"}),
        (proving.consistency_proof, {"ledger.read"}),
        (cosignatures.keep_cosignatures, {"ledger.witness"}),
    ],
)
def test_each_verb_asks_its_question(verb: object, codes: set[str]) -> None:
    assert callable(verb)
    assert {question.code for question in questions_of(verb)} == codes


def test_each_question_has_a_code_of_its_own_and_cannot_be_changed() -> None:
    assert len({question.code for question in QUESTIONS}) == len(QUESTIONS) == 12
    question = permissions.MayReadEvidence("DSP-1", "dispute")
    with pytest.raises(dataclasses.FrozenInstanceError):
        question.purpose = "curiosity"  # type: ignore[misc] # that it cannot is what is tested


def test_every_question_can_be_put_about_one_operator() -> None:
    for question in QUESTIONS:
        assert "operator" in {field.name for field in dataclasses.fields(question)}, question.__name__


def test_nothing_that_gives_content_gives_more_than_one() -> None:
    """There is no bulk read: a verb that returns content takes one reference."""
    for module in (access_log, copies):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            signature = inspect.signature(function)
            returned = str(signature.return_annotation)
            if "EvidenceContent" in returned or "Copy" in returned:
                assert not any(plural in returned for plural in ("tuple", "list", "Iterator")), name
                assert {"evidence_id", "found"} & set(signature.parameters), name


def test_content_is_reached_through_the_access_log_only() -> None:
    """Whoever read the vault directly would leave a leaf, and nothing that the person can see."""
    doors = {"read_evidence", "open_evidence", "read_identity"}
    source = Path(shiming.__file__).parent
    through = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if doors & names_used(ast.parse(file.read_text(encoding="utf-8")))
    }
    contact_of_a_link = "registrations/use_cases/link_tokens.py"  # to send it there; a leaf says so
    assert through == {"privacy/use_cases/vault.py", "privacy/use_cases/access_log.py", contact_of_a_link}


def names_used(tree: ast.AST) -> set[str]:
    return {
        str(getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None))
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
    }
