"""Why a job ran, runs, waits, did not run or will not: the rules that decided, in their order. Pure."""

from scheduler.why.answer import Answer, Due, Rule, why
from scheduler.why.facts import Change, Facts, Force, Line, Version

__all__ = ["Answer", "Change", "Due", "Facts", "Force", "Line", "Rule", "Version", "why"]
