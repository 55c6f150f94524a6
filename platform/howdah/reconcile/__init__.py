"""Observe, plan, execute, again until there is nothing left to do. The only place from which effects come."""
