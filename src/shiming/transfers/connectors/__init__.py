"""Ways to ask billing and the operator that gives a number up."""
