"""Where ./course goes on in Python."""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit("course: needs Python 3.11 or later, and this is %d.%d (%s)"
             % (sys.version_info[0], sys.version_info[1], sys.executable))

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = TOOLS  # so that this folder is the package `course`

try:
    from course import main
    status = main.main(sys.argv[1:])
except KeyboardInterrupt:
    status = 130
sys.exit(status)
