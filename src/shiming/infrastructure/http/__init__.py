"""What every HTTP route of Shiming shares: who asks, what is answered, problems, pages, limits, uploads."""
