"""Syncing a node with its upstream: connections, one pass, conflicts, refusals, the schedule, explaining."""
