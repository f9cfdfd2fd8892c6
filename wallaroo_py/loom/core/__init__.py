"""What loom's parts share."""
