#!/bin/bash
# HEALTHCHECK of the image: exit code 0 if this process is ready at PORT. It runs every few seconds, so it starts no
# Node.js, which takes a hundred times the CPU and does not answer in time on a busy machine. It prints the response,
# so that docker inspect shows which dependency is down.
set -u
exec 3<> "/dev/tcp/127.0.0.1/${PORT:-3000}" || exit 1
printf 'GET /ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
IFS= read -r -t 4 status <&3 || { echo 'no response within 4 s' >&2; exit 1; }
printf '%s\n' "$status"
while IFS= read -r -t 4 line <&3 || [ -n "${line:-}" ]; do printf '%s\n' "$line"; done
[[ $status == *' 200 '* ]]
