"""What the tests of the tests look at."""

CHAPTERS = [
    "01_addresses",
    "02_blocking_client",
    "03_blocking_server",
    "04_framing",
    "05_unix_sockets",
    "06_poll_server",
    "07_event_loop",
    "08_events",
    "09_streams",
    "10_socket",
    "11_server",
    "12_services",
    "13_blocking_tls",
    "14_tls_socket",
    "15_tls_server",
]

# The mutants whose failures golden/ holds, by chapter.
GOLDEN = {
    "01_addresses": [
        "list-never-freed",
        "memcmp-equality",
        "port-wraps",
    ],
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
    "03_blocking_server": [
        "emfile-spin",
        "no-reuseaddr",
        "port-in-network-order",
    ],
    "14_tls_socket": [
        "deaf-while-somebody-is-asked",
        "sync-events",
        "want-read-in-write-ignored",
        "write-retry-other-buffer",
    ],
    "15_tls_server": [
        "options-checked-late",
        "second-name-is-taken",
        "sni-case-sensitive",
    ],
}
