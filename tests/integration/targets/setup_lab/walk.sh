# shellcheck shell=bash
# Sourced by runme.sh of a role. A role knows check mode from the command line only, so each run has one mode.
# walk [--check] STEP:changed|ok ...: run the role for each step, and compare whether it changes something.
walk() {
  local flags=()
  if [ "$1" = --check ]; then
    flags=(--check)
    shift
  fi
  ansible-playbook walk.yml "${flags[@]}" -e "steps='$*'"
}
