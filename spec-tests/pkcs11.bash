# shellcheck shell=bash
# Tokens for the PKCS#11 suites, and the program at them: $P11_MODULE, and
# $P11_TOKEN with $P11_PIN and $P11_SO_PIN. Each test has a token of its own.

SOFTHSM=/usr/lib/softhsm/libsofthsm2.so
P11_TOKEN=touchstone-p11

# pins USER SO: into files, as the program takes them
pins() {
  P11_PIN=$1
  P11_SO_PIN=$2
  printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/pin"
  printf '%s\n' "$2" >"$BATS_TEST_TMPDIR/so-pin"
}

# softhsm_token: raw SoftHSM, with a configuration of this test
softhsm_token() {
  export SOFTHSM2_CONF=$BATS_TEST_TMPDIR/softhsm2.conf
  mkdir "$BATS_TEST_TMPDIR/tokens"
  printf '%s\n' "directories.tokendir = $BATS_TEST_TMPDIR/tokens" \
    'objectstore.backend = file' 'log.level = ERROR' \
    'library.reset_on_fork = false' >"$SOFTHSM2_CONF"
  pins 1234 5678
  softhsm2-util --init-token --free --label "$P11_TOKEN" --pin "$P11_PIN" \
    --so-pin "$P11_SO_PIN"
  P11_MODULE=$SOFTHSM
}

# partition: give the one slot of $P11_MODULE a label and PINs. The first PIN of
# a Crypto Officer is good for nothing but to be changed.
partition() {
  pins officer-password partition-so-password
  tool --init-token --label "$P11_TOKEN" --so-pin "$P11_SO_PIN"
  tool --login --login-type so --so-pin "$P11_SO_PIN" --init-pin \
    --pin first-password
  tool --login --pin first-password --change-pin --new-pin "$P11_PIN"
}

# inproc_token VARIANT: the card in the process of whoever loads the module
inproc_token() {
  P11_MODULE=$TOP/build/$1/libhsm-sim-inproc.so
  export HSM_SIM_DIR=$BATS_TEST_TMPDIR/card
  mkdir "$HSM_SIM_DIR"
  partition
}

# daemon_token VARIANT: a card of its own process, $CARD_PID
daemon_token() {
  P11_MODULE=$TOP/build/$1/libhsm-sim.so
  mkdir "$BATS_TEST_TMPDIR/card"
  "$TOP/build/$1/hsmcardd" --dir "$BATS_TEST_TMPDIR/card" --model luna7 \
    >"$BATS_TEST_TMPDIR/card.out" 2>&1 3>&- &
  CARD_PID=$!
  wait_for ready "$BATS_TEST_TMPDIR/card.out"
  export HSM_SIM_SOCKET=$BATS_TEST_TMPDIR/card/p11.sock
  partition
}

# token_stop: harmless when there is no daemon
token_stop() {
  [ -n "${CARD_PID-}" ] || return 0
  kill "$CARD_PID"
  wait "$CARD_PID" || true
  CARD_PID=
}

# tool ARGS...: opensc's pkcs11-tool at the one slot
tool() {
  pkcs11-tool --module "$P11_MODULE" --slot-index 0 "$@" 2>&1
}

# p11 ARGS...: the program at that token, with both PINs
p11() {
  "$TOP/build/${P11_VARIANT-bin}/touchstone-p11" --module "$P11_MODULE" \
    --token "$P11_TOKEN" --pin-file "$BATS_TEST_TMPDIR/pin" \
    --so-pin-file "$BATS_TEST_TMPDIR/so-pin" "$@"
}

# counted N WORD: the last line of $output says so
counted() {
  assert_line --regexp "(^|, )$1 $2(,|\$)"
}
