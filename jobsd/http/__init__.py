"""The HTTP faces of the daemon."""
