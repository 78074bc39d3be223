"""Error rates of spoken digits, on speakers that the net under test has never heard."""
