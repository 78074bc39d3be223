"""The verbs of registration. Each runs inside one transaction: all of it happens, or nothing."""
