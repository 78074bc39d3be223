"""Signs that a camera saw a picture or a recording instead of a person. Advisory measurements."""
