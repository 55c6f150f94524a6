"""What the program may ask of the outside: one protocol a port, no implementation."""
