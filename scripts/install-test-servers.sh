#!/usr/bin/env bash
# Installs what the tests need, from the packages of Debian or Ubuntu: PostgreSQL, PgBouncer, Redis and RabbitMQ, of which
# the tests start private instances; slowhttptest for slow clients; libfaketime for clocks that jump; promtool for the
# alerts; and a browser for the console and Swagger UI. No service of the machine is started or configured. Installed
# programs are left as they are.
set -euo pipefail

if [ "${1:-}" = --help ]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
fi

missing=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || missing+=(postgresql)
[ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
[ -x /usr/bin/redis-server ] || missing+=(redis-server)
compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' > /dev/null || missing+=(rabbitmq-server)
[ -x /usr/bin/slowhttptest ] || missing+=(slowhttptest)
compgen -G '/usr/lib/*/faketime/libfaketime.so.1' > /dev/null || missing+=(libfaketime)
[ -x /usr/bin/promtool ] || missing+=(prometheus) # for promtool; the server is not used
browsers=(/usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome)
found=''
for browser in "${browsers[@]}"; do [ -x "$browser" ] && found=$browser; done
[ -n "$found" ] || missing+=(chromium)

if [ ${#missing[@]} -eq 0 ]; then
  echo 'PostgreSQL, PgBouncer, Redis, RabbitMQ, slowhttptest, libfaketime, promtool and a browser are installed.'
  exit 0
fi

if ! command -v apt-get > /dev/null; then
  cat >&2 <<'TEXT'
This machine has no apt-get. Start PostgreSQL 15+, Redis 7+ and RabbitMQ 3.10+ (with its management plugin) yourself, for
example in containers, and set these variables for the tests:
  TEST_DATABASE_URL=postgres://user:password@host:5432/postgres     (may create databases)
  TEST_REDIS_URL=redis://host:6379
  TEST_RABBITMQ_URL=amqp://guest:guest@host:5672
  TEST_RABBITMQ_MANAGEMENT_URL=http://guest:guest@host:15672
Also put slowhttptest on the PATH (Homebrew has it). Tests of poolers need /usr/sbin/pgbouncer.
TEXT
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || { echo "Run this as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

echo "Installing ${missing[*]} ..."
export DEBIAN_FRONTEND=noninteractive

# Without this hook, the packages would start services of the machine; its exit code 101 tells Debian not to. An existing
# hook belongs to the machine and stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
  "${as_root[@]}" chmod 755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /tmp/streamforge-apt.log 2>&1 \
  || { tail -20 /tmp/streamforge-apt.log >&2; exit 1; }
echo 'Done.'
