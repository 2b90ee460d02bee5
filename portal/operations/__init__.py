"""Operator's commands and background upkeep: maintenance, readiness, traffic sums."""
