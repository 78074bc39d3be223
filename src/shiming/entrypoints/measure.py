"""`shiming measure`: what recognition sees, without any decision.

The JSON of each command is documented in docs/reference/measurements.md and stable. Thresholds are printed
beside the figures for orientation; they come from the policy pack in force.
"""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from shiming.entrypoints.wiring import Platform
from shiming.vocabulary.errors import BadInput, ShimingError, Text

app = typer.Typer(no_args_is_help=True, help="Measure a document, faces, a clip or spoken digits.")

PAIRS_MAX = 100_000
PROGRESS_FROM = 3  # rows; fewer are done before a bar would help

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs (one object, or a line a pair).")
]
PlotFile = Annotated[Path | None, typer.Option("--plot", help="Also draw the measurement into this PNG.")]
PackName = Annotated[str, typer.Option("--pack", help="Policy pack that the thresholds come from.")]
PairsFile = Annotated[Path | None, typer.Option("--pairs", help="CSV of many pairs, one result a row.")]


def platform_of(context: typer.Context) -> Platform:
    """Return the wired platform."""
    platform: Platform = context.obj()
    return platform


def today() -> date:
    """Return the day by the machine's own clock; the edge is the only place that looks at it."""
    return date.today()  # noqa: DTZ011 - documents expire by the local calendar


@app.command()
def document(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="Photo or scan of one side of a document.")],
    as_json: AsJson = False,
    plot: PlotFile = None,
) -> None:
    """Read a document: kind, fields, checks, quality, signs of a copy, portrait.

    Example: shiming measure document specimens/documents/demo-front.jpg --plot seen.png
    """
    with waiting("reading the document"):
        measurement = platform_of(context).recognition.document(image, today=today())
    result = measurement.to_json()
    if plot:
        from shiming.entrypoints import plots

        boxes = [measurement.portrait.box] if measurement.portrait else []
        shown = plots.picture_of(measurement.rectified, image)
        plots.save(plots.annotated(shown, boxes, plots.notes_of(result)), plot)
    show(result, as_json=as_json)


@app.command()
def face(
    context: typer.Context,
    first: Annotated[Path | None, typer.Argument(metavar="A", help="Picture with one face.")] = None,
    second: Annotated[Path | None, typer.Argument(metavar="B", help="Picture or clip of one face.")] = None,
    pairs: PairsFile = None,
    as_json: AsJson = False,
    plot: PlotFile = None,
    pack: PackName = "cn",
) -> None:
    """Compare two faces one to one, by two models. Either side may be a picture or a clip of one person.

    Example: shiming measure face card.jpg clip.mp4    (or --pairs FILE.csv with rows a,b)
    """
    platform = platform_of(context)
    thresholds = platform.policy(pack, today()).thresholds
    compare = face_comparer(platform, thresholds)
    if pairs:
        each_pair(pairs, ("a", "b"), lambda row: compare(Path(row["a"]), Path(row["b"])))
        return
    if first is None or second is None:
        raise _two_needed()
    with waiting("comparing the faces"):
        result = compare(first, second)
    if plot:
        from shiming.entrypoints import plots

        plots.save(plots.annotated(plots.picture_of(None, first), [], plots.notes_of(result)), plot)
    show(result, as_json=as_json)


@app.command()
def clip(
    context: typer.Context,
    clip_file: Annotated[Path, typer.Argument(metavar="CLIP", help="Live clip, unmirrored.")],
    as_json: AsJson = False,
    plot: PlotFile = None,
) -> None:
    """Find what happens in a clip: turns, blinks, mouth, losses, changes; and signs of an attack.

    Left and right are the person's own. Example: shiming measure clip demo.mp4 --plot time.png
    """
    recognition = platform_of(context).recognition
    with waiting("watching the clip"):
        measurement = recognition.clip(clip_file)
    if plot:
        from shiming.entrypoints import plots

        plots.save(plots.timeline(measurement), plot)
    synchrony = recognition.lip_synchrony(clip_file, measurement)
    show({**measurement.to_json(), "lip_synchrony": synchrony.to_json()}, as_json=as_json)


