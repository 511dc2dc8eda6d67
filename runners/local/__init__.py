"""Work on this host: commands, and collections over assets."""
