"""Runners carry executions out; one folder per counterpart."""
