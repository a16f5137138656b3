"""Removal requests: their elements, their clock and their states."""
