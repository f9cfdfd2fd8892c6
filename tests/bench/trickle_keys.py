"""The application of the trickle benchmark: that of restore_keys, without Python's collector.

Its full passes over a million new states take 0.2 s each, with recovery or without.
"""

import gc

from restore_keys import application_setup

__all__ = ["application_setup"]

gc.disable()
