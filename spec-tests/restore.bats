#!/usr/bin/env bats
# Chapter 23, Restoring a Backup, and what the ESKM's practices have of it
# bats file_tags=backup
bats_require_minimum_version 1.5.0

BACKUP_PASSWORD="secret of 30 characters, yes!!"

setup() {
  load helper
  load story
  load remote-host
  needs
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  adapter_stop
  remote_host_end
}

# backup NAME [WORD VALUE...]: made now
backup() {
  as admin "backup create $*" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
}

# restores NAME... : as this administrator, internal backup NAME, WORD VALUE ...
restores() {
  as "$1" "restore backup internal ${*:2}" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
}

# restart: and wait until it is there again
restart() {
  as admin restart yes
  adapter_await running
}

# properties NAME: of a key
properties() {
  as admin "show key properties $1"
}

# req: KS-23-001 KS-23-057 KS-23-058 KS-23-059 KS-23-061 KS-23-072 KS-23-079
# req: KS-23-083 KS-23-085 KS-23-086
@test "Only selected items are restored, and from the next restart on" {
  story_start
  as admin "edit host name alpha"
  as admin "edit session settings autologout 33"
  as admin "user ann administration no" "$OWN" "$OWN"
  backup full description before
  as admin "edit host name beta"
  as admin "edit session settings autologout 44"
  as admin "no user ann"
  as admin "user bea administration no" "$OWN" "$OWN"
  run restores admin full items administrators,users
  assert_success
  assert_line "Backup Restore Information"
  assert_line "  Backup Name: full"
  assert_line "  Backup Description: before"
  assert_line --regexp "^  network +Network "
  assert_line "Action Completed"
  assert_line "For changes to take effect, restart the device."
  run as admin "show session settings"
  assert_line --partial "44"
  run as admin "show user bea"
  assert_success
  restart
  run as admin "show session settings"
  assert_line --partial "33"
  run as admin "show user"
  assert_line --partial "ann"
  refute_line --partial "bea"
  run as admin "show host"
  assert_line --partial "beta"
}

# req: KS-23-062 KS-23-065 KS-28-162 KS-28-308 ESKM-151 ESKM-285 ESKM-286 ESKM-301
@test "Keys are added to those that there are, with their bytes" {
  needs adapter_nae adapter_power_cycle
  story_start
  printf 'what nobody is to read' >plain
  as admin "user alice administration no" "$OWN" "$OWN"
  as admin "key generate Key3 AES-256 owner alice versioned yes"
  adapter_nae alice "$OWN" Crypto Action=ENCRYPT KeyName=Key3 \
    Algorithm=AES/CBC/PKCS5Padding --data plain --out sealed
  backup keys items keys
  as admin "key delete Key3"
  as admin "key generate Key1 AES-256 owner alice"
  as admin "key generate Key4 AES-256 owner alice"
  as admin "key delete Key4" # made after the backup: gone for good
  as admin "edit host name beta"
  for _ in first again; do
    restores admin keys items keys
    adapter_power_cycle # whoever restarts it; its ports are told anew
    adapter_nae alice "$OWN" Crypto Action=DECRYPT KeyName=Key3 \
      Algorithm=AES/CBC/PKCS5Padding --data sealed --out out
    cmp plain out
    run as admin "show keys"
    assert_line --partial Key1
    assert_line --partial Key3
    refute_line --partial Key4
    run as admin "show host"
    assert_line --partial "beta"
  done
}

# req: KS-23-066
@test "Key1 of user1 in a backup takes the place of a global Key1" {
  story_start
  as admin "user user1 administration no" "$OWN" "$OWN"
  as admin "key generate Key1 AES-256 owner user1"
  backup one
  as admin "key delete Key1"
  as admin "key generate Key1 AES-128"
  restores admin one items keys
  restart
  run properties Key1
  assert_line --partial "user1"
  assert_line --partial "AES-256"
  as admin "key delete Key1"
  run properties Key1
  assert_failure 1
}

