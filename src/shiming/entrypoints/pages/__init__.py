"""Pages for people: one package an area, rendered on the server. How one is made: docs/how-to/pages.md."""
