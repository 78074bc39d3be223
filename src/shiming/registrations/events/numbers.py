"""Facts about numbers of a pool, as they stand in the outbox: the number itself is a keyed name."""

NUMBER_RESERVED = "number.reserved"  # number (keyed), held_for
NUMBER_RELEASED = "number.released"  # number (keyed), held_for
NUMBER_RESTS = "number.rests"  # line
NUMBERS_FREED = "numbers.freed"  # count; reservations and rests that ran out
NUMBER_BLOCKS_ADDED = "number_blocks.added"  # blocks, excluded, numbers