@app.command()
def digits(
    context: typer.Context,
    audio: Annotated[Path | None, typer.Argument(help="Sound, or clip with sound.")] = None,
    expect: Annotated[str, typer.Option(help="The digits that should be heard.")] = "",
    language: Annotated[str, typer.Option(help="cmn (Mandarin) or eng (English).")] = "cmn",
    pairs: PairsFile = None,
    as_json: AsJson = False,
    pack: PackName = "cn",
) -> None:
    """Score a claimed digit string against what is heard. `--pairs` takes rows audio,expected,language.

    Example: shiming measure digits a.wav --expect 470913 --language cmn
    """
    platform = platform_of(context)
    accept_min = platform.policy(pack, today()).thresholds.digits_score_accept_min.value

    def measured(source: Path, expected: str, spoken: str) -> dict[str, Any]:
        result = platform.recognition.digits(source, expected, spoken).to_json()
        return {**result, "threshold": accept_min, "above_threshold": result["score"] >= accept_min}

    if pairs:
        columns = ("audio", "expected", "language")
        each_pair(pairs, columns, lambda row: measured(Path(row["audio"]), row["expected"], row["language"]))
        return
    if audio is None or not expect:
        raise _two_needed()
    show(measured(audio, expect, language), as_json=as_json)


def face_comparer(platform: Platform, thresholds: Any) -> Callable[[Path, Path], dict[str, Any]]:
    """Return the comparison of two files; a file that stands in many pairs is measured once."""
    from functools import lru_cache

    @lru_cache(maxsize=256)
    def template_of(file: Path) -> Any:
        return platform.recognition.face_of(file)

    least, second_least = (
        thresholds.face_similarity_min.value,
        thresholds.face_second_similarity_min.value,
    )

    def compared(first: Path, second: Path) -> dict[str, Any]:
        faces = template_of(first), template_of(second)
        votes = platform.recognition.compare(*faces)
        second_above = votes.second_similarity is not None and votes.second_similarity >= second_least
        return {
            "similarity": votes.similarity,
            "second_similarity": votes.second_similarity,
            "threshold": least,
            "second_threshold": second_least,
            "above_threshold": votes.similarity >= least and second_above,
            "quality": {"a": faces[0].quality.to_json(), "b": faces[1].quality.to_json()},
        }

    return compared


def each_pair(
    pairs: Path, columns: tuple[str, ...], measure: Callable[[dict[str, str]], dict[str, Any]]
) -> None:
    """Print one JSON line for each row, an error as a line of its own; the progress goes to stderr."""
    from rich.console import Console
    from rich.progress import track

    rows = list(read_pairs(pairs, columns))
    for row in track(
        rows, description="measuring", console=Console(stderr=True), disable=len(rows) < PROGRESS_FROM
    ):
        try:
            result = measure(row)
        except ShimingError as error:
            result = error.to_json()
        typer.echo(json.dumps({**row, **result}, ensure_ascii=False))


def read_pairs(pairs: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV with or without a header line; relative files are looked up beside it too."""
    if not pairs.is_file():
        raise _pairs_refused("PAIRS_FILE_ABSENT", "找不到清单文件。", "The file of pairs is not there.")
    with pairs.open(encoding="utf-8-sig", newline="") as stream:
        for number, cells in enumerate(csv.reader(stream)):
            if number == 0 and tuple(cell.strip() for cell in cells) == columns:
                continue
            if not cells:
                continue
            if len(cells) != len(columns) or number > PAIRS_MAX:
                raise _pairs_refused(
                    "PAIRS_FILE_INVALID",
                    f"第 {number + 1} 行应为 {','.join(columns)}。",
                    f"Row {number + 1} should be {','.join(columns)}.",
                )
            yield dict(zip(columns, (located(cell.strip(), pairs.parent) for cell in cells), strict=True))


def located(cell: str, folder: Path) -> str:
    """Return the path beside the CSV when it is there and not in the working folder."""
    beside = folder / cell
    return str(beside) if beside.is_file() and not Path(cell).is_file() else cell


def waiting(what: str) -> Any:
    """Show on the terminal that recognition is at work; nothing where the output goes to a program."""
    from rich.console import Console

    return Console(stderr=True).status(what)


def show(result: dict[str, Any], *, as_json: bool) -> None:
    """Print a measurement for a program or for a person."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    from rich.console import Console

    Console().print_json(json.dumps(result, ensure_ascii=False))


def _two_needed() -> BadInput:
    return BadInput(
        "ARGUMENTS_MISSING",
        Text(zh="缺少参数。", en="Something to measure is missing."),
        advice=Text(zh="见 --help。", en="See --help."),
    )


def _pairs_refused(code: str, zh: str, en: str) -> BadInput:
    return BadInput(code, Text(zh=zh, en=en), advice=Text(zh="见 --help。", en="See --help."))
