"""What differences between results mean."""
