"""Rules for every test: nothing in this process talks to anything but this machine's loopback.

Browsers and servers that a test starts are processes of their own, which this does not hold; they are given
loopback addresses only.
"""

import sys

from tests.loopback_only import refuse_the_network

sys.addaudithook(refuse_the_network)
