"""Password hashing, passkeys, access tokens and the operator's OpenID provider."""
