#!/usr/bin/env bash
# Sets up what the tests need, builds, and runs all of them. --full runs the long form of everything, about 70 minutes on two cores.
# Needs a Debian machine with the .NET 10 SDK; everything else is installed here. Ends with "N passed, M failed".
set -uo pipefail
cd "$(dirname "$0")/.."

full=0
for argument in "$@"; do
  case "$argument" in
    --full) full=1 ;;
    *) echo "usage: tests/run.sh [--full]" >&2; exit 2 ;;
  esac
done
if [ "$full" = 1 ]; then export RAFTMQ_FULL=1; fi
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

passed=0
failed=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit $?
}

# stage NAME COMMAND...: runs it, prints its time; a failing stage that is no test ends the run.
stage() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    echo "== $name: $((SECONDS - start)) s"
  else
    echo "== $name: FAILED after $((SECONDS - start)) s"
    failed=$((failed + 1))
    finish
  fi
}

# suite PROJECT-FOLDER: runs a built test project and adds its counts.
suite() {
  local folder=$1 name start=$SECONDS
  name=$(basename "$folder")
  local program=$folder/bin/Release/net10.0/$name log=$results/$name.log
  # Explicit tests are those of the long form only.
  "$program" -noColor -noLogo -explicit "$([ "$full" = 1 ] && echo on || echo off)" >"$log" 2>&1
  local code=$?
  # The run's own count is believed only when the program says so itself; a crash counts as one failure.
  local line total errors bad skipped
  line=$(grep -E "Total: [0-9]+" "$log" | tail -1)
  total=$(sed -nE 's/.*Total: ([0-9]+).*/\1/p' <<<"$line")
  errors=$(sed -nE 's/.*Errors: ([0-9]+).*/\1/p' <<<"$line")
  bad=$(sed -nE 's/.*Failed: ([0-9]+).*/\1/p' <<<"$line")
  skipped=$(sed -nE 's/.*Skipped: ([0-9]+).*/\1/p' <<<"$line")
  total=$((${total:-0} - $(sed -nE 's/.*Not Run: ([0-9]+).*/\1/p' <<<"${line:-Not Run: 0}" || echo 0)))
  : "${total:=0}" "${errors:=0}" "${bad:=0}" "${skipped:=0}"
  if [ "$total" = 0 ] || { [ "$code" != 0 ] && [ $((bad + errors)) = 0 ]; }; then errors=$((errors + 1)); fi
  if [ "$skipped" != 0 ]; then errors=$((errors + skipped)); echo "   $name skipped $skipped tests: a skipped test is a failed one"; fi
  passed=$((passed + total - bad - skipped))
  failed=$((failed + bad + errors))
  if [ $((bad + errors)) != 0 ]; then
    # Each failure by name and first words, then the end of it all: what is cut off between must not hide a name.
    grep -E -A 9 "\[FAIL\]" "$log" | cut -c 1-400 | head -n 200
    echo "   ... the end of $log:"
    tail -n 40 "$log" | cut -c 1-400
  else
    grep -E "^ *(first seed|kill:|figures:)" "$log"
  fi
  echo "   $name: $total tests, $((bad + errors)) failed, $((SECONDS - start)) s"
}

retry() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    echo "try $try of 3 failed: $*" >&2
    sleep $((try * 2))
  done
  return 1
}

set_up() { bash tests/set-up.sh; }

restore() { retry dotnet restore RaftMq.sln -v quiet; }

build() { dotnet build RaftMq.sln --no-restore -c Release -v quiet -clp:ErrorsOnly; }

format() { dotnet format RaftMq.sln --no-restore --verify-no-changes --severity error whitespace; }

stage "set-up" set_up
stage "restore" restore
stage "build" build
stage "format" format

echo "== unit tests"
start=$SECONDS
for folder in tests/RaftMq.*.Tests; do
  case "$(basename "$folder")" in RaftMq.Simulation.Tests) continue ;; esac
  suite "$folder"
done
echo "== unit tests: $((SECONDS - start)) s"

# fuzz NAME ARGUMENTS...: one test of the fuzzer's.
fuzz() {
  local name=$1 log=$results/fuzz-$1.log
  shift
  if tests/RaftMq.Fuzz/bin/Release/net10.0/RaftMq.Fuzz "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    # All of it: an input that was found is in there as text.
    head -c 400000 "$log"
  fi
}

# A commit has seeds of its own, so that its check can be repeated; without git the simulator's come from the clock.
commit=$(git rev-parse HEAD 2>/dev/null) && own_seed=$((16#${commit:0:15}))

echo "== fuzzing"
start=$SECONDS
if [ "$full" = 1 ]; then export RAFTMQ_FUZZ_SECONDS=60; fi
fuzz bait --bait --inputs 3000000
if [ -n "${own_seed:-}" ]; then export RAFTMQ_FUZZ_SEED=$own_seed; fi
fuzz formats --side-by-side
tail -n 1 "$results/fuzz-formats.log"
echo "== fuzzing: $((SECONDS - start)) s"

planted() {
  local log=$results/planted.log
  retry dotnet build tests/RaftMq.PlantedBugs -c Planted -p:RunAnalyzers=false -v quiet -clp:ErrorsOnly >"$log" 2>&1 &&
    tests/RaftMq.PlantedBugs/bin/Planted/net10.0/RaftMq.PlantedBugs --daily 40 >>"$log" 2>&1
  local code=$?
  # One line for each bug that was hunted today.
  grep -E "^[A-Za-z]+: found in" "$log"
  if [ "$code" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); tail -n 40 "$log"; fi
}

echo "== planted bugs"
start=$SECONDS
planted
echo "== planted bugs: $((SECONDS - start)) s"

echo "== simulation"
start=$SECONDS
if [ "$full" = 0 ]; then
  export RAFTMQ_SIM_SEEDS=330
  if [ -n "${own_seed:-}" ]; then export RAFTMQ_SIM_FIRST=$own_seed; fi
fi
suite tests/RaftMq.Simulation.Tests
echo "== simulation: $((SECONDS - start)) s"

echo "== conformance and kill test"
start=$SECONDS
suite tests/RaftMq.Conformance
suite chaos/RaftMq.Chaos
echo "== conformance and kill test: $((SECONDS - start)) s"

finish
