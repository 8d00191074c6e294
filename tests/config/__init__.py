"""What the configuration says of its own mistakes."""
