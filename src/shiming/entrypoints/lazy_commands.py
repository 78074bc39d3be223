"""A command group that imports a feature's commands only when one of them is run.

`shiming --help` lists every command without importing recognition engines or the database.
"""

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

# command -> (module that owns it, one line for the list)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("shiming.entrypoints.demo", "Run the main job on shipped specimens and tell the story."),
    "tour": ("shiming.entrypoints.tour", "Look around in your browser; everything is deleted on exit."),
    "challenge": ("shiming.identity_proofing.commands", "Draw a live challenge: gestures and digits."),
    "prove": ("shiming.identity_proofing.commands", "Prove that a living person holds a document."),
    "orders": ("shiming.registrations.commands.orders", "What is asked for with one proof."),
    "applicant-links": ("shiming.registrations.commands.applicant_links", "An order on one's own phone."),
    "terms": ("shiming.registrations.commands.terms", "Terms of service by version."),
    "confirmations": ("shiming.registrations.commands.confirmations", "Customers confirm what is opened."),
    "reader": ("shiming.identity_proofing.reader_commands", "Read resident cards for a session."),
    "register": ("shiming.registrations.commands.registrations", "Register a number for a proven person."),
    "receipts": ("shiming.entrypoints.receipt_commands", "Receipts: give out, verify, explain, replay."),
    "lines": ("shiming.registrations.commands.lines", "Registered lines, their status and stops."),
    "representatives": ("shiming.registrations.commands.representatives", "Who acts for a holder."),
    "holder-clocks": ("shiming.registrations.commands.holder_clocks", "Coming of age, documents that end."),
    "repudiations": ("shiming.registrations.commands.repudiations", "Lines that are said not to be theirs."),
    "notices": ("shiming.registrations.commands.notices", "What holders are told, and who was reached."),
    "organisations": ("shiming.registrations.commands.organisations", "Organisations that hold lines."),
    "enterprise": ("shiming.registrations.commands.enterprise", "Lines of organisations and their users."),
    "reviews": ("shiming.registrations.commands.reviews", "Enhanced reviews of lines above a cap."),
    "numbers": ("shiming.registrations.commands.numbers", "An operator's pool of numbers."),
    "sims": ("shiming.registrations.commands.sims", "SIM cards and eSIM profiles."),
    "key-services": ("shiming.registrations.commands.key_services", "Key voice services, their number sets."),
    "iot": ("shiming.registrations.commands.iot", "Industry cards: contracts, stock, sale, reports."),
    "transfers": ("shiming.transfers.commands.transfers", "Change holders, replace SIMs, move, port."),
    "bss": ("shiming.registrations.commands.bss", "Where operators' networks take orders (TMF641)."),
    "provisioning": ("shiming.registrations.commands.provisioning", "Orders to operators' networks."),
    "packs": ("shiming.entrypoints.pack_commands", "Read, compare and simulate the rules of a jurisdiction."),
    "measure": ("shiming.entrypoints.measure", "Measure a document, faces, a clip or spoken digits."),
    "models": ("shiming.recognition.commands", "List, verify and add recognition models."),
    "evidence": ("shiming.privacy.commands", "See what is kept of a case; never its content."),
    "disclosures": ("shiming.privacy.disclosure_commands", "Ask for, approve and execute disclosures."),
    "ledger": ("shiming.privacy.ledger_commands", "Seal, verify and prove the tamper-evident ledger."),
    "kek": ("shiming.privacy.key_commands", "List, make and rotate the keys that wrap all data keys."),
    "db": ("shiming.entrypoints.database_commands", "Create, upgrade, check, back up, restore the database."),
    "up": ("shiming.entrypoints.serve_commands", "Run the HTTP API and a worker on one machine."),
    "serve": ("shiming.entrypoints.serve_commands", "Run the HTTP API."),
    "worker": ("shiming.entrypoints.worker_commands", "Seal, erase, relay and deliver until told to stop."),
    "jobs": ("shiming.entrypoints.job_commands", "See jobs; retry or discard dead letters."),
    "webhooks": ("shiming.entrypoints.webhook_commands", "Receivers of events, their secrets, replay."),
    "accounts": ("shiming.accounts.commands", "Create, change and disable accounts of staff."),
    "devices": ("shiming.accounts.device_commands", "Enrol, list and revoke capture devices."),
    "clients": ("shiming.accounts.client_commands", "Create, list and disable machine clients of the API."),
    "sandbox": ("shiming.entrypoints.sandbox_commands", "Run a stand-in authority or BSS for rehearsal."),
}
#: The headings of the list, each with the first command under it.
PANELS = {
    "demo": "The main job",
    "representatives": "Holders",
    "numbers": "Numbers, cards, services",
    "packs": "Rules and recognition",
    "evidence": "What is kept",
    "db": "Running an installation",
}


class LazyGroup(TyperGroup):
    """Knows the names and one-line summaries; loads the command when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base class's signature
        """Return the names in the order of the main job."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base class's signature
        """Return a stand-in that carries the summary for lists; `resolve_command` brings the real one."""
        if cmd_name not in COMMANDS:
            return None
        names = list(COMMANDS)
        above = names[: names.index(cmd_name) + 1]
        panel = next(PANELS[name] for name in reversed(above) if name in PANELS)
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1], rich_help_panel=panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the feature that owns the command."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, (load(name) if name and command else command), rest


def load(name: str) -> Any:
    """Import the module that owns `name` and return its command or command group."""
    module = importlib.import_module(COMMANDS[name][0])
    found = getattr(module, name, None)
    command = typer.main.get_command(found if isinstance(found, typer.Typer) else module.app)
    return getattr(command, "commands", {}).get(name, command)
