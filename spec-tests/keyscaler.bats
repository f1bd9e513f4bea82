#!/usr/bin/env bats
# An application like the KeyScaler guide's, with a partition that was prepared
# by the guide's session: through the daemon's module, and with the card in the
# application's own process.
# bats file_tags=hsm, keyscaler
bats_require_minimum_version 1.5.0

po=po-password first=first-password co=co-password cu=cu-password

# lunacm LINES...: what is typed into it
lunacm() {
  (cd "$CARD_HOME" && printf '%s' "${@/%/$'\n'}" | "$TOP/build/bin/lunacm")
}

# prepare SLOT LABEL: that partition with its roles
prepare() {
  lunacm "slot set -slot $1" "par init -label $2" "$po" "$po" proceed d d \
    'role login -name po' "$po" 'role init -name co' "$first" "$first" \
    'role logout' 'role login -name co' "$first" \
    'role changepw -name co' "$first" "$co" "$co" \
    'role init -name cu' "$cu" "$cu" >"$CARD_HOME/prepared"
  [ "$(grep -c 'Command Result : No Error' "$CARD_HOME/prepared")" = 8 ]
}

# Two partitions, made once: each test has a copy of the card.
setup_file() {
  load helper
  load card
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR card_start --model luna7 --slots 2
  prepare 1 foundry
  prepare 2 other
  card_stop
}

setup() {
  load helper
  load card
  MODULE=''
  for name in po first co cu; do
    echo "${!name}" >"$BATS_TEST_TMPDIR/$name"
  done
  cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
  card_stop
}

# ---------------------------------------------------------------------------

# with MODULE [OPTIONS]: a card of its own for app, and options of the daemon
with() {
  card_off
  MODULE=$1
  CARD_HOME=$BATS_TEST_TMPDIR/home
  rm -rf "$CARD_HOME"
  cp -r "$BATS_FILE_TMPDIR/home" "$CARD_HOME"
  card_options=(--lab lab/card.sock --clock clock --model luna7 --slots 2
    "${@:2}")
  card_on
}

# card_on, card_off: where the card is a process
card_on() {
  [ "$MODULE" != libhsm-sim.so ] || card_boot
}

card_off() {
  [ "$MODULE" != libhsm-sim.so ] || card_stop
}

# app_at OPTIONS...: the application, with the card of this test
app_at() {
  HSM_SIM_SOCKET=$CARD_HOME/card/p11.sock HSM_SIM_DIR=$CARD_HOME/card \
    HSM_SIM_SLOTS=2 LOG=card:error \
    "$TOP/build/bin/keyscaler" --module "$TOP/build/bin/$MODULE" "$@"
}

# app COMMAND...: as the guide's wizard sets it up
app() {
  app_at --slot 1 --partition-name foundry --password-file co "$@"
}

# the modules that the whole use is tried with
modules=(libhsm-sim.so libhsm-sim-inproc.so)

# ---------------------------------------------------------------------------

# req: KSC-005 KSC-111 KSC-112 KSC-115 KSC-165 KSC-166
@test "Master key and CA are made, used, and found again after a restart" {
  head -c 5000 "$TOP/Makefile" >plain
  local module
  for module in "${modules[@]}"; do
    with "$module"
    run app seal plain sealed
    assert_output 'error 0 keys are called kms-master'
    run app setup
    assert_output ok
    run app list
    assert_equal "$(sort <<<"$output")" $'ok\nprivate kms-ca\npublic kms-ca\nsecret kms-master'
    app seal plain sealed
    run app work 3
    assert_output ok
    card_off
    card_on
    run ! cmp -s plain sealed
    app open sealed opened
    cmp plain opened
    # not made a second time
    run -1 app setup
    assert_output 'error kms-master is there already'
    # one octet of it changed
    printf '\377' | dd of=sealed bs=1 seek=100 conv=notrunc status=none
    run -1 app open sealed opened
    assert_output 'error C_Decrypt: CKR_ENCRYPTED_DATA_INVALID'
  done
}

# req: KSC-007
@test "What the partition encrypts, OpenSSL encrypts to the same" {
  local module key iv
  key=$(printf '%02x' {0..31})
  iv=$(printf '%02x' {16..31})
  head -c 1000 "$TOP/Makefile" >plain
  openssl enc -aes-256-cbc -K "$key" -iv "$iv" -in plain -out expected
  for module in "${modules[@]}"; do
    with "$module"
    app known "$key" "$iv" plain got
    cmp expected got
    app known "${key/1f/1e}" "$iv" plain got
    run ! cmp -s expected got
  done
}

