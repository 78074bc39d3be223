"""Pages of the guided tour; only `shiming tour` serves them."""
