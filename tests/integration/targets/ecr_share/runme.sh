#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/lab.sh

# The role reads check mode from the command line, so each run has one mode.
# walk [--check] STEP:changed|ok ...: run the role for each step, and compare whether it changes something.
walk() {
  local flags=()
  if [ "$1" = --check ]; then
    flags=(--check)
    shift
  fi
  ansible-playbook walk.yml "${flags[@]}" -e "steps='$*'"
}

walk --check create:changed
walk create:changed create:ok delete:changed
