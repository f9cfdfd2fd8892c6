"""Sources and sinks that are there: files, standard output."""
