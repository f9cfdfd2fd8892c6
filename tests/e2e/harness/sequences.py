"""The oracle of recovery: for each key the numbers 1, 2, 3, ..."""

from collections.abc import Hashable, Iterable


class Sequences:
    """Checks the outputs of servers that are killed, as they come.

    last: the number that each key has reached. total: how many outputs there were, each counted
    once. repeated: how many came again.
    """

    def __init__(self) -> None:
        self.last: dict[Hashable, int] = {}
        self.total = 0
        self.repeated = 0
        self.begin_life()

    def add(self, key: Hashable, number: int) -> None:
        """An output that may neither be repeated nor leave one out."""
        last = self.last.get(key, 0)
        assert number == last + 1, f"key {key!r}: {number} follows {last}"
        self.last[key] = number
        self.total += 1

    def add_life(self, outputs: Iterable[tuple[Hashable, int]]) -> None:
        """All outputs of one server: may begin with some that came before, and leaves none out."""
        self.begin_life()
        for key, number in outputs:
            self.add_again(key, number)

    def begin_life(self) -> None:
        """Another server begins."""
        self._life: dict[Hashable, int] = {}

    def add_again(self, key: Hashable, number: int) -> None:
        """The next output of this server; the first ones of a key may have come before."""
        last = self.last.get(key, 0)
        if key in self._life:
            before = self._life[key]
            assert number == before + 1, f"key {key!r}: {number} follows {before}"
        else:
            assert number <= last + 1, f"key {key!r}: begins with {number} after {last}"
        self._life[key] = number
        if number <= last:
            self.repeated += 1
        else:
            self.last[key] = number
            self.total += 1
