#!/usr/bin/env bash
# Installs what the tests need and is not there yet: real Kafka clients from Debian, kafkajs from npm. Quiet; three tries per download.
set -uo pipefail
cd "$(dirname "$0")/.."

retry() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    sleep $((try * 2))
  done
  echo "set-up failed, three times: $*" >&2
  return 1
}

command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing: install it and run this again." >&2; exit 1; }
command -v node >/dev/null && command -v npm >/dev/null || {
  echo "Node.js with npm is missing: install it and run this again." >&2
  exit 1
}

packages=()
for package in kcat librdkafka-dev python3-confluent-kafka python3-kafka gcc libc6-dev strace openssl; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || packages+=("$package")
done
if [ ${#packages[@]} != 0 ]; then
  echo "installing ${packages[*]}"
  retry apt-get -qq update || exit 1
  DEBIAN_FRONTEND=noninteractive retry apt-get -qq -y --no-install-recommends install "${packages[@]}" >/dev/null || exit 1
fi

# The package index that the acceptance test produces; some images come without it.
if [ "$(apt-cache dumpavail 2>/dev/null | grep -c '^Package:')" -lt 10000 ]; then
  retry apt-get -qq update || exit 1
fi

if [ -f tests/RaftMq.Conformance/clients/package-lock.json ] && [ ! -d tests/RaftMq.Conformance/clients/node_modules/kafkajs ]; then
  (cd tests/RaftMq.Conformance/clients && retry npm ci --silent --no-audit --no-fund) || exit 1
fi
