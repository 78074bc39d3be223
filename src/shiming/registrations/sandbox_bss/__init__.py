"""A pretended BSS for rehearsal: TMF641 and TMF638 over HTTP, a store of its own, faults on demand."""
