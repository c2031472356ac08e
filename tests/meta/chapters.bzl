"""What the tests of the tests look at."""

CHAPTERS = [
    "02_blocking_client",
]

# The mutants whose failures golden/ holds, by chapter.
GOLDEN = {
    "02_blocking_client": [
        "descriptor-leak",
        "error-is-the-end",
        "first-address-only",
        "send-retries-from-start",
        "short-send-ignored",
        "sigpipe-kills",
        "sockaddr-in-for-all",
        "timeout-ignored",
    ],
}
