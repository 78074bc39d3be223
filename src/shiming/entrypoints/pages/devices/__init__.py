"""Pages of capture devices: enrolling and revoking them, and the card reader beside a session."""
