#!/usr/bin/env bash
set -eux
# shellcheck disable=SC1091
. ../setup_lab/lab.sh
# shellcheck disable=SC1091
. ../setup_lab/walk.sh
walk --check create:changed
walk create:changed create:ok
walk --check create:ok modify:changed
walk modify:changed modify:ok
walk --check modify:ok delete:changed
walk delete:changed delete:ok
walk --check delete:ok
