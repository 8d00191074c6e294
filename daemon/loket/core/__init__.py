"""The pure middle: no I/O, no clock, no logging; `now`, keys and randomness come in as arguments."""
