"""Readers of second-generation resident cards (GA 450, the "SDT" protocol of their SAM), over a serial line.

`frames` (bytes) and `card_text` (the text block) are pure; `reader` speaks; `lines` are the wires.
"""
