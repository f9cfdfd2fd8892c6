"""What a `with` closes at its end."""

from typing import Self


class Closing:
    """A base for what has close()."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; never fails when it has ended."""
        raise NotImplementedError
