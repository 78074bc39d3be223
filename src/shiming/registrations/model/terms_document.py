"""Terms of service as they are handed in: JSON or TOML, every text in both languages.

operator = "cn-mobile"
version = "2026-01"
effective_from = 2026-01-01
title = { zh = "电信服务协议", en = "Terms of telecommunication service" }

[[clauses]]
name = "transfer_and_resale"
zh = "……"
en = "..."
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from shiming.registrations.model.terms import Clause, Terms
from shiming.vocabulary.errors import BadInput, Text

CLAUSES_MAX = 60  # contracts of operators have twenty to forty
CLAUSE_CHARACTERS_MAX = 4000
_ERRORS_SHOWN_MAX = 20


def _unique(clauses: tuple["ClauseDocument", ...]) -> tuple["ClauseDocument", ...]:
    names = [clause.name for clause in clauses]
    if len(set(names)) < len(names):
        message = "two clauses have one name"
        raise ValueError(message)
    return clauses


Said = Annotated[str, Field(min_length=1, max_length=CLAUSE_CHARACTERS_MAX, pattern=r"^[^\x00]*\S[^\x00]*$")]
#: Such as 2026-01: with a hyphen or a dot, so that none can be taken for a number of a person or a line.
VersionName = Annotated[
    str, Field(max_length=40, pattern=r"^[0-9A-Za-z]+([.-][0-9A-Za-z]+)+$", examples=["2026-01"])
]
OperatorCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$", examples=["cn-mobile"])]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WordingDocument(_Document):
    """A text in both languages."""

    zh: Said
    en: Said


class ClauseDocument(WordingDocument):
    """A named clause."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,59}$", examples=["transfer_and_resale"])]


class TermsDocument(_Document):
    """One version of an operator's terms."""

    operator: OperatorCode
    version: VersionName
    effective_from: date
    title: WordingDocument
    clauses: Annotated[
        tuple[ClauseDocument, ...], Field(min_length=1, max_length=CLAUSES_MAX), AfterValidator(_unique)
    ]

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Read a document; raise BadInput with every place where it is not as it should be."""
        try:
            return cls.model_validate(document)
        except ValidationError as problem:
            places = [".".join(map(str, each["loc"])) for each in problem.errors()[:_ERRORS_SHOWN_MAX]]
            raise BadInput(
                "TERMS_DOCUMENT_INVALID",
                Text(zh="服务协议文件格式不正确。", en="This is no document of terms."),
                Text(zh="请按 details.places 逐项修改。", en="Correct each of details.places."),
                {"places": places},
            ) from None

    def terms(self) -> Terms:
        """Return the terms."""
        clauses = tuple(Clause(each.name, Text(zh=each.zh, en=each.en)) for each in self.clauses)
        title = Text(zh=self.title.zh, en=self.title.en)
        return Terms(self.operator, self.version, self.effective_from, title, clauses)
