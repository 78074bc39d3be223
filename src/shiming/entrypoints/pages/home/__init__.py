"""Pages for people at home: an order or a line of theirs by a link, and what they are asked to confirm."""
