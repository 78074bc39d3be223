"""Makes the specimens: invented people, their documents, photographs, clips and voices. All deterministic."""
