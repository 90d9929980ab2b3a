#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/lab.sh
export HANDOFF=$OUTPUT_DIR/handoff.yml
ansible-playbook crossaccount.ecr.share -e "@$collection/playbooks/vars/scenario.yml" -e "ecr_share_handoff_path=$HANDOFF" \
  -e '{"ecr_share_repositories": ["release", "develop"], "ecr_share_denied": []}'
AWS_PROFILE=consumer ansible-playbook walk.yml "$@"
