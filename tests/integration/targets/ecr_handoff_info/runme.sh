#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/lab.sh
ansible-playbook walk.yml "$@"