# req: KSC-008
@test "The partition's CA certifies a device, and OpenSSL believes it" {
  openssl ecparam -name prime256v1 -genkey -noout -out device.key
  openssl pkey -in device.key -pubout -outform DER -out device.pub
  local module
  for module in "${modules[@]}"; do
    with "$module"
    app setup
    app ca ca.der
    app certify device-0001 device.pub device.der
    openssl x509 -inform DER -in ca.der -out ca.pem
    openssl x509 -inform DER -in device.der -out device.pem
    run openssl verify -CAfile ca.pem device.pem
    assert_output 'device.pem: OK'
    run openssl x509 -in device.pem -noout -subject -issuer
    assert_output $'subject=CN = device-0001\nissuer=CN = kms-ca'
    # another partition's CA of the same name is another CA
    app_at --slot 2 --password-file co setup
    app_at --slot 2 --password-file co ca other.der
    openssl x509 -inform DER -in other.der -out other.pem
    run -2 openssl verify -CAfile other.pem device.pem
    assert_output --partial 'signature failure'
  done
}

# req: KSC-009
@test "Each tenant has a key of its own, which a restart leaves it" {
  echo message >message
  local module
  for module in "${modules[@]}"; do
    with "$module"
    app setup
    app tenant acme
    app tenant emca
    card_off
    card_on
    app sign acme message signature
    app public acme acme.der
    app public emca emca.der
    run openssl dgst -sha256 -verify acme.der -keyform DER \
      -signature signature message
    assert_output 'Verified OK'
    run -1 openssl dgst -sha256 -verify emca.der -keyform DER \
      -signature signature message
    run -1 app sign nobody message signature
    assert_output 'error 0 keys are called nobody'
  done
}

# req: KSC-006
@test "No secret leaves the partition, and none can be made to" {
  local module
  for module in "${modules[@]}"; do
    with "$module"
    app setup
    run app guard
    assert_output "read the master key: CKR_ATTRIBUTE_SENSITIVE
read the private exponent: CKR_ATTRIBUTE_SENSITIVE
read a prime: CKR_ATTRIBUTE_SENSITIVE
wrap the master key: CKR_KEY_UNEXTRACTABLE
wrap the CA's key: CKR_KEY_UNEXTRACTABLE
make it extractable: CKR_ATTRIBUTE_READ_ONLY
make it less sensitive: CKR_ATTRIBUTE_READ_ONLY
make the CA's key less sensitive: CKR_ATTRIBUTE_READ_ONLY
ok"
  done
}

# The application is no friend of ours: any maker's module does.
@test "The same application works with bare SoftHSM" {
  mkdir tokens
  echo "directories.tokendir = $PWD/tokens" >softhsm2.conf
  export SOFTHSM2_CONF=$PWD/softhsm2.conf
  softhsm2-util --init-token --free --label foundry --so-pin "$po" --pin "$co"
  soft() {
    "$TOP/build/bin/keyscaler" --module /usr/lib/softhsm/libsofthsm2.so \
      --partition-name foundry --password-file co "$@"
  }
  soft setup
  run soft work 3
  assert_output ok
  run soft guard
  assert_success
  run -1 soft setup
  assert_output 'error kms-master is there already'
}

# ---- the partition, its name and its password ----

# req: KSC-044 KSC-045 KSC-160
@test "The partition is found by the slot and the name that par showinfo shows" {
  with libhsm-sim.so
  run lunacm 'slot set -slot 2' 'par showinfo'
  slot=$(sed -n 's/^    Slot Id -> //p' <<<"$output")
  name=$(sed -n 's/^    Partition Label -> //p' <<<"$output")
  app_at --slot "$slot" --partition-name "$name" --password-file co setup
  app_at --slot "$slot" --password-file co work 1
  app_at --partition-name "$name" --password-file co work 1
  # which is not the other one
  run -1 app work 1
  assert_output 'error 0 keys are called kms-master'
}

# docs/decisions.md, KSC-046
# req: KSC-044 KSC-045
@test "A slot and a name that are not of one partition are refused" {
  local module
  for module in "${modules[@]}"; do
    with "$module"
    run -1 app_at --slot 2 --partition-name foundry --password-file co list
    assert_output 'error the partition in slot 2 is not called foundry'
    run -1 app_at --slot 3 --partition-name foundry --password-file co list
    assert_output 'error C_GetTokenInfo: CKR_SLOT_ID_INVALID'
    run -1 app_at --slot 0 --password-file co list
    assert_output 'error C_GetTokenInfo: CKR_SLOT_ID_INVALID'
    run -1 app_at --partition-name found --password-file co list
    assert_output 'error 0 partitions are called found'
    run -1 app_at --partition-name FOUNDRY --password-file co list
    assert_output 'error 0 partitions are called FOUNDRY'
  done
}

