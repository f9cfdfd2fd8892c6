"""ApplicationBuilder: puts an application's pipelines together, step by step."""

from __future__ import annotations

from . import checks
from .builder_notes import BuilderNotes
from .endpoints import read_endpoint
from .errors import WallarooParameterError
from .old_keywords import also_named
from .pipeline import Pipeline
from .places import describe, shorten
from .state import StateBuilder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Self

    from .endpoints import Role


class ApplicationBuilder(BuilderNotes):
    """Collects pipelines (a source, steps, sinks) and returns them as topology tuples.

    Every method returns the builder, so that calls can be chained. Mistakes are remembered with
    their place (`file:line`, pipeline, step) and reported together by `build()`.

    name: the application's name, a non-empty str.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._actions: list[tuple[Any, ...]] = [("name", name)]
        self._pipelines: dict[str, Pipeline] = {}
        self._states: dict[str, tuple[StateBuilder, list[Any] | None]] = {}
        self._has_sink = False
        if not isinstance(name, str) or not name:
            self._mistake(f"The application's name must be a non-empty str, got {shorten(name)}")

    def new_pipeline(self, name: str, source_config: Any) -> Self:
        """Begin a pipeline.

        name: a non-empty str, unique in the application.
        source_config: a TCPSourceConfig, a KafkaSourceConfig (or a parser that makes one), or a
        tuple like `("tcp", host, port, decoder)`.
        The pipeline before it must have ended, by a sink or by `done()`.
        """
        if self._current is not None and self._current.is_open:
            self._mistake(
                f"This pipeline is not closed: call to_sink(), to_sinks() or done() before "
                f"new_pipeline({shorten(name)})"
            )
        self._current = Pipeline(name)
        if not isinstance(name, str) or not name:
            self._mistake(f"The pipeline's name must be a non-empty str, got {shorten(name)}")
        elif name in self._pipelines:
            self._mistake(
                f"A pipeline named {name!r} is defined more than once. "
                "Please use unique names for your pipelines."
            )
        else:
            self._pipelines[name] = self._current
        source = self._endpoint("new_pipeline", source_config, "source")
        self._actions.append(("new_pipeline", name, source))
        return self

    def to(self, computation: Any) -> Self:
        """Add a stateless step.

        computation: made by `@wallaroo.computation` or `@wallaroo.computation_multi`, or an object
        (or class) with the methods `name()` and `compute(data)` or `compute_multi(data)`.
        """
        return self._stateless("to", computation)

    def to_parallel(self, computation: Any) -> Self:
        """Add a stateless step that runs on every worker. See `to` for the argument."""
        return self._stateless("to_parallel", computation)

    @also_named(state="state_class", state_builder="state_class")
    def to_stateful(self, computation: Any, state_class: Any, state_name: str) -> Self:
        """Add a step with one state object for all records.

        computation: made by `@wallaroo.state_computation` or `@wallaroo.state_computation_multi`,
        or an object (or class) with `name()` and `compute(data, state)` or `compute_multi`.
        state_class: a class or callable that makes the state without arguments, or an object with
        the method `build()`.
        state_name: a non-empty str; steps that use one name share the state, across pipelines too.
        """
        self._step("to_stateful", computation, stateful=True)
        builder = self._state("to_stateful", computation, state_class, state_name, None)
        self._actions.append(("to_stateful", computation, builder, state_name))
        return self

    @also_named(state_class="state", state_builder="state", state_name="state_partition_name")
    def to_state_partition(
        self,
        computation: Any,
        state: Any,
        state_partition_name: str,
        partition_function: Any,
        partition_keys: list[Any] | None = None,
    ) -> Self:
        """Add a step with one state object for each key.

        computation: as in `to_stateful`.
        state: as `state_class` in `to_stateful`; makes one state object per key.
        state_partition_name: a non-empty str; steps that use one name share the states of all keys.
        partition_function: made by `@wallaroo.partition`, or an object with `partition(data)`,
        which returns the record's key.
        partition_keys: a list of different hashable keys. Without it (or with an empty list), the
        state of a key is made when its first record comes.
        """
        return self._partitioned(
            "to_state_partition",
            computation,
            state,
            state_partition_name,
            partition_function,
            partition_keys,
        )

    @also_named(
        state="state_builder", state_class="state_builder", state_name="state_partition_name"
    )
    def to_state_partition_u64(
        self,
        computation: Any,
        state_builder: Any,
        state_partition_name: str,
        partition_function: Any,
        partition_keys: list[int] | None = None,
    ) -> Self:
        """Add a step with one state object for each key, where keys are ints of 0 or more.

        The arguments are those of `to_state_partition`.
        """
        return self._partitioned(
            "to_state_partition_u64",
            computation,
            state_builder,
            state_partition_name,
            partition_function,
            partition_keys,
        )

    def to_window(
        self,
        name: str,
        clock: Any,
        windows: Any,
        partition_function: Any,
        builder: Callable[..., Any] | None = None,
        folder: Callable[[Any, Any], Any] | None = None,
        *,
        reducer: Callable[[Any, Any], Any] | None = None,
    ) -> Self:
        """Add a step that groups the records of each key by time.

        When a window closes, the next step gets `(key, (metadata, result))`; `metadata.open_time`
        and `.close_time` are datetimes. It closes when a record or the time that passes moves the
        key's watermark past its end. Records that come later are counted and logged.

        name: a non-empty str, unique among the windows and states of the application, under which
        open windows are stored.
        clock: an EventClockConfig (the record's own time) or SystemClockConfig.
        windows: a TumblingWindow, SlidingWindow or SessionWindow.
        partition_function: as in `to_state_partition`; the key must be a str.
        builder, folder: the result is `folder(result, record)` for each record in the order of
        arrival, beginning with `builder()`, or `builder(key)` if it needs an argument.
        reducer: in their place, `reducer(result, record)`; a window's first record is the first
        result. Without any of them the result is the list of records in the order of their times.
        """
        from .window_step import window_action

        action, mistakes = window_action(
            name, clock, windows, partition_function, (builder, folder, reducer)
        )
        self._check_position("to_window", name)
        if self._current is not None and self._current.add_step(name, action) is not None:
            mistakes.append(
                f"A computation named {name!r} is defined more than once. "
                "Please use unique names for your steps."
            )
        for text in mistakes:
            self._mistake(text, "to_window", name)
        self._actions.append(action)
        return self

    def to_sink(self, sink_config: Any) -> Self:
        """End the pipeline with a sink.

        sink_config: a TCPSinkConfig, a KafkaSinkConfig (or a parser that makes one), a tuple like
        `("tcp", host, port, encoder)`, or a storage sink: anything with the members of `IntoSink`.
        """
        self._sink_step("to_sink")
        sink = self._endpoint("to_sink", sink_config, "sink")
        self._actions.append(("to_sink", sink))
        return self

    def to_sinks(self, sink_configs: Iterable[Any]) -> Self:
        """End the pipeline with several sinks, each of which gets every output.

        sink_configs: a list, not empty, of what `to_sink` takes.
        """
        self._sink_step("to_sinks")
        if isinstance(sink_configs, (str, bytes)) or not hasattr(sink_configs, "__iter__"):
            self._mistake(f"to_sinks() takes a list of sinks, got {shorten(sink_configs)}")
            return self
        configs = list(sink_configs)
        if isinstance(sink_configs, tuple) and configs and isinstance(configs[0], str):
            self._mistake(
                f"to_sinks() takes a list of sinks, got the one sink {shorten(sink_configs)}"
            )
            return self
        if not configs:
            self._mistake("to_sinks() got an empty list: it needs at least one sink")
        sinks = [self._endpoint("to_sinks", config, "sink") for config in configs]
        self._actions.append(("to_sinks", sinks))
        return self

    def to_router(
        self, branches: dict[str, tuple[Callable[[Any], Any], Any]], default: Any = None
    ) -> Self:
        """End the pipeline with several sinks, one of which gets each output.

        branches: name -> (predicate, sink), not empty. An output goes to the first sink, in this
        order, whose `predicate(data)` is true. sink: what `to_sink` takes, unless it says
        `router_branch_safe = False`.
        default: the sink for outputs for which no predicate holds; without one they become dead
        letters.
        """
        self._sink_step("to_router")
        if not isinstance(branches, dict) or not branches:
            self._mistake(
                f"to_router() takes a dict {{name: (predicate, sink)}}, got {shorten(branches)}"
            )
            return self
        read = [self._branch(name, branch) for name, branch in branches.items()]
        last = None if default is None else self._branch_sink("default", default)
        self._actions.append(("to_router", read, last))
        return self

    def done(self) -> Self:
        """Close the pipeline: it needs no sink when its steps only update state.

        After a sink, which closes the pipeline as well, it changes nothing.
        """
        if self._current is None:
            self._mistake("done() without a pipeline: call new_pipeline() first")
        elif self._current.is_done:
            self._mistake("done() without a pipeline: this one is already closed")
        else:
            self._current.close()
        self._actions.append(("done",))
        return self

    def build(self) -> list[tuple[Any, ...]]:
        """Return the topology: `("name", name)`, then one tuple for each call, in order.

        Raises WallarooParameterError with all mistakes made so far: its text lists each with its
        place, its `mistakes` holds them one by one.
        """
        mistakes = list(self._mistakes)
        if self._current is not None and self._current.is_open:
            mistakes.append(
                "The last pipeline is not closed: call to_sink(), to_sinks() or done(). "
                f"({self._context()})"
            )
        if not self._has_sink:
            hint = "the application has no pipeline: call new_pipeline()"
            if self._current is not None:
                hint = "call to_sink() or to_sinks()"
            mistakes.append(
                f"At least one pipeline must define a sink ({self._application()}; {hint})"
            )
        if mistakes:
            raise WallarooParameterError(*mistakes)
        return list(self._actions)

    def _stateless(self, method: str, computation: Any) -> Self:
        self._step(method, computation, stateful=False)
        self._actions.append((method, computation))
        return self

    def _partitioned(
        self,
        method: str,
        computation: Any,
        state: Any,
        state_name: str,
        partition_function: Any,
        partition_keys: list[Any] | None,
    ) -> Self:
        self._step(method, computation, stateful=True)
        keys: Any = [] if partition_keys is None else partition_keys
        if isinstance(keys, list):
            keys = list(keys)  # the application may go on to change its own list
        found = list(checks.key_list_mistakes(keys))
        if method.endswith("_u64"):
            found.extend(checks.u64_key_mistakes(keys))
        found.extend(checks.partition_mistakes(partition_function))
        for text in found:
            self._mistake(text, method, checks.step_name(computation))
        builder = self._state(method, computation, state, state_name, keys)
        self._actions.append((method, computation, builder, state_name, partition_function, keys))
        return self

    def _step(self, method: str, computation: Any, *, stateful: bool) -> None:
        """Check that a step may stand here, and its computation."""
        name = checks.step_name(computation)
        self._check_position(method, name)
        namesake = None
        if self._current is not None:
            namesake = self._current.add_step(name, computation)
        if not checks.has_own_name(computation):
            namesake = None
        for text in checks.computation_mistakes(computation, stateful=stateful):
            self._mistake(text, method, name)
        if namesake is not None:
            self._mistake(
                f"A computation named {name!r} is defined more than once. "
                "Please use unique names for your steps. "
                f"({describe(namesake)} and {describe(computation)})",
                method,
                name,
            )

    def _sink_step(self, method: str) -> None:
        self._check_position(method)
        self._has_sink = True
        if self._current is not None:
            self._current.end_in_sink()

    def _state(
        self, method: str, computation: Any, state: Any, name: Any, keys: Any
    ) -> StateBuilder:
        """Check a step's state against the other steps that use its name."""
        builder = StateBuilder(name, state)
        found = [*checks.state_mistakes(state), *checks.state_name_mistakes(name)]
        if not found and (keys is None or isinstance(keys, list)):
            other, other_keys = self._states.setdefault(name, (builder, keys))
            if not other.same_type_as(builder):
                found.append(
                    f"A state with the name {name!r} has already been defined with an different "
                    f"type {other.state_cls}, instead of {state}."
                )
            if other_keys != keys:
                found.append(
                    f"A state with the name {name!r} has already been defined with an different "
                    f"paritioning scheme {shorten(other_keys)}, instead of {shorten(keys)}."
                )
        for text in found:
            self._mistake(text, method, checks.step_name(computation))
        return builder

    def _endpoint(self, method: str, config: Any, role: Role) -> Any:
        """Return the tuple of a source or sink configuration; TCP and Kafka ones are checked."""
        endpoint, mistake = read_endpoint(config, role)
        if mistake:
            self._mistake(mistake, method)
        return endpoint

    def _branch(self, name: Any, branch: Any) -> tuple[Any, Any, Any]:
        if not isinstance(name, str) or not name:
            self._mistake(f"A branch's name must be a non-empty str, got {shorten(name)}")
        if not isinstance(branch, tuple) or len(branch) != 2:
            self._mistake(
                f"The branch {name!r} must be a pair (predicate, sink), got {shorten(branch)}",
                "to_router",
            )
            return (name, None, None)
        predicate, sink = branch
        for text in checks.predicate_mistakes(predicate):
            self._mistake(f"The branch {name!r}: {text}", "to_router")
        return (name, predicate, self._branch_sink(name, sink))

    def _branch_sink(self, name: Any, sink: Any) -> Any:
        if getattr(sink, "router_branch_safe", True) is False:
            self._mistake(
                f"The branch {name!r}: the sink {shorten(sink)} can't be used by a router, it says "
                "router_branch_safe = False",
                "to_router",
            )
        return self._endpoint("to_router", sink, "sink")
