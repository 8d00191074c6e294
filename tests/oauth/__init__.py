"""Logging in with tokens, at an authorization server of the tests' own."""
