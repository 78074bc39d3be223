"""Pages for staff who serve organisations: papers and people, contracts, lines and their actual users."""
