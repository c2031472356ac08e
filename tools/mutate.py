"""Makes a mutant: the reference's sources with one patch applied.

    mutate.py mutant.patch OUT_DIR solutions/02_blocking_client/client.cc ...

A source that the patch leaves alone comes out empty: the linker takes the
reference's own object for it, so that a mutant costs one compilation.
"""

import pathlib
import shutil
import subprocess
import sys


def main():
    patch, out, *sources = (pathlib.Path(a) for a in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copyfile(source, out / source.name)
    # -p3: a/solutions/NN_name/file.cc. Nothing may be guessed: no fuzz.
    result = subprocess.run(
        ["patch", "-p3", "--fuzz=0", "--no-backup-if-mismatch", "--batch", "-s",
         "-d", out, "-i", patch.resolve()],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        sys.exit(f"{patch} does not fit the reference any more:\n{result.stdout}")
    for source in sources:
        mutated = out / source.name
        if mutated.read_bytes() == source.read_bytes():
            mutated.write_text("// As in the reference.\n", encoding="utf-8")


if __name__ == "__main__":
    main()