# req: KSC-047 KSC-161 KSC-162
@test "The password is the Crypto Officer's, and the changed one" {
  echo d >domain
  local module wrong
  for module in "${modules[@]}"; do
    with "$module"
    run app list
    assert_output ok
    for wrong in first po cu domain; do
      run -1 app_at --slot 1 --password-file "$wrong" list
      assert_output 'error C_Login: CKR_PIN_INCORRECT'
    done
  done
}

# req: KSC-020 KSC-026 KSC-118 KSC-127
@test "An application waits for partition, Crypto Officer and changed password" {
  with libhsm-sim.so
  card_off
  card_options+=(--slots 3)
  card_on
  new() { app_at --slot 3 --password-file first "$@"; }
  run -1 new list
  assert_output 'error C_OpenSession: CKR_TOKEN_NOT_RECOGNIZED'
  lunacm 'slot set -slot 3' 'par init -label new -domain d' "$po" "$po" proceed
  run -1 new list
  assert_output 'error C_Login: CKR_USER_PIN_NOT_INITIALIZED'
  lunacm 'slot set -slot 3' 'role login -name po' "$po" \
    'role init -name co' "$first" "$first"
  run -1 new setup
  assert_output --partial ': CKR_PIN_EXPIRED'
  lunacm 'slot set -slot 3' 'role login -name co' "$first" \
    'role changepw -name co' "$first" "$co" "$co"
  run app_at --slot 3 --password-file co setup
  assert_output ok
  # for a Crypto User it does not wait
  run app_at --slot 3 --password-file co work 1
  assert_output ok
  run -1 app_at --slot 3 --role cu --password-file cu list
  assert_output 'error C_Login: CKR_USER_PIN_NOT_INITIALIZED'
}

# req: KSC-140 KSC-143 KSC-144 KSC-145
@test "The flags that par showinfo shows are those of C_GetTokenInfo" {
  with libhsm-sim.so
  run lunacm 'par showinfo'
  shown=$(sed -n '/Token Flags/,/RPV/s/^ *\(CKF_.*\)/\1/p' <<<"$output")
  maker=$(sed -n 's/^ *Partition Manufacturer -> //p' <<<"$output")
  assert_equal "$(wc -l <<<"$shown")" 5
  run app flags
  assert_output "manufacturer $maker
$shown
ok"
  with libhsm-sim-inproc.so
  run app flags
  assert_output "manufacturer $maker
$shown
ok"
}

# ---- what the roles may do ----

# storage: as par showinfo has it: used, free, objects
storage() {
  lunacm 'role login -name co' "$co" 'par showinfo' | awk -F ': *' '
    /Used Storage/ { used = $2 } /Free Storage/ { free = $2 }
    /Object Count/ { print used, free, $2 }'
}

# req: KSC-113 KSC-114 KSC-152 KSC-153 KSC-154
@test "The Crypto Officer changes and deletes objects, and room is given back" {
  with libhsm-sim.so
  assert_equal "$(storage)" '0 159744 0'
  app setup
  read -r used free objects <<<"$(storage)"
  assert_equal "$objects" 3
  [ "$used" -gt 0 ]
  assert_equal "$((used + free))" 159744
  app tenant acme
  read -r more free objects <<<"$(storage)"
  assert_equal "$objects" 5
  [ "$more" -gt "$used" ]
  assert_equal "$((more + free))" 159744
  app rename acme emca
  run app list
  assert_line 'private emca'
  refute_output --partial acme
  app destroy emca
  assert_equal "$(storage)" "$used $((159744 - used)) 3"
  run -1 app destroy emca
  assert_output 'error nothing is called emca'
  app destroy kms-ca
  app destroy kms-master
  assert_equal "$(storage)" '0 159744 0'
}

# docs/decisions.md, KSC-157
# req: KSC-157
@test "After a restart, what is stored is known as soon as a user logs in" {
  with libhsm-sim.so
  app setup
  before=$(storage)
  card_off
  card_on
  run lunacm 'role login -name po' "$po" 'par showinfo'
  assert_output --partial 'Error querying storage'
  refute_output --partial 'Object Count'
  assert_equal "$(grep -c 'Command Result : No Error' <<<"$output")" 2
  assert_equal "$(storage)" "$before"
  run lunacm 'par showinfo'
  assert_output --partial 'Object Count: 3'
}

