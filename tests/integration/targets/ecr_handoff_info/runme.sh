#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/lab.sh
export HANDOFF=$OUTPUT_DIR/handoff.yml
ansible-playbook crossaccount.ecr.share -e "@$collection/playbooks/vars/scenario.yml" -e "ecr_share_handoff_path=$HANDOFF"
ansible-playbook walk.yml "$@"
