"""The daemons' own web pages on this machine's loopback, with links that work."""
