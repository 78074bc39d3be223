"""What may be done with a line that somebody holds: change of holder, porting, a new SIM, moving, terms."""
