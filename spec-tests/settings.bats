#!/usr/bin/env bats
# The table of settings, and what follows from its rows
# bats file_tags=settings
bats_require_minimum_version 1.5.0

setup() {
  load helper
  tree=$BATS_TEST_TMPDIR/tree
}

@test "docs/settings.md is what the table of settings says" {
  "$TOP/build/bin/touchstone-ref" --print-settings >"$BATS_TEST_TMPDIR/page"
  diff -u "$TOP/docs/settings.md" "$BATS_TEST_TMPDIR/page"
}

# follow PAGE: a copy of ref/ in $tree to which the page's blocks are added, each
# at the end of the file that its first line names
follow() {
  mkdir "$tree"
  cp -r "$TOP/ref" "$tree"
  awk -v tree="$tree" '
    /^```c / { file = tree "/" $2; next }
    /^```$/ { file = "" }
    file != "" { print >>file }
  ' "$1"
}

# compile UNIT: an object of $tree, as the optimised build has it but for time
compile() {
  cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fPIE -O0 \
    -I"$tree/ref" -c -o "$tree/${1//\//.}.o" "$tree/$1"
}

# program: of what was compiled, and of the server's own objects for the rest
program() {
  local libs
  libs=$(sed -n 's/^REF_LIBS := //p' "$TOP/build/libs.mk")
  # shellcheck disable=SC2086  # words are wanted
  cc -pie -o "$tree/program" "$tree"/*.o "$TOP/build/opt/libref.a" $libs -lcmocka
}

@test "A setting and a command are added as docs/adding.md says" {
  follow "$TOP/docs/adding.md"
  for unit in device/settings.c cli/command.c cli/settings.c \
    cli/greet.c cli/greet_test.c; do
    compile "ref/$unit"
  done
  program
  run "$tree/program"
  assert_success
  assert_output --partial "[  PASSED  ] 2 test(s)."
}

@test "A command that names no access control does not compile" {
  follow "$TOP/docs/adding.md"
  compile ref/cli/command.c
  sed -i '/^COMMAND("greet/s/ACT_LOOK, //' "$tree/ref/cli/command.def"
  run compile ref/cli/command.c
  assert_failure
  assert_output --partial "COMMAND"
}
