"""Staff and their roles, platforms and their tokens, receipts' verifiers, throttles."""