# req: KS-23-067 KS-23-080 KS-23-081 KS-23-082 KS-28-167 KS-28-168 KS-28-169
@test "Newer versions go; with too many active ones a key is left out, and told" {
  story_start
  as admin "key generate v AES-256 versioned yes"
  as admin "key version generate v"
  as admin "key version generate v"
  as admin "key generate plain AES-256"
  backup three items keys
  as admin "key version generate v"
  restores admin three items keys
  restart
  run as admin "show key versions v"
  assert_line --regexp "^ *3 "
  refute_line --regexp "^ *4 "
  as admin "key delete v"
  as admin "key delete plain"
  as admin "edit active versions number 2"
  run restores admin three items keys
  assert_success
  assert_line --partial "Not restored: key v: it has 3 active versions"
  restart
  run properties v
  assert_failure 1
  properties plain
  as admin "edit active versions number 3"
  restores admin three items keys
  restart
  as admin "key version state v 1 Restricted"
  as admin "edit active versions number 2"
}

# req: KS-23-018 KS-23-034 KS-23-084 ESKM-129 ESKM-130
@test "Without its password nothing of a backup is seen, and nothing restored" {
  story_start
  as admin "key generate SecretName AES-256"
  backup one
  as admin "key delete SecretName"
  for password in "" "$ADMIN" "${BACKUP_PASSWORD}x" "${BACKUP_PASSWORD%?}"; do
    run as admin "restore backup internal one items keys" "$password"
    assert_failure 1
    refute_line --partial "Backup Restore Information"
    refute_output --partial SecretName
    run as admin "restore backup internal one items keys" \
      "$BACKUP_PASSWORD" "$password"
    assert_failure 1
    assert_line "Backup Restore Information"
    refute_line "Action Completed"
  done
  restart
  run properties SecretName
  assert_failure 1
}

# req: KS-15-093 KS-15-094 KS-15-095 KS-23-069 ESKM-147 ESKM-148 ESKM-186
@test "Each part of a restore has an access control of its own" {
  story_start
  story_admin config access-control restore-config
  story_admin keys access-control restore-keys
  story_admin cas access-control restore-cas
  story_admin nobody access-control keys,backup-config,backup-keys
  backup one
  for name in config keys cas nobody; do
    for item in session users keys certificates local-cas; do
      [ "$item" != session ] || item=administrators
      case $name:$item in
      config:administrators | config:users | keys:keys | \
        keys:certificates | cas:local-cas)
        restores "$name" one items "$item"
        ;;
      *)
        run restores "$name" one items "$item"
        assert_failure 1
        refute_line "Action Completed"
        ;;
      esac
    done
  done
  run restores config one items users,keys
  assert_failure 1
  # who may restore nothing of any is not asked for a password
  run as nobody "restore backup internal one"
  assert_failure 1
  assert_line --partial "it takes one of the access controls"
  refute_line --partial "Backup Password"
  # what they are limited to they are limited to
  run as keys "user eve administration no" "$OWN" "$OWN"
  assert_failure 1
  run as config "reset administrator password keys" "$OTHER" "$OTHER"
  assert_failure 1
}

# req: KS-18-013 KS-18-038
@test "Restoring takes several administrators where they are required" {
  story_start bob
  backup one
  as admin "edit multiple credentials require yes"
  run restores admin one items users
  assert_failure 1
  assert_line --partial "1 more administrator"
  run as admin "restore backup internal one items users" "$BACKUP_PASSWORD" \
    "$BACKUP_PASSWORD" bob "$WRONG"
  assert_failure 1
  refute_line "Action Completed"
  run as admin "restore backup internal one items users" "$BACKUP_PASSWORD" \
    "$BACKUP_PASSWORD" bob "$OWN"
  assert_success
  assert_line "Action Completed"
}

# req: KS-18-044
@test "Granted credentials are in no backup" {
  story_start bob
  as admin "edit multiple credentials require yes time-limited yes maximum-duration 60"
  as admin "grant credential to bob for 59 delete-keys"
  run as bob "show credential grants"
  assert_line "  Grant by: admin"
  backup whole
  number=$(as admin "show credential grants" | sed -n 's/^Credential //p')
  as admin "revoke credential $number"
  as admin "restore backup internal whole items all" "$BACKUP_PASSWORD" \
    "$BACKUP_PASSWORD" bob "$OWN"
  restart
  for name in admin bob; do
    run as "$name" "show credential grants"
    assert_success
    refute_output --partial "Credential "
  done
}

