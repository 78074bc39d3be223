"""What transfers asks of others: the operator's billing, the operator that gives a number up."""
