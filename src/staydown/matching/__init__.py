"""Index, distance search and action rule. Pure."""
