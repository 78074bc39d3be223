"""Spoken digits: was the claimed digit string said? Measurements for the policy to judge."""
