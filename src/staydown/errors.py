"""The root of every error that Staydown raises on purpose.

The tree: StaydownError, then one base per package (FingerprintError, MatchingError, JournalError, ...),
each documented at the top of that package's errors.py. Errors carry ids and terms, never names,
addresses, fingerprints or free text from a person.
"""


class StaydownError(Exception):
    """Something that Staydown anticipated; a door maps it to a page or a problem response."""
