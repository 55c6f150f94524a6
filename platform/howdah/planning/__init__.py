"""Desired and observed state in, a plan out. Pure: no I/O, no clock, no threads."""
