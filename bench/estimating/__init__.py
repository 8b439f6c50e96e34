"""What cells will take in parameters, memory and time, worked out before anyone pays for it."""
