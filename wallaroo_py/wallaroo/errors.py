"""The error that a wrong argument or a wrong topology raises."""


class WallarooParameterError(Exception):
    """One or more mistakes in how an application was put together.

    Each argument is one mistake, a full sentence that names its place. `str()` of the error is
    the mistake itself, or a numbered list when there are several.
    """

    @property
    def mistakes(self) -> tuple[str, ...]:
        """Every mistake, in the order in which the application made them."""
        return tuple(str(mistake) for mistake in self.args)

    def __str__(self) -> str:
        mistakes = self.mistakes
        if len(mistakes) < 2:
            return "".join(mistakes)
        lines = [f"  {number}. {text}" for number, text in enumerate(mistakes, 1)]
        return "\n".join([f"{len(mistakes)} mistakes:", *lines])
