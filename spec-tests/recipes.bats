#!/usr/bin/env bats
# docs/ci: the commands of the recipes are run as they stand. Stood in for are
# apt-get (nothing to install), git (the clone is this work tree, built
# already) and ./start-my-server (a reference appliance).
# bats file_tags=recipes

bats_require_minimum_version 1.5.0
load helper

setup() {
  job=$BATS_TEST_TMPDIR/job
  mkdir -p "$job/bin"
  cd "$job" || return
  stand_in apt-get 'exit 0'
  # shellcheck disable=SC2016  # the stand-in's own
  stand_in git '[ "$*" = "clone --depth 1 $TOUCHSTONE touchstone" ] || exit 9' \
    "ln -s '$TOP' touchstone"
  printf '%s\n' '#!/bin/sh' "cp '$job/target.conf' my.conf" >start-my-server
  chmod +x start-my-server
}

teardown() {
  if [ -d "$job/appliance" ]; then
    "$TOP/harness/appliance" stop "$job/appliance"
  fi
}

# stand_in NAME LINE...: a program that comes before the real one
stand_in() {
  printf '%s\n' '#!/bin/sh' "${@:2}" >"$job/bin/$1"
  chmod +x "$job/bin/$1"
}

appliance() {
  "$TOP/harness/appliance" start "$job/appliance" --real-time 3>&-
  ln -s appliance/target.conf target.conf
  # Paths in a target file are relative to it; a copy needs them whole.
  sed "s|^\([a-z_]*\(cert\|key\|ca\)[a-z_]*[ =]*\)\([^/ ]\)|\1$job/appliance/\3|" \
    appliance/target.conf >target.conf.new
  mv target.conf.new target.conf
}

# A server that is not there.
nobody() {
  cp "$TOP/harness/targets/example.conf" target.conf
}

# The shell lines of a recipe, in their order.
github() {
  awk '/^ *run: \|$/ { match($0, /^ */); deep = RLENGTH; next }
    deep { match($0, /^ */); if (RLENGTH > deep) print substr($0, deep + 3); else deep = 0 }' \
    "$TOP/docs/ci/github.yml"
}

gitlab() {
  awk '/^  [a-z_]*script:$/ { on = 1; next } /^  [a-z]/ { on = 0 }
    on { sub(/^ *- /, ""); print }' "$TOP/docs/ci/gitlab.yml"
}

# The job, as its runner would start it: stops at the first failure. The make
# around us is none of its business. The end of what it says is enough.
run_job() {
  # shellcheck disable=SC2016  # the inner shell's own
  run bash -o pipefail -c '"$@" 2>&1 | tail -n 20' job \
    env -u MAKEFLAGS -u MAKELEVEL -u T -u TARGET PATH="$job/bin:$PATH" \
    TOUCHSTONE=https://git.example.org/touchstone.git OASIS= \
    bash -e "$@"
}

conforms() {
  assert_success
  assert_line --regexp '^[1-9][0-9]* passed, 0 failed'
  assert_file_not_empty "$job/report/junit.xml"
  assert_file_not_empty "$job/report/report.html"
}

@test "both jobs say the same" {
  assert_equal "$(github)" "$(gitlab)"
  assert_equal "$(github | wc -l)" 5
}

@test "the GitHub job is green for a server that conforms" {
  appliance
  github >script
  run_job script
  conforms
}

@test "the GitLab job is green for a server that conforms" {
  appliance
  gitlab >script
  run_job script
  conforms
}

@test "a job is red for a server that is not there" {
  nobody
  github >script
  run_job script
  assert_failure
}

@test "the script is green for a server that conforms" {
  appliance
  run_job "$TOP/docs/ci/run-suite.sh" target.conf
  conforms
}

@test "the script is red for a server that is not there" {
  nobody
  run_job "$TOP/docs/ci/run-suite.sh" target.conf
  assert_failure
}
