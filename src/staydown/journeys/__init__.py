"""One user action, one transaction: the only place where stages meet."""
