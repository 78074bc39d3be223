"""Subscribers by HTTP: signed deliveries of events (Standard Webhooks), their secrets, retries and replay."""
