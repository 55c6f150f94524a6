"""The contract suites, the fault-injecting fakes and what tests start: for tests, never for the program."""
