"""`shiming packs`: the commands about rules, and `simulate`, which asks a store what other rules would mean.

The rules know no store; so this one command is added here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shiming.jurisdictions.commands import AsJson, Language, On, PackName, app, day_of
from shiming.vocabulary.errors import BadInput, Text

if TYPE_CHECKING:
    from shiming.entrypoints.pack_simulation import CapEffect, Simulation
    from shiming.jurisdictions.model import CapPolicy

__all__ = ["app"]
DATABASE_FILE = "shiming.db"


@app.command()
def simulate(
    context: typer.Context,
    pack: PackName,
    *,
    over: Annotated[str, typer.Option("--over", metavar="STORE", help="A data folder or a database URL.")],
    on: On = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="The rules of today; the installation's pack if not given."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Suppose a value; several are allowed."),
    ] = None,
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Say how many holders and lines of a store other rules would affect; nothing is written, nobody named.

    Example: shiming packs simulate cn --over ./data --set caps.cards.lines_per_holder_max=3
    """
    from shiming.entrypoints.pack_simulation import holders_in, simulate
    from shiming.infrastructure.database import open_database, reading
    from shiming.jurisdictions.pack_reader import policy_on, read_pack
    from shiming.jurisdictions.pack_supposition import supposing

    day = day_of(on)
    before = policy_on(read_pack(against or context.obj().settings.pack), day)
    after = policy_on(supposing(read_pack(pack), setting or (), day), day)
    engine = open_database(store_url(over))
    try:
        with reading(engine) as connection:
            outcome = simulate(before, after, holders_in(connection))
    finally:
        engine.dispose()
    if as_json:
        typer.echo(json.dumps(outcome.to_json(), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(in_words(outcome, language)))


def store_url(text: str) -> str:
    """Return the database URL of a store; raise BadInput for a folder or a file that is not there."""
    if "://" in text and not text.startswith("sqlite:"):
        return text
    file = Path(text.removeprefix("sqlite:///")) if "://" in text else Path(text) / DATABASE_FILE
    if not file.is_file():
        raise BadInput(
            "STORE_UNKNOWN",
            Text(zh="这里没有数据库。", en="There is no database in this place."),
            Text(
                zh="请给出含 shiming.db 的数据目录或数据库地址。",
                en="Name a data folder with shiming.db in it, or a database URL.",
            ),
            {"store": text.rpartition("@")[2]},
        )
    return f"sqlite:///{file}"


def in_words(outcome: "Simulation", language: str) -> Iterator[str]:
    """Yield the answer as sentences."""
    chinese = language.startswith("zh")
    before, after = outcome.before, outcome.after
    yield f"{before.pack_id} {before.on} → {after.pack_id} {after.on}   {after.content_hash}"
    if chinese:
        yield f"在用线路{outcome.lines}条，持有人{outcome.holders}个（人或单位）。"
        yield f"受影响：{outcome.holders_affected}个持有人，{outcome.lines_affected}条线路。"
    else:
        yield f"{outcome.lines} lines are in use, of {outcome.holders} holders (people or organisations)."
        yield f"Affected: {outcome.holders_affected} holders, {outcome.lines_affected} lines."
    for effect in outcome.caps.values():
        if effect.holders_affected or _said_cap(effect.before, language) != _said_cap(effect.after, language):
            yield _cap_in_words(effect, language)
    for product in outcome.products.values():
        if chinese:
            yield (
                f"{product.product}：{product.holder.value}不得再持有；"
                f"{product.holders_affected}个持有人，{product.lines_affected}条线路。"
            )
        else:
            yield (
                f"{product.product}: no longer for a holder of kind {product.holder.value}; "
                f"{product.holders_affected} holders, {product.lines_affected} lines."
            )


def _cap_in_words(effect: "CapEffect", language: str) -> str:
    before, after = _said_cap(effect.before, language), _said_cap(effect.after, language)
    if language.startswith("zh"):
        return (
            f"上限 {effect.name} 由{before}改为{after}："
            f"{effect.holders_affected}个持有人，{effect.lines_affected}条线路超出。"
        )
    return (
        f"If the cap {effect.name} goes from {before} to {after}: "
        f"{effect.holders_affected} holders, {effect.lines_affected} lines above it."
    )


def _said_cap(cap: "CapPolicy | None", language: str) -> str:
    from shiming.jurisdictions.explanations import labels

    if cap is None:
        return "无上限" if language.startswith("zh") else "none"
    scope: Any = labels().terms[f"CapScope.{cap.scope.value.value}"].in_language(language)
    return f"{cap.lines_per_holder_max.value} ({scope})"
