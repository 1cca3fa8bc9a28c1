#!/usr/bin/env bash
# bash scripts/lock-images.sh asks the registry for the digests of the base images of
# docker/Dockerfile, and writes them to docker/images.lock, one line a build argument. scripts/build-image.sh passes
# them on. The release workflow runs it. Needs docker buildx and a registry.
set -euo pipefail

if [ "${1:-}" = --help ]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
fi
cd "$(dirname "$0")/.."
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
while IFS='=' read -r name image; do
  digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "no digest for $image: found '$digest'" >&2; exit 1; }
  echo "$name=$image@$digest" >> "$fresh"
done < <(sed -nE 's/^ARG ([A-Z_]+_IMAGE)=(.+)$/\1=\2/p' docker/Dockerfile)
[ -s "$fresh" ] || { echo 'docker/Dockerfile names no base image in an ARG …_IMAGE' >&2; exit 1; }
cp "$fresh" docker/images.lock
cat docker/images.lock
