"""Who somebody is to this installation: the first page, signing in and out, passkeys, one's own account."""
