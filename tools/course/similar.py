"""Which submissions share passages that nobody gave them.

Winnowing (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003): hashes of
every GRAM tokens in a row, of which the smallest of each WINDOW are kept, so
that a shared passage of GRAM + WINDOW - 1 tokens is always found. Names,
numbers and strings count as equal, so other names do not hide a copy; what is
in the skeleton, the header, the reference or another right solution of ours
counts for nothing.
"""

import itertools
import re
import zlib
from collections import Counter
from dataclasses import dataclass

from course import tree, work
from course.problem import Problem

GRAM, WINDOW = 16, 8
MOST_OWNERS = 10  # what more than these have is what everybody writes
LEAST_SHARED = 8  # fingerprints: less is chance
LEAST_SHARE = 0.3  # of the smaller one's
TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
                   |\w+|\S''', re.VERBOSE | re.DOTALL)
KEYWORDS = set("""auto bool break case catch char class const continue default delete
    do else enum false for if int long new nullptr return short signed sizeof static
    struct switch template this throw true try unsigned using void while""".split())


@dataclass
class Pair:
    chapter: tree.rubric.Chapter
    students: tuple  # two
    share: float  # of the smaller one's own passages
    places: tuple  # "client.cc:12" in each, where the first passage begins


def pairs(students, chapters):
    """[Pair], the most similar first."""
    found = [pair for chapter in chapters for pair in _of(students, chapter)]
    return sorted(found, key=lambda pair: -pair.share)


def _of(students, chapter):
    given = given_grams(chapter)
    own = [(student, fingerprints(_sources(student, chapter), given))
           for student in students]
    owners = Counter(itertools.chain.from_iterable(prints for _, prints in own))
    for (one, ours), (other, theirs) in itertools.combinations(
            [(student, {gram: place for gram, place in prints.items()
                        if owners[gram] <= MOST_OWNERS})
             for student, prints in own], 2):
        shared = ours.keys() & theirs.keys()
        if len(shared) < LEAST_SHARED:
            continue
        share = len(shared) / min(len(ours), len(theirs))
        if share >= LEAST_SHARE:
            first = min(shared, key=ours.get)
            yield Pair(chapter, (one, other), share, tuple(
                f"{name}:{line}" for name, line in (ours[first], theirs[first])))


def _sources(student, chapter):
    files = {path.name: student.submission.files.get(tree.relative(path))
             for path in tree.files(chapter)}
    return {name: data.decode(errors="replace")
            for name, data in files.items() if data}


def given_grams(chapter):
    """The hashes of all that we wrote ourselves."""
    ours = [_skeleton(path) for path in tree.files(chapter)]
    for folder in ("chapters/{}/*.h", "solutions/{}/*.cc", "tests/{}/alternative/*.cc"):
        ours += [path.read_text() for path in
                 tree.ROOT.glob(folder.format(chapter.name))]
    return {gram for text in ours for gram, _ in grams(text)}


def _skeleton(path):
    """Also where it was edited and nobody keeps it: its words are in our code."""
    try:
        return work.original(path).decode()
    except Problem:
        return ""


def fingerprints(sources, given=frozenset()):
    """{hash: (file, line)} of {file name: text}, without what is `given`."""
    found = {}
    for name, text in sources.items():
        row = [(gram, line) for gram, line in grams(text) if gram not in given]
        for start in range(max(0, len(row) - WINDOW + 1)):
            gram, line = min(row[start:start + WINDOW])
            found.setdefault(gram, (name, line))
    return found


def grams(text):
    """[(hash, line)] of every GRAM tokens in a row."""
    row = list(tokens(text))
    return [(zlib.crc32(" ".join(word for word, _ in row[i:i + GRAM]).encode()),
             row[i][1]) for i in range(len(row) - GRAM + 1)]


def tokens(text):
    """(token, line), every name as n, number as 0, string as s."""
    line, end = 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", end, match.start())
        end, word = match.start(), match[0]
        if word.startswith(("//", "/*")):
            continue
        if word[0] in "\"'":
            word = "s"
        elif word[0].isdigit():
            word = "0"
        elif (word[0].isalpha() or word[0] == "_") and word not in KEYWORDS:
            word = "n"
        yield word, line
