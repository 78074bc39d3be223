"""The staff desk: what waits, companies, numbers, lines, jobs, rules, accounts, the record of it all."""
