"""The program: command line, daemon, HTTP faces, log."""
