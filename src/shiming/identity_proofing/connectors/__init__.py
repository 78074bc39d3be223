"""Ways to ask an identity authority."""
