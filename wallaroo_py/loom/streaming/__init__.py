"""loom's streaming DSL, as far as storage sinks go."""
