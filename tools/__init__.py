"""Programs that make things for the project: specimens, models, checks. Not part of the product."""
