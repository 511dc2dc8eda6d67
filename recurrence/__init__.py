"""When a schedule fires: pure functions over frozen values."""
