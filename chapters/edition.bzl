"""Which edition this is. `./course release` writes True, and leaves out what is
not for students: then a chapter stands on the learner's own earlier ones."""

STUDENTS = False
