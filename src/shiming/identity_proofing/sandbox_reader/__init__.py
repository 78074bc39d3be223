"""A pretended card reader with invented cards: what it reads proves nothing about anybody."""
