"""The door for the depicted person: pages that take fingerprints and never files."""
