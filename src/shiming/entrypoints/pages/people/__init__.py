"""Pages of the counter for people who are not alone there: the customer's phone, proxies, guardians."""