# req: ESKM-152
@test "The passwords of administrators stay where only keys are restored" {
  story_start bob
  as admin "key generate k AES-256"
  backup full
  as admin "reset administrator password bob" "$OTHER" "$OTHER"
  as admin "key delete k"
  restores admin full items keys
  restart
  run enters bob "$OWN"
  assert_failure 2
  properties k
}

# req: ESKM-298
@test "A key is restored before its owner is there" {
  needs adapter_nae adapter_power_cycle
  story_start
  as admin "user u1 administration no" "$OWN" "$OWN"
  as admin "user u2 administration no" "$OWN" "$OWN"
  as admin "key generate k AES-256 owner u1"
  backup one
  as admin "key delete k"
  as admin "no user u1"
  restores admin one items keys
  adapter_power_cycle
  run adapter_nae u2 "$OWN" KeyInfo KeyName=k
  assert_failure 1
  as admin "user u1 administration no" "$OWN" "$OWN"
  adapter_nae u1 "$OWN" KeyInfo KeyName=k
  run adapter_nae u2 "$OWN" KeyInfo KeyName=k
  assert_failure 1
}

# req: KS-23-070 KS-23-072 KS-23-083
@test "The dialogue asks for source, items and names" {
  story_start
  as admin "key generate k1 AES-256"
  as admin "key generate k2 AES-256"
  backup one
  as admin "key delete k1"
  as admin "key delete k2"
  run as admin "restore backup" nowhere
  assert_failure 1
  assert_line --partial "internal, upload, scp, sftp or ftp"
  run as admin "restore backup" internal two
  assert_failure 1
  assert_line --partial "there is no such backup"
  run as admin "restore backup" internal one "$BACKUP_PASSWORD" "keys nothing"
  assert_failure 1
  assert_line --partial "Items: nothing"
  as admin "restore backup" internal one "$BACKUP_PASSWORD" "keys certificates" \
    k2 none "$BACKUP_PASSWORD"
  restart
  run as admin "show keys"
  assert_line --partial k2
  refute_line --partial k1
}

# req: KS-23-086 KS-15-093 KS-15-094 KS-23-069
@test "A restore that waits for the restart is shown, and can be given up" {
  story_start
  story_admin keys access-control restore-keys
  as admin "key generate k AES-256"
  as admin "edit session settings autologout 33"
  backup one
  as admin "key delete k"
  as admin "edit session settings autologout 44"
  run as admin "show restore"
  assert_success
  assert_output --partial "No restored backup waits for a restart."
  restores admin one items keys
  restores admin one items administrators
  run as admin "show restore"
  assert_line "Restore 1"
  assert_line "  Backup Name: one"
  assert_line "  Restored by: admin"
  assert_line --regexp "^  keys +Keys$"
  assert_line "  1 keys and objects, 0 records"
  assert_line "Restore 2"
  assert_line "For changes to take effect, restart the device."
  # by whoever may restore that
  for number in 2 3 0 x ""; do
    run as keys "no restore $number"
    assert_failure 1
  done
  run as keys "no restore 1"
  assert_success
  assert_line "Action Completed"
  run as admin "show restore"
  refute_line "Restore 1"
  assert_line "Restore 2"
  run as admin "show log audit 20"
  assert_output --partial "Restore one given up"
  restart
  run properties k
  assert_failure 1
  run as admin "show session settings"
  assert_line --partial "33"
  run as admin "show restore"
  assert_output --partial "No restored backup waits for a restart."
}

# other_appliance: a new one, beside the first; first_appliance: back
other_appliance() {
  ADAPTER_DIR=$BATS_TEST_TMPDIR/other
  story_start
}
first_appliance() {
  adapter_stop
  ADAPTER_DIR=$BATS_TEST_TMPDIR/appliance
  ADMIN=$(adapter_admin_password)
}

