#!/bin/sh
# Runs the reference's graded tests many times while all processors are busy.
#
#   tools/flake.sh [RUNS] [NN_name ...]     200 runs, every chapter
set -eu
cd "$(dirname "$0")/.."

runs=200
case ${1:-} in [1-9]*[0-9]) case $1 in *_*) ;; *) runs=$1 && shift ;; esac ;; esac
targets=
for chapter in "${@:-...}"; do
  targets="$targets //solutions/$chapter"
  case $chapter in ...) ;; *) targets="$targets:test" ;; esac
done

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
  --runs_per_test="$runs" --nocache_test_results --keep_going \
  --test_output=errors --noshow_progress $targets
