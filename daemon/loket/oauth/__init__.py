"""OAuth 2.0 for mailboxes: the authorization server's protocol, tokens kept in a file, and logging in."""