# The bytes of the key, too: the certificate stands in what it signs.
# req: KS-23-011
@test "The log signing certificate moves where it is asked for, and signs" {
  # certificate FILE: that of the appliance; signs: its audit log, with it
  certificate() {
    as admin "log signing certificate download" |
      sed -n '/BEGIN CERT/,/END CERT/p' >"$1"
    [ -s "$1" ]
  }
  signs() {
    as admin "edit log signing audit sign yes" >/dev/null
    as admin "log download audit" | sed -n '/^MIME-Version/,$p' >audit.eml
    openssl smime -verify -in audit.eml -CAfile "$1" -purpose any -noverify \
      -certfile "$1" -nointern -out /dev/null
  }
  story_start
  certificate old.pem
  backup without
  backup with items log-certificate
  cp -r "$ADAPTER_DIR/backup" .
  other_appliance
  cp -r backup "$ADAPTER_DIR/"
  as admin "log signing certificate recreate" yes
  certificate new.pem
  run ! cmp -s old.pem new.pem
  run restores admin without items all
  assert_success
  ADMIN=$(cat "$BATS_TEST_TMPDIR/appliance/admin.password")
  restart
  certificate after.pem
  cmp new.pem after.pem
  run restores admin with items all
  assert_success
  restart
  certificate after.pem
  cmp old.pem after.pem
  run signs old.pem
  assert_success
  run signs new.pem
  assert_failure
  first_appliance
}

# req: KS-06-114 KS-23-073 KS-23-078 KS-23-088 ESKM-225 ESKM-227
@test "What was downloaded is uploaded to another device, and is there" {
  story_start
  as admin "key generate k AES-256"
  backup one
  as admin "backup download one" >shown
  grep -v '^ *File:' shown | sed -n '/^-----BEGIN/,/^-----END/p' >file
  other_appliance
  mapfile -t lines_of <file
  run as admin "restore backup upload items keys" "${lines_of[@]}" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
  assert_success
  restart
  properties k
  # one octet of it
  sed -i '5s/^./\*/' file
  mapfile -t lines_of <file
  run as admin "restore backup upload items keys" "${lines_of[@]}"
  assert_failure 1
  assert_line --partial "no backup"
  first_appliance
}

# req: KS-23-019 KS-23-071 KS-23-073 KS-23-074 KS-23-075 KS-23-076 KS-AA-036
# req: KS-23-078 ESKM-228 ESKM-284 ESKM-292
@test "A backup of several files comes from another host by its zeroth" {
  story_start
  remote_host_make
  remote_ssh_start
  remote_ftp_start
  remote_directory backups
  as admin "edit backup settings file-size 1"
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" users 1
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" keys 1200 1
  as admin "backup create foo items keys destination scp host 127.0.0.1 \
port $REMOTE_SSH_PORT directory backups user $REMOTE_USER" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" "$REMOTE_PASSWORD"
  [ -e "$REMOTE_DIR/home/backups/foo_1_bkp" ]
  as admin "backup create bar items ntp destination scp host 127.0.0.1 \
port $REMOTE_SSH_PORT directory backups user $REMOTE_USER" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" "$REMOTE_PASSWORD"
  # from PROTOCOL PORT USER FILE [ANSWER...]
  from() {
    as admin "restore backup $1 127.0.0.1 $4 $3 port $2 items keys" "${@:5}"
  }
  for from in "scp $REMOTE_SSH_PORT $REMOTE_USER" \
    "sftp $REMOTE_SSH_PORT $REMOTE_USER" \
    "ftp $REMOTE_FTP_PORT $REMOTE_FTP_USER"; do
    read -r protocol port user <<<"$from"
    run from "$protocol" "$port" "$user" backups/foo_0_bkp "$REMOTE_PASSWORD" \
      "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
    assert_success
    assert_line --partial "1200 keys and objects"
    run from "$protocol" "$port" "$user" backups/foo_0_bkp wrong
    assert_failure 1
    run from "$protocol" "$port" "$user" backups/none_0_bkp "$REMOTE_PASSWORD"
    assert_failure 1
    run from "$protocol" "$port" "$user" backups/foo_1_bkp "$REMOTE_PASSWORD"
    assert_failure 1
    assert_line --partial "it is not the zeroth file"
  done
  # one of several cannot be uploaded
  mapfile -t lines_of < <(base64 "$REMOTE_DIR/home/backups/foo_0_bkp")
  run as admin "restore backup upload items keys" "${lines_of[@]}" .
  assert_failure 1
  assert_line --partial "several files: use SCP or FTP"
  # one that is larger than all are together is not fetched to its end
  cp "$REMOTE_DIR/home/backups/foo_1_bkp" kept
  truncate -s +3M "$REMOTE_DIR/home/backups/foo_1_bkp"
  run from scp "$REMOTE_SSH_PORT" "$REMOTE_USER" backups/foo_0_bkp \
    "$REMOTE_PASSWORD"
  assert_failure 1
  assert_line --partial "the file is too large"
  cp kept "$REMOTE_DIR/home/backups/foo_1_bkp"
  # and without all of them there is nothing
  rm "$REMOTE_DIR/home/backups/foo_1_bkp"
  run from scp "$REMOTE_SSH_PORT" "$REMOTE_USER" backups/foo_0_bkp \
    "$REMOTE_PASSWORD"
  assert_failure 1
  refute_line --partial "Backup Restore Information"
}

