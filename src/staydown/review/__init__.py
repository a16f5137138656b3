"""Who works on which request, what was decided and why."""
