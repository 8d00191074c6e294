"""One suite for every implementation of the store and of stored files."""
