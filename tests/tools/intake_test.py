"""What may be handed in, and everything that is refused."""

import gzip
import io
import os
import pathlib
import sys
import tarfile
import tempfile
import unittest
import zipfile

sys.path.insert(0, "tools")

from course import intake  # noqa: E402
from course.problem import Problem  # noqa: E402

MORE = "chapters/02_more/more.cc"
SUMS = "chapters/01_sums/sums.cc"
WANTED = [SUMS, MORE, "chapters/03_third/same.cc", "chapters/04_fourth/same.cc"]
CODE = b"int more() { return 1; }\n"


class Intake(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def read(self, name):
        return intake.read(self.root / name, name.partition(".")[0], WANTED)

    def tar(self, members, name="one.tar.gz"):
        """The Submission of a tar of (path or TarInfo, bytes)."""
        with tarfile.open(self.root / name, "w:gz") as archive:
            for member, data in members:
                if isinstance(member, str):
                    member = tarfile.TarInfo(member)
                    member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return self.read(name)

    def zip(self, members, name="one.zip"):
        with zipfile.ZipFile(self.root / name, "w") as archive:
            for path, data in members:
                archive.writestr(path, data)
        return self.read(name)

    def folder(self, members, name="one"):
        for path, data in members:
            path = self.root / name / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return self.read(name)

    def refused(self, submission, *reasons):
        """Nothing was taken, and each of the reasons was given."""
        self.assertEqual(submission.files, {})
        notes = "\n".join([*submission.notes, submission.refused])
        for reason in reasons:
            self.assertIn(reason, notes)


class Names(Intake):
    def test_a_file_is_known_by_its_folder_at_any_depth_in_any_packing(self):
        for path in (MORE, "02_more/more.cc", "a/b/" + MORE, "more.cc", "x/more.cc",
                     "./02_more/more.cc", "chapters\\02_more\\more.cc"):
            for pack in (self.tar, self.zip, self.folder):
                if pack == self.folder and "\\" in path:
                    continue
                with self.subTest(path=path, pack=pack.__name__):
                    name = f"{pack.__name__}{len(os.listdir(self.root))}"
                    ending = {"tar": ".tgz", "zip": ".zip", "folder": ""}
                    given = pack([(path, CODE)], name + ending[pack.__name__])
                    self.assertEqual((given.files, given.notes), ({MORE: CODE}, []))

    def test_a_name_of_two_chapters_needs_its_folder(self):
        self.refused(self.tar([("same.cc", CODE)]), "it could be")
        self.assertIn("chapters/04_fourth/same.cc",
                      self.tar([("04_fourth/same.cc", CODE)]).files)

    def test_a_name_of_two_chapters_is_that_of_the_one_under_grade(self):
        self.folder([("same.cc", CODE)], "class/ann")
        for due, files in (
                ([MORE, WANTED[3]], {WANTED[3]: CODE}), (WANTED[2:], {}), ([MORE], {})):
            (given,), _ = intake.read_class(self.root / "class", WANTED, due)
            self.assertEqual((given.files, len(given.notes)), (files, not files))

    def test_everything_else_is_refused_by_name_and_reason(self):
        self.refused(
            self.tar([("02_more/more.h", CODE), ("chapters/02_more/BUILD", b""),
                      ("01_sums/more.cc", CODE), ("02_more/other.cc", CODE),
                      (".cache/02_more/more.cc", CODE),
                      ("solutions/02_more/more.cc", CODE),
                      ("tests/samples/full/more.cc", CODE)]),
            "02_more/more.h: not taken: the course's own headers",
            "BUILD: not taken: the course's own build files",
            "01_sums/more.cc: not taken: 01_sums has no such file",
            "other.cc: not taken: no file that is asked for",
            ".cache/02_more/more.cc: not taken: hidden",
            "solutions/02_more/more.cc: not taken: the course's own is used",
            "tests/samples/full/more.cc: not taken: the course's own is used")

    def test_what_systems_add_is_not_worth_a_note(self):
        given = self.zip([("__MACOSX/02_more/._more.cc", b"\0"), (".DS_Store", b"\0"),
                          ("manifest.json", b"{}"), ("02_more/more.cc", CODE)])
        self.assertEqual((given.files, given.notes), ({MORE: CODE}, []))

    def test_of_two_the_better_path_counts_and_then_the_first(self):
        for members, kept in (
                ([("more.cc", b"1"), (MORE, b"2")], b"2"),
                ([(MORE, b"1"), ("more.cc", b"2")], b"1"),
                ([(MORE, b"1"), (MORE, b"2")], b"1")):
            given = self.tar(members)
            self.assertEqual(given.files, {MORE: kept})
            self.assertIn(f"counts for {MORE}", given.notes[0])
        self.assertEqual(self.tar([(MORE, b"1"), ("more.cc", b"1")]).notes, [])

    def test_notes_end(self):
        given = self.tar([(f"{i}.txt", b"") for i in range(100)])
        self.assertEqual(len(given.notes), intake.MOST_NOTES + 1)
        self.assertEqual(given.notes[-1], "... and 80 more")

    def test_a_name_cannot_write_to_a_terminal(self):
        given = self.tar([("\033[31m\nred", b"")])
        self.assertTrue(given.notes[0].startswith("\\x1b[31m red: "), given.notes)

    def test_an_empty_one_is_called_that(self):
        self.refused(self.tar([]), "there is no file in it")
        (self.root / "none").mkdir()
        self.refused(self.read("none"), "there is no file in it")


class Attacks(Intake):
    def test_traversal(self):
        for path in ("../02_more/more.cc", "a/../../02_more/more.cc",
                     "/02_more/more.cc", "..\\02_more\\more.cc", "C:\\02_more\\more.cc"):
            for pack in (self.tar, self.zip):
                self.refused(pack([(path, CODE)]), "its path leads out")

    def test_links_and_devices_in_a_tar(self):
        for kind, words in ((tarfile.SYMTYPE, "a symbolic link"),
                            (tarfile.LNKTYPE, "a hard link"),
                            (tarfile.CHRTYPE, "a device"), (tarfile.FIFOTYPE, "pipe")):
            member = tarfile.TarInfo("02_more/more.cc")
            member.type, member.linkname = kind, "/etc/passwd"
            self.refused(self.tar([(member, b"")]), words)

    def test_a_link_in_a_zip(self):
        member = zipfile.ZipInfo("02_more/more.cc")
        member.external_attr = 0o120777 << 16
        self.refused(self.zip([(member, "/etc/passwd")]), "a symbolic link")

    def test_links_and_pipes_in_a_folder(self):
        folder = self.root / "one"
        (folder / "02_more").mkdir(parents=True)
        (folder / "02_more/more.cc").symlink_to("/etc/passwd")
        (folder / "01_sums").symlink_to("/etc")
        os.mkfifo(folder / "sums.cc")
        self.refused(self.read("one"), "02_more/more.cc: refused: a symbolic link",
                     "01_sums: refused: a symbolic link", "sums.cc: refused: a device")

    def test_a_bomb_of_bytes(self):
        before, intake.MOST_UNPACKED = intake.MOST_UNPACKED, 1 << 20
        self.addCleanup(setattr, intake, "MOST_UNPACKED", before)
        self.refused(self.tar([("zeros", bytes(intake.MOST_UNPACKED))]), "unpacks to")
        with zipfile.ZipFile(self.root / "b.zip", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("zeros", bytes(intake.MOST_UNPACKED + 1))
        self.refused(self.read("b.zip"), "unpacks to")

    def test_a_bomb_of_entries(self):
        given = self.tar([(f"{i}", b"") for i in range(intake.MOST_ENTRIES + 1)])
        self.refused(given, "more than 5000 entries")

    def test_a_file_that_is_too_large(self):
        large = b"/" * (intake.MOST_BYTES + 1)
        for pack in (self.tar, self.zip, self.folder):
            self.refused(pack([(MORE, large)]), "larger than 256 KiB")
        given = self.tar([(MORE, large[1:])])
        self.assertEqual(len(given.files[MORE]), intake.MOST_BYTES)

    def test_a_zip_that_lies_about_a_size(self):
        path = self.root / "lie.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(MORE, b"/" * (intake.MOST_BYTES * 4))
        size = (intake.MOST_BYTES * 4).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(size, (9).to_bytes(4, "little")))
        given = self.read("lie.zip")
        self.assertLessEqual(len(given.files.get(MORE, b"")), 9)

    def test_other_encodings(self):
        for data in (CODE.decode().encode("utf-16"), b"int caf\xe9;\n"):
            self.refused(self.tar([(MORE, data)]), "is not UTF-8 text")
        self.refused(self.tar([(MORE, b"int a;\0\n")]), "NUL")
        crlf = "// é\r\n".encode()
        self.assertEqual(self.tar([(MORE, crlf)]).files, {MORE: crlf})


class Broken(Intake):
    def test_a_broken_archive_says_so(self):
        self.tar([(MORE, os.urandom(9999).hex().encode())])
        whole = (self.root / "one.tar.gz").read_bytes()
        for data in (b"", b"nonsense", whole[:len(whole) // 2],
                     gzip.compress(b"nonsense" * 99)):
            (self.root / "one.tar.gz").write_bytes(data)
            self.refused(self.read("one.tar.gz"), "the archive is broken")
        self.zip([(MORE, CODE)])
        whole = (self.root / "one.zip").read_bytes()
        for data in (b"", b"PK\3\4 nonsense", whole[:-9], whole.replace(CODE, CODE[::-1])):
            (self.root / "one.zip").write_bytes(data)
            self.refused(self.read("one.zip"), "the archive is broken")

    def test_no_damage_does_more_than_that(self):
        self.tar([(MORE, CODE), ("x", b"y" * 999)])
        raw = gzip.decompress((self.root / "one.tar.gz").read_bytes())
        self.zip([(MORE, CODE), (SUMS, CODE)])
        zipped = (self.root / "one.zip").read_bytes()
        for i in range(0, 512, 5):
            tar = bytearray(raw)
            tar[i] ^= 0x81
            (self.root / "one.tar.gz").write_bytes(gzip.compress(tar, 1))
            self.read("one.tar.gz")
            damaged = bytearray(zipped)
            damaged[i % len(zipped)] ^= 0x81
            (self.root / "one.zip").write_bytes(damaged)
            self.read("one.zip")

    def test_a_file_that_this_machine_cannot_read_is_no_fault_of_its_owner(self):
        def fails(_):
            raise PermissionError(13, "Permission denied")
            yield

        before, intake._of_folder = intake._of_folder, fails
        self.addCleanup(setattr, intake, "_of_folder", before)
        (self.root / "one").mkdir()
        given = self.read("one")
        self.assertEqual((given.refused, given.unreadable),
                         ("", "cannot be read here: Permission denied"))


class Class(Intake):
    def test_each_folder_and_archive_is_a_student(self):
        self.tar([(MORE, CODE)], "b.tar.gz")
        self.zip([(MORE, CODE)], "c.zip")
        self.folder([(MORE, CODE)], "a")
        (self.root / "list.txt").write_text("")
        (self.root / "link").symlink_to("a")
        found, notes = intake.read_class(self.root, WANTED)
        self.assertEqual([s.id for s in found], ["a", "b", "c"])
        self.assertEqual([len(s.files) for s in found], [1, 1, 1])
        self.assertEqual([note.partition(":")[0] for note in notes],
                         ["link", "list.txt"])

    def test_names_of_canvas_moodle_and_gradescope(self):
        archive = self.root / "x.tar.gz"
        self.tar([(MORE, CODE)], archive.name)
        for name in ("annlee_12_345_sockets.tar.gz", "bobk_LATE_13_346_sockets.tar.gz",
                     "annlee_12_399_sockets-1.tar.gz",
                     "Eve Ng_14_assignsubmission_file_/sockets.tar.gz",
                     "Joe P_15_assignsubmission_file_sockets.tar.gz",
                     "submission_777/sockets.tar.gz"):
            path = self.root / "class" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read_bytes())
        (self.root / "class/submission_metadata.yml").write_text(
            "submission_777:\n  :submitters:\n  - :name: N\n"
            "  :created_at: 2026-11-02 10:00:00.123 Z\n")
        found, notes = intake.read_class(self.root / "class", WANTED)
        self.assertEqual([s.name for s in found], [
            "Eve Ng", "Joe P", "annlee", "bobk", "submission_777"])
        self.assertEqual({len(s.files) for s in found}, {1})
        self.assertEqual(notes, ["annlee_12_345_sockets.tar.gz: the same student "
                                 "handed in a newer one"])
        self.assertEqual([s.submitted and s.submitted.isoformat() for s in found],
                         [None] * 4 + ["2026-11-02T10:00:00+00:00"])

    def test_names_are_made_safe_and_stay_apart(self):
        names = ["a b", "a_b", "a/b", "é", "è", "..", "-x", "=1+1", "x" * 300,
                 "BUILD", "//evil:all", "a\nb"]
        ids = [intake.student_id(name) for name in names]
        self.assertEqual(len(set(ids)), len(names))
        for found in ids:
            self.assertRegex(found, r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,70}$")
        self.assertEqual(ids[1], "a_b")

    def test_two_of_one_name_are_refused(self):
        self.zip([], "ann.zip")
        for other in ("ann", "ANN"):
            (self.root / other).mkdir()
            with self.assertRaises(Problem) as raised:
                intake.read_class(self.root, WANTED)
            self.assertIn("would be the same student", str(raised.exception))
            self.assertEqual(raised.exception.status, 2)
            (self.root / other).rmdir()


if __name__ == "__main__":
    unittest.main()
