"""What daemons say of themselves, asked over the Engine port's ``dial``; and what to make of it."""
