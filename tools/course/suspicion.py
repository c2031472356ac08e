"""What an instructor should look at: lines that honest answers seldom need.

A flag is no verdict and costs no points; the runner alone decides about those.
"""

import re

from course.text import one_line

SUSPECT = [
    (r"\b(?:_exit|_Exit|exit|quick_exit|atexit|on_exit)\s*\(", "ends the process"),
    (r"attribute__.*\bconstructor|gnu::constructor|__constructor__|init_array"
     r"|\bifunc\b", "runs before the tests"),
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


def flags(files, ours):
    """["path:line: what it may mean: the line"], one for each kind and file.

    What our own answer to the same task, ours(path), needs is not worth a look.
    """
    found = []
    for path, data in files.items():
        lines, own = data.decode("utf-8").split("\n"), ours(path)
        for pattern, meaning in SUSPECT:
            number = next((n for n, line in enumerate(lines, 1)
                           if re.search(pattern, line)), None)
            if number and not re.search(pattern, own):
                found.append(f"{path}:{number}: {meaning}: "
                             + one_line(lines[number - 1], 80))
    return found
