"""What is checked about a person, one numbered recipe a module."""
