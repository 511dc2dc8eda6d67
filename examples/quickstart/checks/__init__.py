"""The checks: one module per aspect, each with its KINDS: kind of a rule -> function (data, rule) -> Verdict."""
