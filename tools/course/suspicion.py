"""What an instructor should look at: lines that honest answers seldom need.

A flag is no verdict and costs no points; the runner alone decides about those.
"""

import re

from course.text import one_line

SUSPECT = [
    (r"\b(?:_exit|_Exit|exit|quick_exit|atexit|on_exit)\s*\(", "ends the process"),
    (r"\bconstructor\b|\binit_array\b|\bifunc\b", "runs before the tests"),
    (r"\bkill\s*\(|\bgetppid\b|\bpidfd_", "reaches for other processes"),
    (r"\basm\b|\b__asm(?:__)?\b|\.incbin", "assembler"),
    (r"gtest|\btesting::|\bPASSED\b", "knows the test library"),
    (r"GRADED_|TEST_UNDECLARED|XML_OUTPUT_FILE|TESTBRIDGE|graded\.json",
     "knows the runner"),
    (r"/proc/|\bptrace\b|\bprocess_vm_|\bdlsym\b|\bsyscall\s*\(",
     "goes around the socket calls"),
    (r"#\s*include(?:_next)?\s*[<\"][^>\"]*(?:solutions|tests)/|__has_include",
     "includes what is not the student's"),
    (r"#\s*include\s*[<\"](?:/|[^>\"]*\.\./)", "includes a path of its own"),
]


def flags(files):
    """["path:line: what it may mean: the line"], one for each kind and file."""
    found = []
    for path, data in files.items():
        lines = data.decode("utf-8").split("\n")
        for pattern, meaning in SUSPECT:
            number = next((n for n, line in enumerate(lines, 1)
                           if re.search(pattern, line)), None)
            if number:
                found.append(f"{path}:{number}: {meaning}: "
                             + one_line(lines[number - 1], 80))
    return found
