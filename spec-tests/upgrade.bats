#!/usr/bin/env bats
# Chapter 25, Upgrade: software packages and the way back
# bats file_tags=upgrade
bats_require_minimum_version 1.5.0

# Packages are made once, and lie on a host of their own.
setup_file() {
  load helper
  load story
  load remote-host
  needs adapter_patch
  remote_host_make
  remote_ssh_start
  remote_ftp_start
  adapter_patch 1 "$REMOTE_DIR/home/p1"
  adapter_patch 2 "$REMOTE_DIR/home/p2"
  BASE=$(adapter_version)
  export BASE REMOTE_USER
}

teardown_file() {
  load helper
  load remote-host
  remote_host_end
}

setup() {
  load helper
  load story
  needs adapter_patch adapter_patch_shows adapter_version adapter_await
  PACKAGES=$REMOTE_DIR/home
  RELEASE=$TOP/build/bin/touchstone-release
  KEYS=${RELEASE_KEYS:-$TOP/build/release}
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() { adapter_stop; }

# fetches WHO PROTOCOL FILE [PASSWORD [ANSWER...]]: "software install", from the
# other host
fetches() {
  local port=$REMOTE_SSH_PORT user=$REMOTE_USER
  if [ "$2" = ftp ]; then
    port=$REMOTE_FTP_PORT
    user=$REMOTE_FTP_USER
  fi
  as "$1" "software install $2 127.0.0.1 $3 $user port $port" \
    "${4-$REMOTE_PASSWORD}" "${@:5}"
}

# uploads WHO FILE: the same, pasted
uploads() {
  { base64 -w 8000 "$2" && echo .; } >pasted
  adapter_cli "$1" "$ADMIN" config "software install upload" <pasted
}

# installs PROTOCOL FILE: and it runs
installs() {
  run fetches admin "$1" "$2"
  assert_success
  adapter_await running
}

rolls_back() {
  run as "${1-admin}" "software rollback" yes
  assert_success
  adapter_await running
}

# assert_runs VERSION [PREVIOUS]
assert_runs() {
  run as admin "show device"
  assert_line "Software Version: $1"
  assert_line "Software Rollback: ${2-none}"
}

# req: KS-25-001 KS-25-002 KS-25-003 KS-25-004 KS-25-005
@test "The device tells its model, Box ID, version and when that was installed" {
  local box
  story_start
  run as admin "show device"
  assert_line --regexp "^Product: .*[a-z][0-9]+"
  assert_line --regexp "^Box ID: [^ ]+"
  assert_line --regexp "^Software Install Date: [0-9-]+ [0-9:]+"
  assert_line "Software Version: $BASE"
  box=$(grep "^Box ID:" <<<"$output")
  as admin "restart"
  adapter_await running
  run as admin "show device"
  assert_line "$box"
  # nothing of it can be edited
  # req: KS-25-007
  local word
  for word in device software "box id"; do
    run as admin "edit $word version 9"
    assert_failure 1
  done
  assert_runs "$BASE"
}

# req: KS-25-004 KS-25-005 KS-25-023 KS-25-025 KS-25-031 KS-25-032
# req: KS-25-033 KS-25-035 KS-25-036 KS-25-037 KS-25-043 KS-AA-035
@test "Patches are installed over each other, and one of them is taken back" {
  local installed
  needs adapter_clock_advance adapter_power_cycle adapter_key_port
  story_start
  adapter_clock_advance 3d
  run fetches admin scp p1
  assert_success
  assert_line --regexp "^Fetched [0-9]+ octets"
  assert_line "The package is genuine: software ${BASE}p1"
  assert_line "Notes: Patch 1"
  assert_equal "$(grep -c "^Installing .*: 50 %$" <<<"$output")" 1
  assert_line --partial "The device restarts."
  adapter_await running
  run as admin "show device"
  assert_line --partial "$(adapter_patch_shows 1)"
  refute_line --partial "$(adapter_patch_shows 2)"
  installed=$(grep "^Software Install Date:" <<<"$output")
  assert_equal "$(date -u -d "${installed#*: }" +%s)" "$(adapter_clock_wall)"
  assert_runs "${BASE}p1" "$BASE"

  installs ftp p2
  assert_runs "${BASE}p2" "${BASE}p1"
  adapter_power_cycle
  assert_runs "${BASE}p2" "${BASE}p1"
  assert_line --partial "$(adapter_patch_shows 1)"
  assert_line --partial "$(adapter_patch_shows 2)"

  rolls_back
  assert_runs "${BASE}p1"
  assert_line --partial "$(adapter_patch_shows 1)"
  refute_line --partial "$(adapter_patch_shows 2)"
  assert_line "$installed"
  run as admin "software rollback" yes
  assert_failure 1
  assert_line --partial "no version to roll back to"
  assert_runs "${BASE}p1"
  adapter_power_cycle
  assert_runs "${BASE}p1"
}

# req: KS-25-033 KS-25-036 KS-25-039 KS-25-040
@test "A later patch follows where the one before was taken back" {
  story_start
  installs sftp p1
  rolls_back
  assert_runs "$BASE"
  refute_line --partial "$(adapter_patch_shows 1)"
  installs sftp p2
  assert_runs "${BASE}p2" "$BASE"
  assert_line --partial "$(adapter_patch_shows 1)"
  rolls_back
  assert_runs "$BASE"
}

# req: KS-25-019 KS-25-030
@test "A package is uploaded, and one that is cut is not installed" {
  story_start
  head -c -100 "$PACKAGES/p1" >short
  run uploads admin short
  assert_failure 1
  assert_line --partial "octets are missing"
  run as admin "software install upload" "no base 64" .
  assert_failure 1
  assert_line --partial "no package"
  assert_runs "$BASE"
  run uploads admin "$PACKAGES/p1"
  assert_success
  adapter_await running
  assert_runs "${BASE}p1" "$BASE"
}

# req: KS-25-032
@test "All connections end with the restart that an installation brings" {
  local idle
  needs adapter_clock_advance adapter_key_port
  story_start ann
  adapter_clock_advance 26h
  exec {idle}<>"/dev/tcp/127.0.0.1/$(adapter_key_port 1)"
  session_begin ann "$OWN" config "software install ftp 127.0.0.1 p1 $REMOTE_FTP_USER port $REMOTE_FTP_PORT"
  run as admin "show device"
  assert_success
  session_answer "$REMOTE_PASSWORD"
  session_end
  assert_success
  run timeout 20 cat <&"$idle"
  assert_success # its end
  exec {idle}>&-
  adapter_await running
  run audit
  assert_output --partial "[ann]: Upgraded the software from $BASE to ${BASE}p1"
  run as admin "show statistics"
  assert_line --regexp "Uptime: 0 days, 00:00:0"
}

# ---- who may ----

# req: KS-06-152 KS-15-097
@test "An upgrade takes its access control" {
  story_start
  story_admin ann access-control network
  story_admin bea access-control upgrade
  run fetches ann scp p1
  assert_failure 1
  assert_line --partial '"Software Upgrade and System Health" access control is required'
  run as ann "software rollback" yes
  assert_failure 1
  assert_line --partial '"Software Upgrade and System Health" access control is required'
  assert_runs "$BASE"
  run fetches bea scp p1
  assert_success
  adapter_await running
  assert_runs "${BASE}p1" "$BASE"
  run as bea "software rollback" no
  assert_failure 1
  assert_runs "${BASE}p1" "$BASE"
  rolls_back bea
  assert_runs "$BASE"
}

# req: KS-18-014
@test "Where several administrators are required a rollback takes them" {
  story_start ann
  as admin "edit multiple credentials require yes number 2"
  # no operation of the guide's list
  installs scp p1
  run as admin "software rollback"
  assert_failure
  run as admin "software rollback" ann "$WRONG"
  assert_failure
  assert_runs "${BASE}p1" "$BASE"
  run as admin "software rollback" ann "$OWN" yes
  assert_success
  adapter_await running
  assert_runs "$BASE"
  run audit
  assert_output --partial "Rolled the software back from ${BASE}p1 to $BASE"
}

# req: ESKM-140
@test "With the ESKM's personality an upgrade takes several as well" {
  story_start ann
  as admin "edit personality personality eskm"
  as admin "edit multiple credentials require yes number 2"
  run fetches admin scp p1
  assert_failure
  assert_runs "$BASE"
}

# ---- what comes back ----

# req: KS-25-044 KS-25-045
@test "A rollback brings administrators back as they were before the upgrade" {
  story_start ann bea
  as admin "edit session settings autologout 33"
  as admin "edit host name earlier"
  installs scp p1
  as ann "password" "$OWN" "$OTHER" "$OTHER"
  story_admin cid
  as admin "no administrator bea" yes
  as admin "edit session settings autologout 44"
  as admin "edit host name later"
  rolls_back
  # whoever knows only the new one is not let in
  run enters ann "$OTHER"
  assert_failure 2
  run enters ann "$OWN"
  assert_success
  run enters bea "$OWN"
  assert_success
  run enters cid "$OWN"
  assert_failure 2
  run as admin "show administrator"
  refute_line --partial cid
  run as admin "show session settings"
  assert_line --partial 33
  # nothing else goes back
  run as admin "show host"
  assert_line --partial later
}

# req: KS-25-042
@test "A backup of the version that was taken back can be restored" {
  local secret="secret of 30 characters, yes!!"
  story_start
  installs scp p1
  as admin "edit host name patched"
  as admin "user ann administration no" "$OWN" "$OWN"
  as admin "backup create one" "$secret" "$secret"
  as admin "edit host name other"
  as admin "no user ann"
  rolls_back
  as admin "restore backup internal one items network,users" "$secret" "$secret"
  # what waits for a restart would undo what a rollback does
  installs scp p1
  run as admin "show host"
  assert_line --partial patched
  run as admin "show user ann"
  assert_success
  as admin "restore backup internal one items users" "$secret" "$secret"
  run as admin "software rollback" yes
  assert_failure 1
  assert_line --partial "a restore waits for a restart"
  assert_runs "${BASE}p1" "$BASE"
}

# ---- what is refused ----

# refuses FILE TEXT: with nothing changed
refuses() {
  run uploads admin "$1"
  assert_failure 1
  assert_line --partial "$2"
  run audit 2
  assert_output --partial "$2"
  assert_runs "$BASE"
}

# part FILE FROM COUNT
part() { tail -c "+$(($2 + 1))" "$1" | head -c "$3"; }

# changed FILE OFFSET OCTET: with that octet, as printf has it, there
changed() {
  part "$1" 0 "$2"
  printf '%b' "$3"
  part "$1" "$(($2 + 1))" 100000000
}

# u32, u64 NUMBER: highest octet first
u32() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) \
  $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }
