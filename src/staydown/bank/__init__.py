"""Fingerprints to keep down: where they came from, what they may do, when that ended."""