# req: KSC-116 KSC-117
@test "The Crypto User uses the Crypto Officer's objects, and changes none" {
  local module
  for module in "${modules[@]}"; do
    with "$module"
    app setup
    limited() { app_at --slot 1 --role cu --password-file cu "$@"; }
    run limited work 1
    assert_output ok
    for change in 'rename kms-ca mine' 'destroy kms-ca' 'tenant mine'; do
      # shellcheck disable=SC2086  # words
      run -1 limited $change
      assert_output --regexp '^error C_[A-Za-z]*: CKR_ACTION_PROHIBITED$'
    done
    run app list
    assert_equal "$(sort <<<"$output")" $'ok\nprivate kms-ca\npublic kms-ca\nsecret kms-master'
  done
}

# req: KSC-167
@test "Another partition's application does not reach the master key" {
  head -c 100 "$TOP/Makefile" >plain
  local module
  for module in "${modules[@]}"; do
    with "$module"
    app setup
    app seal plain sealed
    other() { app_at --slot 2 --partition-name other --password-file co "$@"; }
    run other list
    assert_output ok
    run -1 other open sealed opened
    assert_output 'error 0 keys are called kms-master'
    # one of the same name is another key
    other setup
    run -1 other open sealed opened
    assert_output 'error C_Decrypt: CKR_ENCRYPTED_DATA_INVALID'
  done
}

# req: KSC-093
@test "par init leaves no key behind" {
  with libhsm-sim.so
  app setup
  prepare 1 foundry
  assert_equal "$(storage)" '0 159744 0'
  run app list
  assert_output ok
  run -1 app work 1
  assert_output 'error 0 keys are called kms-master'
}

# ---- two nodes ----

# node_start NAME: an application that runs on; node_say, node_hear: to and from it
node_start() {
  local fifo=$BATS_TEST_TMPDIR/$1 to from
  mkfifo "$fifo.in" "$fifo.out"
  (
    # what is said to the others ends when they are told so
    for fd in "${node_in[@]}"; do
      exec {fd}>&-
    done
    app
  ) <"$fifo.in" >"$fifo.out" 3>&- &
  exec {to}>"$fifo.in" {from}<"$fifo.out"
  node_in[$1]=$to
  node_out[$1]=$from
}

node_say() {
  echo "${@:2}" >&"${node_in[$1]}"
}

# node_hear NAME: what it says; 1 it has ended, 2 it says nothing
node_hear() {
  local line status=0
  read -r -t 60 line <&"${node_out[$1]}" || status=$?
  case $status in
  0) echo "$line" ;;
  1) return 1 ;;
  *) return 2 ;;
  esac
}

# node_end NAME: nothing more is said to it
node_end() {
  local fd=${node_in[$1]}
  exec {fd}>&-
}

# req: KSC-033
@test "Two nodes use one partition at the same time" {
  declare -A node_in node_out
  with libhsm-sim.so
  node_start one
  node_start two
  node_say one setup
  assert_equal "$(node_hear one)" ok
  # what the first made, the second finds, while both are logged in
  node_say two work 1
  assert_equal "$(node_hear two)" ok
  node_say one work 12
  node_say two work 12
  assert_equal "$(node_hear one)" ok
  assert_equal "$(node_hear two)" ok
  node_say two tenant acme
  assert_equal "$(node_hear two)" ok
  echo message >message
  node_say one sign acme message signature
  assert_equal "$(node_hear one)" ok
  # what one has deleted, the other has no longer
  node_say one destroy acme
  assert_equal "$(node_hear one)" ok
  node_say two sign acme message signature
  assert_equal "$(node_hear two)" 'error 0 keys are called acme'
  # the end of one is not the end of the other
  node_end one
  run -1 node_hear one
  node_say two work 1
  assert_equal "$(node_hear two)" ok
  node_end two
}

# ---- FIPS ----

# digest MECHANISM: of the file plain, by the partition
digest() {
  HSM_SIM_SOCKET=$CARD_HOME/card/p11.sock pkcs11-tool \
    --module "$TOP/build/bin/libhsm-sim.so" --slot 1 --hash -m "$1" \
    --input-file plain --output-file digest
}

# req: KSC-156 KSC-158
@test "A partition in FIPS mode is prepared and used in the same way" {
  echo plain >plain
  with libhsm-sim.so --fips
  prepare 1 foundry
  run lunacm 'par showinfo'
  refute_output --partial FIPS
  app setup
  run app work 1
  assert_output ok
  run digest SHA256
  assert_success
  run -1 digest MD5
  assert_output --partial CKR_MECHANISM_INVALID
  with libhsm-sim.so
  run lunacm 'par showinfo'
  assert_output --partial '*** The partition is NOT in FIPS 140-2 approved operation mode. ***'
  run digest MD5
  assert_success
}
