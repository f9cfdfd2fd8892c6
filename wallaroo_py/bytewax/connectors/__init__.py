"""Sources and sinks that are there: files, Kafka, standard output."""
