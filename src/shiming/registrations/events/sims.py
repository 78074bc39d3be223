"""Facts about cards, as they stand in the outbox; no ICCID and no IMSI."""

SIM_ASSIGNED = "line.sim_assigned"  # line, position, form
SIM_REPLACED = "line.sim_replaced"  # line, position, form
SIMS_ADDED = "sims.added"  # count
