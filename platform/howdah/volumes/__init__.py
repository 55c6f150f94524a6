"""Adapters of the Volumes port: plain folders, and one in memory for tests."""
