"""What to do now: clock, life cycle, planner, ledger, dispatcher, alarm, recovery."""
