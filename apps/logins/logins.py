"""What each user did between login and logout, from a directory of logs."""

from bytewax.connectors.files import DirSink, DirSource
from bytewax.dataflow import Dataflow

Session = list[str]  # actions, in order


def parse(line: str) -> tuple[str, Session] | None:
    """Turn `TIME USER ACTION` into the user and the begin of a session; None for a comment."""
    if not line or line.startswith("#"):
        return None
    time, user, action = line.split()
    return user, [f"{time} {action}"]


def append(session: Session, later: Session) -> Session:
    """Add what came later to a session."""
    return session + later


def is_over(session: Session) -> bool:
    """Tell whether the user has logged out."""
    return session[-1].endswith(" logout")


def show(item: tuple[str, Session]) -> tuple[str, str]:
    """Write a session as a line, with the user as key."""
    user, session = item
    return user, f"{user}: {', '.join(session)}"


def make_flow(logs: str, out: str) -> Dataflow:
    """Read all logs of a directory, and write sessions to two files of another."""
    flow = Dataflow()
    flow.input("logs", DirSource(logs, "*.log"))
    flow.filter_map("parse", parse)
    flow.reduce("session", append, is_over)
    flow.map("show", show)
    flow.output("sessions", DirSink(out, 2))
    return flow
