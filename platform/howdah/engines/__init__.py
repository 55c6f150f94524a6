"""Adapters of the Engine port: Docker, and one in memory for tests."""
