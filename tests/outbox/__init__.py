"""Hop 8: outgoing mail through a real Postfix, and through servers that do what no real one does on demand."""
