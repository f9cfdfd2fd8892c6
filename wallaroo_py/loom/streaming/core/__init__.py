"""What the nodes of a stream share."""
