"""The sh start of ./course on machines that lack this or that.

The machine is a folder: COURSE_TEST_SYSTEM stands for /, and PATH holds links
to a few system tools, and an apt-get and a sudo that play their parts.
"""

import os
import pathlib
import pty
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path.cwd()
TOOLS = "sh dash env readlink sed tail grep mktemp rm cat id touch mkdir chmod ln".split()
PROGRAMS = "git g++ patch zip bazel python3".split()
FILES = ["/usr/src/googletest/CMakeLists.txt", "/usr/include/openssl/ssl.h",
         "/var/lib/dpkg/info/bazel-rules-cc.list",
         "/var/lib/dpkg/info/bazel-rules-java.list"]
SAY_ARGUMENTS = '#!/bin/sh\nprintf "%s|" "$0" "$@"\n'
# Installs everything, as apt-get would: see Start.missing.
APT = '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\ncase $* in *install*) sh "$CALLS.do" ;; esac\n'


class Start(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.box = pathlib.Path(folder.name)
        self.system, self.bin = self.box / "system", self.box / "bin"
        self.calls = self.box / "calls"
        self.calls.write_text("")
        (self.box / "calls.do").write_text("")
        for path in FILES:
            self.make(self.system / path[1:], "")
        self.make(self.box / "repo/course", (HERE / "course").read_text())
        self.make(self.box / "repo/tools/packages.txt",
                  (HERE / "tools/packages.txt").read_text())
        self.bin.mkdir()
        for tool in TOOLS:
            if shutil.which(tool):
                (self.bin / tool).symlink_to(shutil.which(tool))
        for program in PROGRAMS:
            self.make(self.bin / program, SAY_ARGUMENTS)
        self.make(self.bin / "apt-get", APT)
        self.make(self.bin / "sudo", '#!/bin/sh\necho "sudo $*" >>"$CALLS"\n'
                  'while [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n')
        self.user(1000)

    def make(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def user(self, number):
        (self.bin / "id").unlink()
        self.make(self.bin / "id", f"#!/bin/sh\necho {number}\n")

    def missing(self, *programs):
        """These are not there until apt-get installs them."""
        for program in programs:
            kept = self.box / "kept" / program
            kept.parent.mkdir(exist_ok=True)
            shutil.move(self.bin / program, kept)
        (self.box / "calls.do").write_text(f'ln -s "{self.box}"/kept/* "{self.bin}"\n')

    def course(self, *words, start=None, env={}, **options):
        options = {"stdin": subprocess.DEVNULL, "cwd": "/", **options}
        done = subprocess.run(
            [start or self.box / "repo/course", *words], text=True, timeout=20,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PATH": str(self.bin), "COURSE_TEST_SYSTEM": str(self.system),
                 "CALLS": str(self.calls), "TMPDIR": str(self.box), **env}, **options)
        return done.returncode, done.stdout, done.stderr

    def assert_started(self, out, *words):
        self.assertEqual(out, f"{self.bin}/python3|-I|-B|{self.box}/repo/tools/course|"
                         + "".join(f"{word}|" for word in words))

    def test_with_everything_there_it_hands_over(self):
        code, out, err = self.course("check", "2", "--", "a b")
        self.assertEqual((code, err, self.calls.read_text()), (0, "", ""))
        self.assert_started(out, "check", "2", "--", "a b")

    def test_it_is_found_through_a_link_and_from_any_folder(self):
        link = self.box / "elsewhere"
        link.symlink_to(self.box / "repo/course")
        for start in (link, "./elsewhere"):
            _, out, err = self.course("help", start=start, cwd=self.box)
            self.assert_started(out, "help")

    def test_help_needs_python_only(self):
        self.missing(*[p for p in PROGRAMS if p != "python3"])
        for words in ([], ["help"], ["check", "--help"], ["nonsense"]):
            code, out, err = self.course(*words)
            self.assertEqual((code, err), (0, ""), words)
            self.assert_started(out, *words)

    def test_yes_installs_with_sudo_and_goes_on(self):
        self.missing("g++", "zip")
        code, out, err = self.course("check", "--yes")
        self.assertEqual(code, 0, err)
        self.assertIn("sudo -n env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get",
                      self.calls.read_text())
        self.assertIn("install -y --no-install-recommends g++ zip\n",
                      self.calls.read_text())
        self.assertIn("g++               the C++20 compiler", err)
        self.assert_started(out, "check", "--yes")

    def test_ci_is_a_yes_and_root_needs_no_sudo(self):
        self.missing("git", "python3")
        self.user(0)
        code, out, err = self.course("reset", "1", env={"CI": "true"})
        self.assertEqual(code, 0, err)
        self.assertNotIn("sudo", self.calls.read_text() + err)
        self.assertIn(" python3 python3-rich git\n", self.calls.read_text())

    def test_a_yes_for_the_program_is_none_for_the_start(self):
        self.missing("zip")
        code, _, err = self.course("run", "2", "--", "--yes")
        self.assertEqual((code, self.calls.read_text()), (1, ""))

    def test_without_a_terminal_nothing_is_asked_or_installed(self):
        self.missing("zip")
        code, out, err = self.course("check")
        self.assertEqual((code, out, self.calls.read_text()), (1, "", ""))
        self.assertIn("sudo apt-get update && sudo apt-get install -y "
                      "--no-install-recommends zip\n", err)
        self.assertIn("not a terminal", err)

    def on_terminal(self, answer):
        self.missing("zip")
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        command = [self.box / "repo/course", "check"]
        process = subprocess.Popen(
            command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
            env={"PATH": str(self.bin), "COURSE_TEST_SYSTEM": str(self.system),
                 "CALLS": str(self.calls), "TMPDIR": str(self.box)})
        out, _ = process.communicate(timeout=20)
        os.close(theirs)
        os.close(ours)
        return process.returncode, out.decode()

    def test_on_a_terminal_enter_means_yes(self):
        code, out = self.on_terminal(b"\n")
        self.assertEqual(code, 0)
        self.assert_started(out, "check")

    def test_on_a_terminal_no_means_no(self):
        code, out = self.on_terminal(b"n\n")
        self.assertEqual((code, out, self.calls.read_text()), (1, "", ""))

    def test_without_root_and_sudo_there_is_a_line_to_hand_on(self):
        self.missing("zip")
        (self.bin / "sudo").unlink()
        code, _, err = self.course("check", "--yes")
        self.assertEqual((code, self.calls.read_text()), (1, ""))
        self.assertIn("hand this line to an administrator\n  apt-get update", err)

    def test_an_unknown_system_gets_a_list(self):
        self.missing("zip", "bazel")
        (self.bin / "apt-get").unlink()
        code, _, err = self.course("check", "--yes")
        self.assertEqual(code, 1)
        self.assertIn("\n  zip ", err)
        self.assertIn("\n  bazel-bootstrap ", err)
        self.assertIn("your system's package manager", err)

    def test_an_empty_index_is_updated_once(self):
        self.missing("zip")
        self.make(self.bin / "apt-get", '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n'
                  'case $* in *update*) touch "$CALLS.new" ;; esac\n'
                  '[ -e "$CALLS.new" ] || { echo "E: Unable to locate package zip"; exit 100; }\n'
                  'case $* in *install*) sh "$CALLS.do" ;; esac\n')
        code, out, err = self.course("check", "--yes")
        self.assertEqual(code, 0, err)
        told = [line.split("=60 ")[1].split()[0] for line in
                self.calls.read_text().splitlines() if line.startswith("apt-get")]
        self.assertEqual(told, ["install", "update", "install"])

    def test_a_failing_apt_get_is_quoted(self):
        self.missing("zip")
        self.make(self.bin / "apt-get", "#!/bin/sh\necho \"E: Could not get lock\"\nexit 100\n")
        code, out, err = self.course("check", "--yes")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("apt-get failed; its log,", err)
        self.assertIn("\n  E: Could not get lock\n", err)

    def test_an_install_that_changes_nothing_does_not_loop(self):
        self.missing("zip")
        (self.box / "calls.do").write_text("")
        code, _, err = self.course("check", "--yes")
        self.assertEqual(code, 1)
        self.assertIn("still missing: zip", err)

    def test_your_own_bazel_is_never_replaced(self):
        for file in FILES[2:]:
            (self.system / file[1:]).unlink()
        shutil.move(self.bin / "bazel", self.bin / "bazelisk")
        code, out, err = self.course("check")
        self.assertEqual((code, err), (0, ""))

    def test_a_bazel_that_does_not_work_is_none(self):
        self.make(self.bin / "bazel", "#!/bin/sh\nexit 1\n")
        _, _, err = self.course("check")
        self.assertIn("bazel-bootstrap", err)

    def test_debians_python_goes_before_another(self):
        self.make(self.system / "usr/bin/python3", SAY_ARGUMENTS)
        _, out, _ = self.course("help")
        self.assertTrue(out.startswith(f"{self.system}/usr/bin/python3|-I|-B|"))

    def test_debians_bazel_7_gets_its_settings_once(self):
        self.make(self.system / "usr/bin/bazel", SAY_ARGUMENTS)
        (self.bin / "bazel").unlink()
        (self.system / "usr/share/bazel/tools/features").mkdir(parents=True)
        for _ in range(2):
            self.course("check")
        self.assertEqual((self.box / "repo/user.bazelrc").read_text(),
                         "import %workspace%/third_party/debian7.bazelrc\n")


if __name__ == "__main__":
    unittest.main()
