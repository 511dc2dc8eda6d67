"""Control Compliance Suite: its wire, and the runs that jobsd drives there."""
