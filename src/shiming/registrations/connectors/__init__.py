"""Outside systems that registration talks to."""
