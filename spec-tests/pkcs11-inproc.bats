#!/usr/bin/env bats
# The simulated card in the caller's process: libhsm-sim-inproc.so
# bats file_tags=hsm, pkcs11
bats_require_minimum_version 1.5.0

setup() {
  load helper
  module=$TOP/build/bin/libhsm-sim-inproc.so
  export HSM_SIM_DIR=$BATS_TEST_TMPDIR/card
  mkdir "$HSM_SIM_DIR"
}

tool() { pkcs11-tool --module "$module" --slot 1 "$@"; }
user() { tool --login --pin user-password "$@"; }

# A partition, its Crypto Officer, whose first password is changed.
partition() {
  tool --init-token --label foundry --so-pin so-password
  tool --init-pin --login --login-type so --so-pin so-password --pin first-one
  tool --change-pin --login --pin first-one --new-pin user-password
}

@test "The module exports C_GetFunctionList and nothing else" {
  run -0 bash -c "nm -D --defined-only '$module' | cut -d ' ' -f 3"
  assert_output C_GetFunctionList
}

@test "Partitions are slots from 1 on, empty at first" {
  export HSM_SIM_SLOTS=3
  run -0 pkcs11-tool --module "$module" --list-slots
  assert_output --partial "(0x1): Cryptovisor7 slot 1"
  assert_output --partial "(0x3): Cryptovisor7 slot 3"
  assert_output --partial "token state:   uninitialized"
  refute_output --partial "(0x4)"
}

# req: KSC-127
@test "A Crypto Officer's first password opens nothing but its change" {
  tool --init-token --label foundry --so-pin so-password
  tool --init-pin --login --login-type so --so-pin so-password --pin first-one
  run -1 tool --login --pin first-one --keygen --key-type AES:32
  assert_output --partial CKR_PIN_EXPIRED
  tool --change-pin --login --pin first-one --new-pin user-password
  user --keygen --key-type AES:32 --label made
  run -1 tool --login --pin first-one --list-objects
  assert_output --partial CKR_PIN_INCORRECT
}

@test "pkcs11-tool's own test finds nothing wrong" {
  partition
  user --keypairgen --key-type rsa:2048 --label signs --id 01 \
    --usage-sign --usage-decrypt
  user --keypairgen --key-type EC:prime256v1 --label curve --id 02 --usage-sign
  run -0 --separate-stderr user --test
  assert_line "No errors"
  # It has been through all of it: random numbers, digests, RSA both ways.
  assert_line --regexp "all 4 digest functions seem to work"
  assert_line --regexp "SHA256-RSA-PKCS: OK"
  assert_line --regexp "RSA-X-509: OK"
  # OAEP with SHA-256, with a label and without: what SoftHSM itself refuses.
  run -0 grep -c '^OK$' <<<"$output"
  assert_output 2
}

@test "Keys are there for the next process, and private ones only after login" {
  partition
  user --keygen --key-type AES:32 --label kek --id 0a --private
  user --keygen --key-type AES:32 --label everybodys --id 0b
  run -0 user --list-objects
  assert_output --partial "label:      kek"
  assert_output --partial "label:      everybodys"
  run -0 tool --list-objects
  assert_output --partial "label:      everybodys"
  refute_output --partial kek
}

@test "A directory is one process's at a time" {
  partition
  # While another process has it locked, as a card does.
  run -1 flock "$HSM_SIM_DIR" pkcs11-tool --module "$module" --list-slots
  assert_output --partial "another card is using it"
  run -0 user --list-objects
}
