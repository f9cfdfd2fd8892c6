"""Run dataflows from the command line: `python -m bytewax.run module:flow`.

Implemented in `wallaroo.flows.run`, which has the whole story.
"""

from wallaroo.flows.run import (
    cli_main,
    main,
)

__all__ = [
    "cli_main",
]


if __name__ == "__main__":
    main()
