#!/usr/bin/env bash
# bash scripts/build-image.sh --tag NAME [flags of docker build] builds the image. Base images
# are those of docker/images.lock, by digest, where scripts/lock-images.sh has written it. Without that file they are the
# tags of docker/Dockerfile.
set -euo pipefail

if [ "${1:-}" = --help ]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
fi
cd "$(dirname "$0")/.."
arguments=()
if [ -e docker/images.lock ]; then
  while IFS= read -r line; do
    [[ $line =~ ^[A-Z_]+_IMAGE=[a-z0-9./:_-]+@sha256:[0-9a-f]{64}$ ]] || { echo "docker/images.lock: '$line' names no image by digest; run scripts/lock-images.sh again" >&2; exit 1; }
    arguments+=(--build-arg "$line")
  done < docker/images.lock
fi
exec docker build -f docker/Dockerfile ${arguments[@]+"${arguments[@]}"} "$@" .
