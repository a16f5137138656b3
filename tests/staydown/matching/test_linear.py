"""The readable twin does what any index must do.

Covers: staydown.matching.linear, staydown.matching.arrays.
"""

from staydown.matching.linear import LinearIndex
from tests.staydown.matching.search_contract import SearchContract


class TestLinearIndex(SearchContract):
    def make(self):
        return LinearIndex()
