#!/usr/bin/env bats
# The house rules of harness/lint.sh: each refuses its offence and leaves the
# twin alone that is one word away.

bats_require_minimum_version 1.5.0
load helper

setup() {
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree"
  cp "$TOP/.clang-format" "$tree"
}

# plant PATH TEXT...: a file of the tree, one line a word
plant() {
  mkdir -p "$tree/${1%/*}"
  printf '%s\n' "${@:2}" >"$tree/$1"
}

lint() { run "$TOP/harness/lint.sh" "$tree"; }

# refused PATH:LINE RULE: lint names the place and the rule, and fails
refused() {
  lint
  assert_failure
  assert_line --partial "$1: $2: "
  assert_line --regexp '^[0-9]+ passed, 1 failed$'
}

accepted() {
  lint
  assert_success
  assert_line --regexp '^[0-9]+ passed, 0 failed$'
}

# door HEADER RULE FILE: FILE may include HEADER, its neighbour may not
door() {
  plant "$3" "#include <$1>"
  accepted
  plant "${3%/*}/stray.c" "" "#include <$1>"
  if [[ $3 == ref/crypto/* && $2 == openssl ]]; then
    rm "$tree/${3%/*}/stray.c"
    plant ref/model/stray.c "" "#include <$1>"
    refused ref/model/stray.c:2 "$2"
  else
    refused "${3%/*}/stray.c:2" "$2"
  fi
}

@test "an empty tree is a failure, not a pass" {
  rm "$tree/.clang-format"
  lint
  assert_failure
  assert_line "0 passed, 1 failed"
}

@test "SQLite has one door, and its VFS" {
  door sqlite3.h sqlite ref/store/store.c
  rm "$tree/ref/store/stray.c"
  plant ref/store/vfs.c "#include <sqlite3.h>"
  accepted
}

@test "libxml2 has one door on each side" {
  door libxml/parser.h libxml ref/wire/xml.c
  rm -r "$tree/ref"
  door libxml/tree.h libxml harness/touchstone/xml.c
}

@test "PKCS#11 has one door" {
  door p11-kit/pkcs11.h pkcs11 ref/crypto/hsm_pkcs11.c
}

@test "libevent has two doors" {
  door event2/event.h libevent ref/base/loop.c
  rm -r "$tree/ref"
  door event2/http.h libevent ref/net/http_port.c
}

@test "OpenSSL has its folder, and one file elsewhere" {
  door openssl/evp.h openssl ref/crypto/cipher.c
  rm -r "$tree/ref"
  door openssl/ssl.h openssl ref/net/tls.c
  rm -r "$tree/ref"
  door openssl/ssl.h openssl harness/touchstone/tls.c
}

@test "jansson has one door" {
  door jansson.h jansson harness/touchstone/json.c
}

@test "cracklib has one door" {
  door crack.h cracklib ref/device/password.c
}

@test "the heap has one door" {
  plant ref/base/mem.c "void *p = malloc(1);"
  plant ref/model/object_test.c "void *p = malloc(1);"
  accepted
  local call
  for call in malloc calloc realloc free strdup; do
    plant ref/model/object.c "void *p;" "void *q = $call(p);"
    refused ref/model/object.c:2 heap
  done
}

@test "a name in a comment, a string or another name is no call" {
  plant ref/model/object.c \
    "/* free(p) and" " * malloc(1) */" \
    "const char *a = \"free(p)\";" \
    "int b = mem_free(c);" \
    "int d = e->free(f); // strdup(a)"
  accepted
  plant ref/model/object.c "/* free(p) */ int b = free(a);"
  refused ref/model/object.c:1 heap
}

@test "time and randomness enter through struct env" {
  plant ref/base/env.c "int a = clock_gettime(0, 0);" "int b = getrandom(0);"
  plant harness/touchstone/load.c "int a = clock_gettime(0, 0);"
  accepted
  plant ref/kmip/create.c "int a = time(NULL);"
  refused ref/kmip/create.c:1 clock
  plant ref/kmip/create.c "int a = RAND_bytes(0, 0);"
  refused ref/kmip/create.c:1 entropy
}

@test "no test waits for a time" {
  plant ref/base/loop_test.c "int a = poll(0, 0, 1);"
  plant spec-tests/a.bash "# shellcheck shell=bash" "wait" "# sleep 1"
  accepted
  plant ref/base/loop_test.c "int a = usleep(1);"
  refused ref/base/loop_test.c:1 sleep
  rm "$tree/ref/base/loop_test.c"
  plant spec-tests/a.bash "# shellcheck shell=bash" "sleep 1"
  refused spec-tests/a.bash:2 sleep
}

@test "includes in ref/ point up the list" {
  plant ref/model/a.c '#include "wire/ttlv.h"' '#include "base/err.h"' \
    '#include "model/object.h"' '#include "attr.def"'
  plant ref/net/b.c '#include "kmip/op.h"'
  plant ref/main.c '#include "net/conn.h"'
  accepted
  plant ref/model/a.c '#include "base/err.h"' '#include "store/store.h"'
  refused ref/model/a.c:2 include
}

@test "a dispatcher does not see another" {
  plant ref/kmip/a.c '#include "nae/request.h"'
  refused ref/kmip/a.c:1 include
}

@test "an include does not climb" {
  plant ref/kmip/a.c '#include "../base/err.h"'
  refused ref/kmip/a.c:1 include
}

@test "the server does not see the suite" {
  plant ref/kmip/a.c '#include "harness/touchstone/err.h"'
  refused ref/kmip/a.c:1 include
}

@test "the suite does not see the server" {
  plant harness/touchstone/a.c '#include "err.h"'
  accepted
  plant harness/touchstone/a.c '#include "base/err.h"'
  refused harness/touchstone/a.c:1 sides
  plant harness/touchstone/a.c '#include "err.h"'
  plant spec-tests/a.c '#include "ref/base/err.h"'
  refused spec-tests/a.c:1 sides
}

@test "a TODO names what it waits for" {
  plant ref/base/a.c "/* ""TODO""(KS-15-014): the other half */"
  accepted
  plant ref/base/a.c "/* ""TODO"": the other half */"
  refused ref/base/a.c:1 todo
  rm "$tree/ref/base/a.c"
  plant spec-tests/a.bash "# shellcheck shell=bash" "# ""TODO"" later"
  refused spec-tests/a.bash:2 todo
}

@test "a comment's line that was wrapped is found" {
  plant ref/base/a.h "/*" " *	word  what it says" " */"
  accepted
  plant ref/base/a.h "/*" " *	word  what it says" " *and more" " */"
  refused ref/base/a.h:3 comment
}

@test "structs are not typedef'd" {
  plant ref/base/a.c "struct a;"
  accepted
  plant ref/base/a.c "typedef struct a a;"
  refused ref/base/a.c:1 typedef
}

@test "clang-format settles layout, tables excepted" {
  plant ref/base/a.def "ROW(1,   2)"
  plant ref/base/a.c "int a = 1;"
  accepted
  plant ref/base/a.c "int  a = 1;"
  refused ref/base/a.c:1 format
}

@test "each kind of record has a row in the table of backups" {
  plant ref/device/backup_item.def 'KIND("user", "", ITEM_USERS)'
  plant ref/device/user.c '#define KIND_USER "user"' \
    'enum err rc = record_put(st, KIND_USER, key, value);'
  accepted
  plant ref/device/user.c '#define KIND_USER "users"'
  refused ref/device/user.c:1 kind
  plant ref/device/user.c 'static const char user_kind[] = "user";'
  accepted
  plant ref/device/user.c 'static const char user_kind[] = "users";'
  refused ref/device/user.c:1 kind
  plant ref/device/user.c "enum err rc = record_put(" \
    "    the_store_of(the_appliance), user_kind, the_key_of_it, its_value);"
  accepted
  plant ref/device/user.c "enum err rc = record_put(" \
    "    the_store_of(the_appliance), USERS, the_key_of_the_user, its_value);"
  refused ref/device/user.c:2 kind
  plant ref/device/user.c 'enum err rc = record_put(st, "kind", key, value);'
  refused ref/device/user.c:1 kind
  plant ref/device/user_test.c 'enum err rc = record_put(st, "x", key, value);'
  plant ref/device/user.c "int a = 1;"
  accepted
}

@test "shell passes shellcheck, with or without an ending" {
  # shellcheck disable=SC2016  # the planted script's own
  local good='echo "$1"' bad='echo $1'
  plant harness/a.sh "#!/bin/sh" "$good"
  plant harness/tool "#!/usr/bin/env bash" "$good"
  chmod +x "$tree/harness/tool"
  accepted
  plant harness/a.sh "#!/bin/sh" "$bad"
  refused harness/a.sh:2 shellcheck
  plant harness/a.sh "#!/bin/sh" "$good"
  plant harness/tool "#!/usr/bin/env bash" "" "$bad"
  refused harness/tool:3 shellcheck
}

@test "no blank at the end of a line of shell" {
  plant harness/a.sh "#!/bin/sh" "echo "
  refused harness/a.sh:2 blank
}
