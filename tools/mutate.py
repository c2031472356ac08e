"""Makes a mutant: what one patch changes of the reference's sources.

    mutate.py mutant.patch OUT.cc solutions/02_blocking_client/client.cc ...

A source that the patch leaves alone is left out: the linker takes the
reference's own object for it, so that a mutant costs one compilation.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile


def patched(patch, sources):
    """[(source, its new text)] of those that the patch changes."""
    with tempfile.TemporaryDirectory() as folder:
        copies = {source: pathlib.Path(folder, source.name) for source in sources}
        for source, copy in copies.items():
            shutil.copyfile(source, copy)
        # -p3: a/solutions/NN_name/file.cc. Nothing may be guessed: no fuzz.
        result = subprocess.run(
            ["patch", "-p3", "--fuzz=0", "--no-backup-if-mismatch", "--batch", "-s",
             "-d", folder, "-i", patch.resolve()],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode:
            sys.exit(f"{patch} does not fit the reference any more:\n{result.stdout}")
        return [(source, copy.read_text(encoding="utf-8"))
                for source, copy in copies.items()
                if copy.read_bytes() != source.read_bytes()]


def main():
    patch, out, *sources = (pathlib.Path(a) for a in sys.argv[1:])
    out.write_text("".join(f'#line 1 "{source}"\n{text}'
                           for source, text in patched(patch, sources)),
                   encoding="utf-8")


if __name__ == "__main__":
    main()
