"""The options of `shiming prove` and `shiming challenge`: how each is written, and what its help says."""

from pathlib import Path
from typing import Annotated

import typer

PackName = Annotated[str, typer.Option("--pack", help="Policy pack whose rules apply.")]
ChannelName = Annotated[str, typer.Option("--channel", help="shop, agent or online.")]
RouteName = Annotated[
    str, typer.Option("--route", help="standard, no_blink, head_still, digits_tapped or assisted.")
]
Category = Annotated[
    str, typer.Option("--subject", help="Category of the person: adult, minor, foreigner, ...")
]
OperatorCode = Annotated[str | None, typer.Option("--operator", help="Operator the proof is made for.")]
SessionToGoOnWith = Annotated[str | None, typer.Option("--session", help="Go on with this session.")]

# what is shown of the person and of the document
DocumentPhoto = Annotated[Path, typer.Option("--document", help="Photo of the side with the portrait.")]
DocumentBack = Annotated[
    Path | None, typer.Option("--document-back", help="Photo of the other side (validity).")
]
LiveClip = Annotated[Path | None, typer.Option("--clip", help="The live clip, one take, not mirrored.")]
ChallengeFile = Annotated[
    Path | None, typer.Option("--challenge", help="The challenge that the clip answers.")
]
SpokenDigits = Annotated[
    Path | None,
    typer.Option("--digits", help="A recording of the digits; the clip's sound if not given."),
]
TappedDigits = Annotated[
    str | None, typer.Option("--tapped", help="The digits as tapped (route digits_tapped).")
]
DeclaredName = Annotated[str | None, typer.Option("--declared-name", help="The name as declared.")]
DeclaredNumber = Annotated[
    str | None, typer.Option("--declared-number", help="The document's number as declared.")
]
StaffReviews = Annotated[
    list[str] | None,
    typer.Option(
        "--review",
        help="Route assisted: STAFF:same, STAFF:different or STAFF:forged, by eye; once for each of two.",
    ),
]

# who is asked
AuthorityAddress = Annotated[
    str, typer.Option("--authority", help="Address of an authority that speaks OSIA, or `none`.")
]
AuthorityCa = Annotated[Path | None, typer.Option(help="CA that the authority's certificate is of (PEM).")]
ClientCertificate = Annotated[Path | None, typer.Option(help="Our client certificate and key (PEM).")]
TokenFile = Annotated[Path | None, typer.Option(help="File with the bearer token.")]
