"""./course submit: what is packed, and that no half archive is left behind."""

import hashlib
import json
import os
import pathlib
import resource
import sys
import tarfile
import unittest

sys.path.insert(0, "tests/tools")
from support import CourseTest  # noqa: E402

MORE = "chapters/02_more/more.cc"
SUMS = "chapters/01_sums/sums.cc"


class Submit(CourseTest):
    def setUp(self):
        super().setUp()
        self.write(MORE, "int mine;\n")
        self.archive = self.root / "sockets-submission.tar.gz"

    def submit(self, *words, **options):
        return self.course("submit", *words, cwd=self.root, **options)

    def packed(self, path=None):
        with tarfile.open(path or self.archive) as archive:
            return {member.name: archive.extractfile(member).read()
                    for member in archive}

    def test_what_you_changed_is_packed_with_a_manifest(self):
        code, out, err = self.submit()
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"packed    {MORE}\n", out)
        self.assertIn(f"untouched {SUMS}\n", out)
        packed = self.packed()
        self.assertEqual(list(packed), ["manifest.json", MORE])
        self.assertEqual(packed[MORE], b"int mine;\n")
        self.assertEqual(json.loads(packed["manifest.json"]), {
            "schema": 1, "course": "0.1.0", "files": [
                {"path": MORE, "size": 10,
                 "sha256": hashlib.sha256(b"int mine;\n").hexdigest()}]})

    def test_the_same_files_give_the_same_bytes(self):
        self.submit()
        first = self.archive.read_bytes()
        os.utime(self.root / MORE, (1, 1))
        (self.root / MORE).chmod(0o600)
        self.submit("--out", "sub/other.tgz")
        self.assertEqual((self.root / "sub/other.tgz").read_bytes(), first)

    def test_the_grader_takes_in_what_was_packed(self):
        self.write(SUMS, "// é\nint too;\n")
        self.submit("--out", "class/ann.tar.gz")
        self.judge("01_sums", [1], label="//submissions/ann:01_sums")
        self.judge("02_more", [1, 2], label="//submissions/ann:02_more")
        code, out, _ = self.course("grade", "class", "--out", "out", "--json",
                                   cwd=self.root)
        student, = json.loads(out)["students"]
        self.assertEqual((code, student["points"], student["notes"]), (0, 160, []))

    def test_chapters_are_picked_and_untouched_ones_only_with_all(self):
        for words, names in ((("2",), [MORE]), (("--all",), [SUMS, MORE]),
                             (("1", "--all"), [SUMS])):
            self.assertEqual(self.submit(*words)[0], 0)
            self.assertEqual(list(self.packed())[1:], names)
        self.archive.unlink()
        code, out, _ = self.submit("1")
        self.assertEqual((code, self.archive.exists()), (1, False))
        self.assertIn("Nothing is packed", out)

    def test_what_is_missing_is_said(self):
        (self.root / SUMS).unlink()
        code, out, _ = self.submit("--json")
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(out)["files"], [
            {"path": SUMS, "state": "missing", "packed": False},
            {"path": MORE, "state": "changed", "packed": True}])
        self.assertEqual(list(self.packed())[1:], [MORE])

    def test_what_the_grader_would_refuse_is_refused_here(self):
        for data, said in ((b"\xff\xfe", "not UTF-8"), (b"a\0", "NUL"),
                           (b"/" * 300_000, "larger than 256 KiB")):
            (self.root / MORE).write_bytes(data)
            code, _, err = self.submit()
            self.assertEqual((code, self.archive.exists()), (1, False))
            self.assertIn(f"{MORE} cannot be handed in", err)
            self.assertIn(said, err)

    def test_only_an_archives_name_is_written_to(self):
        code, _, err = self.submit("--out", MORE)
        self.assertEqual((code, (self.root / MORE).read_text()), (2, "int mine;\n"))
        self.assertIn("end it in .tar.gz", err)
        self.assertEqual(self.submit("nonsense")[0], 2)

    def test_a_full_disk_leaves_the_archive_as_it_was(self):
        self.submit()
        before = self.archive.read_bytes()
        self.write(MORE, f"// {os.urandom(9999).hex()}\n")
        code, _, err = self.submit(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual(code, 1)
        self.assertIn("sockets-submission.tar.gz was not written: File too large", err)
        self.assertEqual(self.archive.read_bytes(), before)
        self.assertEqual([p.name for p in self.root.glob("*.tar.gz*")],
                         [self.archive.name])
        self.assertEqual(list(self.root.glob(".sockets*")), [])

    def test_a_place_that_cannot_be_written_is_named(self):
        pathlib.Path(self.root / "x.tar.gz").mkdir()
        for out in ("/proc/x.tar.gz", "x.tar.gz"):
            code, _, err = self.submit("--out", out)
            self.assertEqual(code, 1)
            self.assertIn(f"{out} was not written", err)


if __name__ == "__main__":
    unittest.main()
