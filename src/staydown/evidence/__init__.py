"""What a depicted person keeps as evidence, locked so that nobody here can read it."""
