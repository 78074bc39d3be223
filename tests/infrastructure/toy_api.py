"""A small feature for tests of what all routes share."""

import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from shiming.infrastructure.http.asking import Asking, asked, open_to_all
from shiming.infrastructure.http.etags import etag, if_match, require_version
from shiming.infrastructure.http.idempotent import Answer, hash_of, idempotency_key, idempotent
from shiming.infrastructure.http.page import Listing, PageAsked, paged
from shiming.infrastructure.http.problems import Refusal, problem_responses
from shiming.infrastructure.http.uploads import CLIP, IMAGE, FilePart, TextPart, Upload, UploadForm
from shiming.vocabulary.errors import Text
from shiming.vocabulary.permissions import Permission

router = APIRouter(prefix="/v1/toys", tags=["toys"])
FORM = UploadForm(
    (FilePart("picture", IMAGE), FilePart("clip", CLIP, required=False)), (TextPart("note", 20),)
)


@dataclass(frozen=True, slots=True)
class MayPlay(Permission):
    code: ClassVar[str] = "toys.play"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class MayBreak(Permission):
    code: ClassVar[str] = "toys.break"
    operator: str = ""


class NewToy(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=20)]
    wheels: Annotated[int, Field(ge=0, le=8)] = 4


class Toy(BaseModel):
    number: int


class Toys(Listing):
    items: list[Toy]


Playing = Annotated[Asking, asked(MayPlay)]


@router.get("", response_model=Toys)
def list_toys(asking: Playing, page: Annotated[PageAsked, paged("toys")]) -> dict[str, Any]:
    asking.allow(MayPlay("cn-one"))
    first = int(page.after[0]) + 1 if page.after else 0
    rows = [{"number": number} for number in range(first, 45)][: page.size + 1]
    return page.listing(rows, key=lambda row: (row["number"],))


@router.post("", status_code=201, response_model=Toy, responses=problem_responses(409))
def make_toy(
    request: Request, wanted: NewToy, asking: Playing, key: Annotated[str | None, idempotency_key()]
) -> Response:
    asking.allow(MayPlay("cn-one"))
    state = request.app.state

    def work(_connection: Connection) -> Answer:
        if wanted.name == "refused":
            raise Refusal("TOY_REFUSED", Text(zh="不行", en="No."))
        state.platform.made.append(wanted.name)
        time.sleep(state.platform.work_s)
        return Answer.of(201, Toy(number=len(state.platform.made)), etag=etag(1))

    wanted_hash = hash_of(request, wanted)
    platform = state.platform
    return idempotent(
        platform.engine, asking.caller.reference, key, wanted_hash, work, now=platform.clock.now()
    )


@router.put("/{number}", responses=problem_responses(412, 428))
def change_toy(number: int, asking: Playing, version: Annotated[str, if_match()]) -> Toy:
    asking.allow(MayPlay("cn-one"))
    require_version(version, etag(3))
    return Toy(number=number)


@router.get("/broken/{how}")
def break_toy(how: str, asking: Playing) -> Toy:
    if how == "undeclared":
        asking.allow(MayBreak())
    elif how == "fault":
        asking.allow(MayPlay("cn-one"))
        raise ValueError("11010519491231002X of 王小明")
    return Toy(number=1)  # "unasked": nobody was asked


@router.put("/{number}/picture", openapi_extra=FORM.openapi_extra())
def take_picture(number: int, asking: Playing, upload: Annotated[Upload, FORM.received()]) -> dict[str, Any]:
    asking.allow(MayPlay("cn-one"))
    files = {name: file.stat().st_size for name, file in upload.files.items()}
    return {"number": number, "files": files, "texts": dict(upload.texts)}


@router.get("/open", dependencies=[open_to_all("for tests")])
def show_open() -> Toy:
    return Toy(number=0)