# digest: of all that the appliance holds
digest() {
  "$TOP/harness/appliance" state "$ADAPTER_DIR" key --digest
}

# no_long_turn: of the server's loop since this was last asked; a turn that moves
# all of the store's log, or treats all keys, takes longer. Only of many keys,
# by themselves: it is the processor's time, but not on every machine alone.
no_long_turn() {
  local us
  us=$("$TOP/harness/appliance" turns "$ADAPTER_DIR" | sed 's/.*longest_us=//')
  [ -z "${SOAK-}" ] || [ "$us" -lt 10000 ] || fail "a turn of $us us"
}

# As many as the issue asks for with SOAK=1.
# bats test_tags=soak
# What is of one device only, and never replicated, is among it: its host name.
# req: KS-06-040 KS-23-001 KS-23-002 KS-23-003 ESKM-151
@test "What is backed up and restored on a new device is the same, all of it" {
  local keys=300 users=30
  [ -z "${SOAK-}" ] || keys=100000 users=1000
  story_start bob
  (umask 077 && echo "a key of the caller's" >key)
  as admin "edit host name alpha"
  as admin "edit session settings autologout 33"
  as admin "authorization policy create office"
  as admin "service startup ssh disabled"
  as admin "key attribute add Colour String"
  "$TOP/harness/appliance" users "$ADAPTER_DIR"
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" users "$users"
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" keys "$keys" "$users"
  as admin "key generate versioned AES-256 versioned yes owner u000001"
  as admin "key version generate versioned"
  no_long_turn
  backup whole items all,log-certificate
  no_long_turn
  want=$(digest)
  cp -r "$ADAPTER_DIR/backup/whole" .
  other_appliance
  mkdir -p "$ADAPTER_DIR/backup"
  cp -r whole "$ADAPTER_DIR/backup/"
  no_long_turn
  run restores admin whole items all
  assert_success
  no_long_turn
  ADMIN=$(cat "$BATS_TEST_TMPDIR/appliance/admin.password")
  restart
  got=$(digest)
  [ "$got" = "$want" ] || fail "expected $want, got $got"
  # it says more than nothing
  as admin "key delete versioned"
  [ "$(digest)" != "$want" ]
  first_appliance
}

# The key-encryption key of the one is not that of the other. What is held is
# told by a device that runs and by one that is stopped, with a card as without.
# req: KS-23-001 VLT-079
@test "What a device with a card has backed up is restored on one without" {
  adapter_start --card
  ADMIN=$(adapter_admin_password)
  (umask 077 && echo "a key of the caller's" >key)
  as admin "key generate k AES-256"
  as admin "key generate v AES-256 versioned yes"
  as admin "key version generate v"
  backup whole items all,log-certificate
  want=$(digest)
  adapter_stop
  [ "$(digest)" = "$want" ]
  other_appliance
  mkdir -p "$ADAPTER_DIR/backup"
  cp -r appliance/backup/whole "$ADAPTER_DIR/backup/"
  [ "$(digest)" != "$want" ]
  run restores admin whole items all
  assert_success
  ADMIN=$(cat appliance/admin.password)
  restart
  [ "$(digest)" = "$want" ]
  as admin "key delete k"
  adapter_stop
  [ "$(digest)" != "$want" ]
  first_appliance
}
