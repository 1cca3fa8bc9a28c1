#!/usr/bin/env bash
# npm run sbom > sbom.json: lists what production installs and what the console bundles, as CycloneDX. `npm sbom --omit=dev`
# leaves out packages that development uses too (npm 11), so this runs it on a copy of package.json without development
# dependencies.
set -euo pipefail

if [ "${1:-}" = --help ]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
fi
cd "$(dirname "$0")/.."
root=$PWD
parent=$(mktemp -d)
trap 'rm -rf "$parent"' EXIT
directory=$parent/streamforge # the SBOM names its subject after this directory
mkdir "$directory"
cp package.json package-lock.json "$directory"
cd "$directory"
npm pkg delete devDependencies optionalDependencies allowScripts scripts
npm install --package-lock-only --offline --ignore-scripts --silent > /dev/null
npm sbom --package-lock-only --sbom-format=cyclonedx --sbom-type=application | node "$root/scripts/sbom-bundled.mjs"
