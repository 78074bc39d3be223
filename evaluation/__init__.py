"""Error rates with confidence intervals, on the material at hand. Not part of the installed package."""
