#!/bin/sh
# Runs the reference's graded tests many times while all processors are busy.
#
#   tools/flake.sh [NN_name ...]     200 runs of every chapter; RUNS=n for others
set -eu
cd "$(dirname "$0")/.."

targets=
for chapter; do targets="$targets //solutions/$chapter:test"; done

burners=
stop() { for pid in $burners; do kill "$pid" 2>/dev/null || :; done; }
trap stop EXIT
trap 'exit 130' INT TERM
for _ in $(seq "$(nproc)"); do
  (while :; do :; done) &
  burners="$burners $!"
done

# shellcheck disable=SC2086 # one word per target
"${COURSE_BAZEL:-bazel}" test --jobs=8 --local_test_jobs=8 \
  --runs_per_test="${RUNS:-200}" --nocache_test_results --keep_going \
  --test_output=errors --noshow_progress ${targets:-//solutions/...}
