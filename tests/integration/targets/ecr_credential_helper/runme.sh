#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/walk.sh
# The role configures the helper and does not run it.
mkdir -p "$OUTPUT_DIR/bin" "$OUTPUT_DIR/home"
printf '#!/bin/sh\n' >"$OUTPUT_DIR/bin/docker-credential-ecr-login"
chmod 0755 "$OUTPUT_DIR/bin/docker-credential-ecr-login"
export PATH=$OUTPUT_DIR/bin:$PATH
walk --check create:changed
walk create:changed create:ok
walk --check create:ok modify:changed
walk modify:changed modify:ok
walk --check modify:ok delete:changed
walk delete:changed delete:ok
walk --check delete:ok
