"""What the approaches must beat."""
