#!/usr/bin/env bats
# The card over its socket: libhsm-sim.so, its applications and its end
# bats file_tags=hsm, pkcs11
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load card
  load apps
  module=$TOP/build/bin/libhsm-sim.so
  card_start --model luna7
  cd "$CARD_HOME" || return
}

teardown() {
  apps_stop
  card_stop
}

tool() { pkcs11-tool --module "$module" --slot 1 "$@"; }
user() { tool --login --pin Zk7q-vT9x-Wm2P "$@"; }

# A partition, its Crypto Officer, whose first password is changed.
partition() {
  tool --init-token --label foundry --so-pin so-password
  tool --init-pin --login --login-type so --so-pin so-password --pin first-one
  tool --change-pin --login --pin first-one --new-pin Zk7q-vT9x-Wm2P
}

# app_user NAME: with a session, and logged in
app_user() {
  app "$1" initialize CKR_OK
  app "$1" open CKR_OK
  app "$1" login Zk7q-vT9x-Wm2P CKR_OK
}

# --- the module ---------------------------------------------------------------

@test "The module exports C_GetFunctionList and nothing else" {
  run -0 bash -c "nm -D --defined-only '$module' | cut -d ' ' -f 3"
  assert_output C_GetFunctionList
}

@test "The socket is card/p11.sock, or what HSM_SIM_SOCKET says" {
  run -0 pkcs11-tool --module "$module" --list-slots
  assert_output --partial "(0x1): Cryptovisor7 slot 1"
  mkdir elsewhere
  cd elsewhere
  run -1 pkcs11-tool --module "$module" --list-slots
  assert_output --partial "CKR_DEVICE_REMOVED"
  HSM_SIM_SOCKET=../card/p11.sock run -0 pkcs11-tool --module "$module" \
    --list-slots
  assert_output --partial "(0x1): Cryptovisor7 slot 1"
}

