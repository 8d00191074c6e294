"""Stories through a real Postfix and a real Dovecot: literal mail in, literal mail out."""
