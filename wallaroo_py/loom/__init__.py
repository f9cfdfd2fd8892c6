"""The import names of loom's storage sinks, for applications written against them."""