@test "C_Initialize takes locks of any kind, but no half of them" {
  apps_start
  app a info CKR_CRYPTOKI_NOT_INITIALIZED
  app a slots CKR_CRYPTOKI_NOT_INITIALIZED
  app a finalize CKR_CRYPTOKI_NOT_INITIALIZED
  app a initialize reserved CKR_ARGUMENTS_BAD
  app a initialize half CKR_ARGUMENTS_BAD
  for how in "" own nolocks; do
    app a initialize $how CKR_OK
    app a initialize $how CKR_CRYPTOKI_ALREADY_INITIALIZED
    app a slots "CKR_OK 1"
    app a info "CKR_OK Touchstone simulator"
    app a finalize CKR_OK
    app a slots CKR_CRYPTOKI_NOT_INITIALIZED
  done
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

# --- applications -------------------------------------------------------------

@test "A login is one application's, and so is a logout" {
  partition
  apps_start
  app_user a
  app a make kek CKR_OK
  app a seal kek CKR_OK
  app b initialize CKR_OK
  app b open CKR_OK
  app b state "CKR_OK CKS_RW_PUBLIC_SESSION"
  app b find kek "CKR_OK 0"
  app b login a-wrong-one CKR_PIN_INCORRECT
  app b login Zk7q-vT9x-Wm2P CKR_OK
  app b find kek "CKR_OK 1"
  app b logout CKR_OK
  app b find kek "CKR_OK 0"
  app a state "CKR_OK CKS_RW_USER_FUNCTIONS"
  app a unseal CKR_OK
  app b finalize CKR_OK
  app a unseal CKR_OK
}

@test "A key that one application destroys is gone for the other" {
  partition
  apps_start
  app_user a
  app_user b
  app a make kek CKR_OK
  app b seal kek CKR_OK
  # often enough that its Init is held back from now on
  app b unseal CKR_OK
  app b unseal CKR_OK
  app a destroy kek CKR_OK
  app b unseal CKR_KEY_HANDLE_INVALID
  app b unseal CKR_KEY_HANDLE_INVALID
  app b find kek "CKR_OK 0"
}

@test "Eight clients start and log in at once, twenty times, without a failure" {
  partition
  user --keygen --key-type AES:32 --label kek --private
  apps_start
  app burst 8 20 Zk7q-vT9x-Wm2P kek "starts=160 failures=0"
  # and the burst can tell: a wrong password fails eight times
  app burst 8 1 a-wrong-one kek "starts=8 failures=8"
}

# --- fork ---------------------------------------------------------------------

@test "A forked child can do nothing, and takes nothing from its parent" {
  partition
  apps_start
  app_user a
  app a make kek CKR_OK
  app a seal kek CKR_OK
  app a fork unseal CKR_CRYPTOKI_NOT_INITIALIZED
  app a fork state CKR_CRYPTOKI_NOT_INITIALIZED
  app a fork logout CKR_CRYPTOKI_NOT_INITIALIZED
  app a fork finalize CKR_CRYPTOKI_NOT_INITIALIZED
  app a unseal CKR_OK
  app a state "CKR_OK CKS_RW_USER_FUNCTIONS"
  # it may begin anew, as another application
  app a fork initialize CKR_OK
  app a unseal CKR_OK
}

@test "A child that lives on does not keep its parent's connections" {
  partition
  apps_start
  app_user a
  connections=$(readlink -f "/proc/$CARD_PID/fd/"* | grep -c socket:)
  app a hold state CKR_CRYPTOKI_NOT_INITIALIZED
  app a finalize CKR_OK
  # the card has seen the end of them, although the child is still there
  app b initialize CKR_OK
  app b finalize CKR_OK
  wait_for_sockets $((connections - 1))
  app a drop CKR_OK
}

# wait_for_sockets COUNT: until the card has no more than so many
wait_for_sockets() {
  local have
  for ((n = 0; n < 200; n++)); do
    have=$(readlink -f "/proc/$CARD_PID/fd/"* | grep -c socket:)
    [ "$have" -gt "$1" ] || return 0
    # a round trip of somebody else's lets the card run
    tool --list-slots >/dev/null
  done
  echo "want $1 sockets, have $have"
  return 1
}

# --- the end of a card --------------------------------------------------------

@test "When the card is killed every call says so, until C_Initialize anew" {
  partition
  apps_start
  app_user a
  app a make kek CKR_OK
  app a seal kek CKR_OK
  kill -KILL "$CARD_PID"
  card_gone
  app a unseal CKR_DEVICE_REMOVED
  app a state CKR_DEVICE_REMOVED
  app b initialize CKR_DEVICE_REMOVED
  card_boot
  app a unseal CKR_DEVICE_REMOVED
  app a initialize CKR_CRYPTOKI_ALREADY_INITIALIZED
  app a finalize CKR_OK
  app a initialize CKR_OK
  # the login has gone with the card, the key has not
  app a state CKR_SESSION_HANDLE_INVALID
  app a open CKR_OK
  app a state "CKR_OK CKS_RW_PUBLIC_SESSION"
  app a login Zk7q-vT9x-Wm2P CKR_OK
  app a find kek "CKR_OK 1"
  app a seal kek CKR_OK
  app a unseal CKR_OK
}

@test "A card that hangs is given up after HSM_SIM_TIMEOUT_MS" {
  partition
  export HSM_SIM_TIMEOUT_MS=2000
  apps_start
  app_user a
  hsmctl fault latency op=C_GetSessionInfo ms=60000
  app a state CKR_DEVICE_ERROR
  app a slots CKR_DEVICE_ERROR
  hsmctl fault clear
  app a finalize CKR_OK
  app_user a
  app a state "CKR_OK CKS_RW_USER_FUNCTIONS"
}

@test "A timeout that is none is refused" {
  for wrong in 0 -1 x 1x 86400001 99999999999999999999; do
    HSM_SIM_TIMEOUT_MS=$wrong run -1 pkcs11-tool --module "$module" \
      --list-slots
    assert_output --partial CKR_GENERAL_ERROR
  done
  HSM_SIM_TIMEOUT_MS=86400000 run -0 pkcs11-tool --module "$module" --list-slots
}

# --- secrets ------------------------------------------------------------------

# scan_card OPTION...: the card's memory and files, for runs of 8 octets
scan_card() {
  "$TOP/build/bin/scan" --pid "$CARD_PID" --dir card --run 8 "$@"
}

@test "A password is in the card while its login is under way, and nowhere afterwards" {
  partition
  printf Zk7q-vT9x-Wm2P >password
  apps_start
  app a initialize CKR_OK
  app a open CKR_OK
  hsmctl fault latency op=C_Login ms=60000
  tell a login Zk7q-vT9x-Wm2P
  run scan_card --key password --await
  assert_failure 1
  assert_line --regexp "^memory .*: 14 octets of password, as octets$"
  refute_line --regexp "^file "
  card_clock advance 61s
  told CKR_OK
  app a state "CKR_OK CKS_RW_USER_FUNCTIONS"
  run scan_card --key password
  assert_success
  assert_output --regexp '^0 found in [0-9]{7,} octets$'
}

# --- what comes over the socket ----------------------------------------------

# says HEX: what the card answers, until it closes, in the hello's columns
says() {
  /usr/bin/python3 - card/p11.sock "$@" <<'END'
import socket, sys

with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(bytes.fromhex(sys.argv[2]))
    got = b""
    while piece := s.recv(4096):
        got += piece
columns = (got[:8], got[8:10], got[10:12], got[12:16], got[16:])
print(" ".join(c.hex() for c in columns if c))
END
}

@test "Who speaks another protocol, or another version, is told and left" {
  zeros=$(printf '0%.0s' {1..32})
  run -0 says "4745542f20485454502f312e310d0a0d0a $zeros"
  assert_output ""
  run -0 says "4853494d2d503131 0007 0000 00000000 $zeros"
  assert_output "4853494d2d503131 0001 0001 00000000 $zeros"
  run -0 pkcs11-tool --module "$module" --list-slots
  assert_output --partial "(0x1): Cryptovisor7 slot 1"
}
