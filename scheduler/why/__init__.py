"""Why a job ran, runs, waits, did not run or will not: the rules that decided, in their order. Pure."""

from scheduler.why.answer import Answer, Due, why
from scheduler.why.facts import Change, Facts, Force, Line, Version
from scheduler.why.rule import Rule

__all__ = ["Answer", "Change", "Due", "Facts", "Force", "Line", "Rule", "Version", "why"]
