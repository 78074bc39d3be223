"""Facts about key voice services, as they stand in the outbox."""

NUMBER_AUTHORISED = "number_set.number_added"
NUMBER_WITHDRAWN = "number_set.number_withdrawn"
