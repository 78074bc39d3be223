"""`shiming models`: which recognition models are here, are they genuine, and putting in your own."""

import json
from pathlib import Path
from typing import Annotated

import typer

from shiming.recognition.model_files import ModelFiles, ModelStatus, default_store, sha256_of

app = typer.Typer(
    no_args_is_help=True,
    help="Recognition models: list them with licence and card, verify their hashes, add your own.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List every model: purpose, version, licence, and whether its file is here and unaltered.

    Example: shiming models list
    """
    files = ModelFiles()
    rows = [{**entry.to_json(), "status": files.status(entry.name).value} for entry in files.entries()]
    if as_json:
        typer.echo(json.dumps({"store": str(files.store), "models": rows}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "purpose", "version", "licence", "file")
    for row in rows:
        table.add_row(*(str(row[key]) for key in ("name", "purpose", "version", "licence", "status")))
    Console().print(table)


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Hash every model file and compare with the manifest. Exit code 3 when a needed one is not right.

    Example: shiming models verify
    """
    files = ModelFiles()
    found = {entry.name: files.status(entry.name) for entry in files.entries()}
    needed = {entry.name for entry in files.entries() if not entry.optional}
    bad = sorted(name for name, status in found.items() if status is not ModelStatus.VERIFIED)
    if as_json:
        typer.echo(json.dumps({"verified": not bad, "models": {name: found[name].value for name in found}}))
    elif bad:
        typer.echo("\n".join(f"{name}: {found[name].value}" for name in bad))
        typer.echo("Run `make setup` to put the files back.")
    else:
        typer.echo(f"{len(found)} models verified in {files.store}")
    raise typer.Exit(3 if needed & set(bad) else 0)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The ONNX file.")],
    role: Annotated[str, typer.Option(help="The role that it fills, for example face_embedding.")],
    version: Annotated[str, typer.Option(help="Name and version, cited by every decision receipt.")],
    licence: Annotated[str, typer.Option(help="The licence that you hold.")],
    sha256: Annotated[str, typer.Option(help="The hash that the supplier published.")] = "",
    source: Annotated[str, typer.Option(help="Where it comes from.")] = "supplied by the operator",
    as_json: AsJson = False,
) -> None:
    """Put your own model in a role, after checking its hash and its input and output shapes.

    Example: shiming models add vendor.onnx --role face_embedding --version vendor-3 --licence ours
    """
    from shiming.recognition.model_registration import OperatorModel, add_model

    stated = sha256 or (sha256_of(file) if file.is_file() else "")
    model = OperatorModel(
        file=file, role=role, version=version, licence=licence, source=source, sha256=stated
    )
    entry = add_model(model, default_store())
    if as_json:
        typer.echo(json.dumps(entry.to_json(), ensure_ascii=False))
    else:
        typer.echo(f"{entry.name} is now {entry.version} (sha256 {entry.sha256[:12]}...)")
        typer.echo("Thresholds in the policy pack were chosen for the shipped model: evaluate before use.")
