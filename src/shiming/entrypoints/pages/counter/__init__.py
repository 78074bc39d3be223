"""The clerk's counter: from what is opened to the receipt in the customer's hand, one page a step.

The server's state alone says which step is next (`journey.step_of`); nothing is remembered in the browser but
two short-lived cookies (`short_lived`). Agents use the same pages on a telephone.
"""
