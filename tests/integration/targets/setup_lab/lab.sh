# shellcheck shell=bash
# Sourced by runme.sh of a target: starts a lab of its own in $OUTPUT_DIR/lab, and stops it by its pid when runme.sh ends.
# The lab's Python is that of .venv-lab, which is created if it does not exist.
collection=${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/crossaccount/ecr
lab_python=$collection/.venv-lab/bin/python
unset "${!AWS_@}"
if [ ! -x "$lab_python" ]; then
  (cd "$collection" && tests/make-venv "$(command -v python3)" .venv-lab tests/lab/requirements.txt "less than a minute, 60 MB")
fi
lab() {
  (cd "$collection" && "$lab_python" -m tests.lab "$1" --folder "$OUTPUT_DIR/lab")
}
trap 'lab down' EXIT
lab up
# shellcheck disable=SC1091
. "$OUTPUT_DIR/lab/env"
export AWS_EC2_METADATA_DISABLED=true AWS_PROFILE=owner
# Fewer processes for each module on the host.
export ANSIBLE_PIPELINING=true