u64() { u32 0; u32 "$1"; }

# req: KS-25-017 KS-25-027 KS-25-028
@test "Only packages of the vendor's own are installed" {
  local body octets
  story_start
  printf '\177ELF is all that there is' >program
  make() { "$RELEASE" software --version "${BASE}p1" "$@" touchstone-ref=program; }
  make --keys "$KEYS" --out good
  "$RELEASE" keys foreign
  make --keys foreign --out foreign.package
  refuses foreign.package "signed by another key"
  changed good 11 '\x00' >unsigned
  refuses unsigned "not signed"
  changed good 100 '\x00' >altered
  cmp -s good altered && changed good 100 '\x01' >altered
  refuses altered "damaged"
  echo nothing >none
  refuses none "no package"
  make --keys "$KEYS" --product other --out product
  refuses product "another product"
  # in the clear, by the right key
  body="type = software
product = touchstone-ref
made = 1
version = ${BASE}p1
component = touchstone-ref $(stat -c %s program)
"
  octets=$((88 + 4 + ${#body} + $(stat -c %s program) + 384))
  {
    part good 0 10
    printf '\x00'
    part good 11 5
    u64 "$octets"
    part good 24 64
    u32 "${#body}"
    printf '%s' "$body"
    cat program
  } >clear
  openssl dgst -sha256 -sign "$KEYS/release.key" -out signature clear
  cat signature >>clear
  refuses clear "not encrypted"
}

# req: KS-25-027
@test "OpenSSL finds the signature right, and wrong where an octet is changed" {
  local octets
  octets=$(stat -c %s "$PACKAGES/p1")
  part "$PACKAGES/p1" $((octets - 384)) 384 >signature
  part "$PACKAGES/p1" 0 $((octets - 384)) >signed
  openssl dgst -sha256 -verify "$KEYS/trust" -signature signature signed
  changed signed 5000 '\x00' >one
  changed signed 5000 '\x01' >two
  cmp -s signed one && mv two one
  run openssl dgst -sha256 -verify "$KEYS/trust" -signature signature one
  assert_failure
}

# req: KS-25-023 KS-25-037
@test "What runs is not replaced by what is older, or cannot run" {
  story_start
  echo "#!/bin/sh" >program
  "$RELEASE" software --keys "$KEYS" --version "${BASE}p1" --out none \
    touchstone-ref=program
  refuses none "no program"
  "$RELEASE" software --keys "$KEYS" --version "${BASE}p1" --out none \
    notes.txt=program
  refuses none "no program"
  "$RELEASE" software --keys "$KEYS" --version "$BASE" --out same \
    touchstone-ref=program
  refuses same "not newer than $BASE"
  "$RELEASE" software --keys "$KEYS" --version 0.0.9 --out older \
    touchstone-ref=program
  refuses older "not newer than $BASE"
}

# req: KS-25-020 KS-25-031
@test "What cannot be fetched is told, and nothing is changed" {
  local protocol
  story_start
  for protocol in scp ftp; do
    run fetches admin "$protocol" p1 wrong
    assert_failure 1
    assert_line --partial "login was refused"
    run fetches admin "$protocol" nowhere/p1
    assert_failure 1
    assert_line --regexp "^Error: .*(not there|no such)"
  done
  run as admin "software install gopher 127.0.0.1 p1 me"
  assert_failure 1
  assert_line --partial "upload, scp, sftp or ftp"
  run as admin "software install scp 127.0.0.1"
  assert_failure 1
  assert_line --partial "Filename: it is missing"
  assert_runs "$BASE"
}

# ---- inside ----

@test "A dialogue asks for all that the words would say" {
  story_start
  run as admin "software install" ftp "127.0.0.1:$REMOTE_FTP_PORT" p1 \
    "$REMOTE_FTP_USER" "$REMOTE_PASSWORD"
  assert_success
  adapter_await running
  assert_runs "${BASE}p1" "$BASE"
}

@test "A device without trust installs nothing" {
  story_start
  adapter_stop
  sed -i '/^package_trust/d' "$ADAPTER_DIR/touchstone.conf"
  adapter_start
  refuses "$PACKAGES/p1" "no trust"
}

@test "A reset to factory settings leaves the release that was delivered" {
  story_start
  installs scp p1
  as admin "reset factory settings" yes
  "$TOP/harness/appliance" await "$ADAPTER_DIR" initialized=no
  run -0 "$TOP/harness/appliance" status "$ADAPTER_DIR"
  assert_not_exists "$ADAPTER_DIR/software"
  assert_equal "$(readlink "/proc/$(cat "$ADAPTER_DIR/pid")/exe")" \
    "$(realpath "${TOUCHSTONE_REF:-$TOP/build/bin/touchstone-ref}")"
}

@test "A version that does not come up is rolled back by the next start" {
  story_start ann
  installs scp p1
  as ann "password" "$OWN" "$OTHER" "$OTHER"
  "$RELEASE" software --keys "$KEYS" --version "${BASE}p9" --out p9 \
    touchstone-ref=/bin/false
  run uploads admin p9
  assert_success
  adapter_await stopped
  adapter_start
  assert_runs "${BASE}p1"
  run as admin "show log system"
  assert_output --partial \
    "Software: Version ${BASE}p9 did not come up; rolled back to ${BASE}p1"
  # administrators are those of before the last upgrade
  run enters ann "$OTHER"
  assert_success
  assert_not_exists "$ADAPTER_DIR/software/${BASE}p9"
  installs scp p2
  adapter_power_cycle
  assert_runs "${BASE}p2" "${BASE}p1"
  run as admin "show log system"
  refute_output --partial "${BASE}p2 did not come up"
}

@test "A program that is no longer needed is not kept" {
  story_start
  installs scp p1
  installs scp p2
  assert_exists "$ADAPTER_DIR/software/${BASE}p1"
  rolls_back
  assert_exists "$ADAPTER_DIR/software/${BASE}p1"
  assert_not_exists "$ADAPTER_DIR/software/${BASE}p2"
}
