"""Fingerprints (never pictures) of what a platform hosts, to find copies after a takedown."""
