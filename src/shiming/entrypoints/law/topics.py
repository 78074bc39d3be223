"""Every topic that scenarios can be about: the modules of this package with `Given` and `conclude`."""

import importlib
import pkgutil

from shiming.entrypoints import law
from shiming.jurisdictions.scenarios import OWN_TOPICS, Topic, Topics


def all_topics() -> Topics:
    """Return the topics by name: those of jurisdictions, and one a module of this package."""
    names = [found.name for found in pkgutil.iter_modules(law.__path__)]
    modules = {name: importlib.import_module(f"{law.__name__}.{name}") for name in names}
    found = {
        name: Topic(module.Given, module.conclude)
        for name, module in modules.items()
        if hasattr(module, "Given") and hasattr(module, "conclude")
    }
    return {**OWN_TOPICS, **found}
