"""Measurements of howdah, used as a user would: ``python -m benchmarks NAME``, then ``python -m benchmarks table``.

Never part of the tests: a time is worth something on a quiet machine only. What is compared is measured in turns within
one run (A B A B …), and the median counts.
"""
