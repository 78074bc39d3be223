"""Find a card in a photo: by the direction of its text, by its edges, by the extent of its text."""
