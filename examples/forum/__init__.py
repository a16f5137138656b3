"""Harbour: a small picture forum that protects itself with Staydown's public SDK and nothing else."""
