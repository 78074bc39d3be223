"""An import-linter contract: other features enter a feature only by its front door.

The front door is `use_cases`, `model`, `events`, `errors`, `permissions` (and what lies below them in the
same file name).
`entrypoints` is exempt: it wires everything.
"""

from typing import Any

from importlinter import Contract, ContractCheck, fields, output

FRONT_DOOR = {"use_cases", "model", "events", "errors", "permissions"}


class FrontDoorContract(Contract):
    """`features`: packages that may be entered only through their front door."""

    type_name = "front_door"
    features = fields.ListField(subfield=fields.StringField())

    def check(self, graph: Any, verbose: bool) -> ContractCheck:  # noqa: ARG002 - the library's signature
        """List every import that goes through a wall."""
        through_walls = []
        for feature in self.features:  # type: ignore[attr-defined] # the field becomes a list
            inside = {feature, *graph.find_descendants(feature)}
            for module in inside:
                room = module.removeprefix(feature).lstrip(".").split(".")[0]
                importers = graph.find_modules_that_directly_import(module)
                through_walls += [
                    f"{importer} imports {module}"
                    for importer in importers
                    if importer not in inside and room not in FRONT_DOOR and ".entrypoints" not in importer
                ]
        return ContractCheck(kept=not through_walls, metadata={"through_walls": sorted(through_walls)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the list."""
        for line in check.metadata["through_walls"]:
            output.print_error(line)
