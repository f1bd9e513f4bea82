#!/usr/bin/env bats
# Chapter 23, Backups, as they are made
# bats file_tags=backup
bats_require_minimum_version 1.5.0

BACKUP_PASSWORD="secret of 30 characters, yes!!"

setup() {
  load helper
  load story
  load remote-host
  needs
}

teardown() {
  adapter_stop
  remote_host_end
}

# backup NAME [WORD VALUE...]: made now
backup() {
  as admin "backup create $*" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
}

# decode FROM TO: what a download showed, as files in TO
decode() {
  mkdir -p "$2"
  awk -v to="$2" '
    /^-----BEGIN BACKUP FILE / { file = to "/" substr($4, 1, length($4) - 5); next }
    /^-----END BACKUP FILE / { close(file ".b64"); file = ""; next }
    file != "" { print > (file ".b64") }' "$1"
  local text
  for text in "$2"/*.b64; do
    base64 -d "$text" >"${text%.b64}"
    rm "$text"
  done
}

# req: KS-23-001 KS-23-002 KS-23-016 KS-23-031 KS-23-087 KS-23-089 ESKM-226
@test "An internal backup is listed until it is deleted" {
  story_start
  run as admin "show backups"
  refute_line --partial "Backup Name"
  run as admin "backup create Weekly1 description every-Sunday" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
  assert_success
  assert_line "  File: Weekly1_0_bkp"
  run as admin "show backups"
  assert_line "Backup Name: Weekly1"
  assert_line "  Backup Description: every-Sunday"
  run backup Weekly1
  assert_failure 1
  assert_line --partial "there is a backup of this name"
  run as admin "backup create Weekly2 keys k1,,k2" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
  assert_failure 1
  assert_line --partial "Keys: k1,,k2: all, none, or names"
  run as admin "no backup Weekly2"
  assert_failure 1
  as admin "no backup Weekly1"
  run as admin "show backups"
  refute_line --partial "Weekly1"
  run as admin "backup download Weekly1"
  assert_failure 1
}

# req: KS-23-013 KS-23-017 ESKM-126
@test "Names and passwords have their rules" {
  story_start
  for name in weekly-1 weekly_1 '"weekly 1"' a.b; do
    run backup "$name"
    assert_failure 1
    assert_line --partial "without special characters"
  done
  long=9Gw2kLr7QzXv4NbTy6HpJm3sRfUc8D
  run as admin "backup create long" "${long}y" "${long}y"
  assert_failure 1
  assert_line --partial "1 to 30 characters"
  run as admin "backup create none" "" ""
  assert_failure 1
  run as admin "backup create differ" "$long" "${long%x}y"
  assert_failure 1
  assert_line --partial "the two are not the same"
  run as admin "show backups"
  refute_line --partial "Backup Name"
  as admin "backup create long" "$long" "$long"
}

# req: KS-17-004 KS-17-039 KS-17-040
@test "The rules of all passwords are those of backups, too" {
  # refused PASSWORD RULE, accepted PASSWORD: for a backup
  refused() {
    run as admin "backup create no items ntp" "$1" "$1"
    assert_failure 1
    assert_line --partial "Error: Backup Password: "
    assert_output --partial "$2"
  }
  accepted() {
    number=$((number + 1))
    as admin "backup create yes$number items ntp" "$1" "$1" >/dev/null
  }
  story_start
  number=0
  refused k7q4k7q4k7q4 "five different"
  accepted k7q4z7q4k7q4
  refused $' \t\xe2\x80\x83\xe2\x80\x82\xc2\xa0\xe2\x80\x89 \t' "whitespace"
  refused 555-123-4967 "phone number"
  refused elephants "a dictionary word"
  refused stnahpele "reversed dictionary word"
  as admin "edit password settings length 12"
  refused 'pq7Lwz!vK4t' 12 # 11
  accepted 'pq7Lwz!vK4tm'
  as admin "edit password settings upper-case yes"
  refused 'pq7lwz!vk4tm' "at least one"
  accepted 'pq7Lwz!vk4tm'
  run as admin "show backups"
  refute_line "Backup Name: no"
}

# req: KS-15-090 KS-15-091 KS-15-092 KS-23-004
@test "Each part of a backup has an access control of its own" {
  story_start
  story_admin config access-control backup-config
  story_admin keys access-control backup-keys
  story_admin cas access-control backup-cas
  story_admin nobody access-control keys
  # tries NAME ITEM: is it allowed?
  tries() {
    run as "$1" "backup create $1${2//-/} items $2" "$BACKUP_PASSWORD" \
      "$BACKUP_PASSWORD"
    [ "$status" -eq 0 ]
  }
  for name in config keys cas nobody; do
    for item in ntp users keys certificates local-cas kmip; do
      case $name:$item in
      config:ntp | config:users | keys:keys | keys:certificates | \
        keys:kmip | cas:local-cas)
        tries "$name" "$item"
        ;;
      *)
        ! tries "$name" "$item" || fail "$name has backed up $item"
        assert_line --partial "Backup "
        ;;
      esac
    done
  done
  run as config "backup create both items ntp,keys" "$BACKUP_PASSWORD" \
    "$BACKUP_PASSWORD"
  assert_failure 1
  # what is in one nobody knows without its password
  story_admin all access-control backup-config,backup-keys,backup-cas
  for name in config keys cas; do
    run as "$name" "no backup keyskeys"
    assert_failure 1
    run as "$name" "backup download keyskeys"
    assert_failure 1
    refute_line --partial "BEGIN BACKUP FILE"
  done
  run as all "backup download keyskeys"
  assert_line --partial "BEGIN BACKUP FILE"
  as all "no backup keyskeys"
}

# req: KS-23-006 KS-23-007 KS-23-008 KS-23-009 KS-23-010 KS-23-012 KS-23-023 KS-23-028 KS-23-030
@test "The dialogue goes through items, settings and a summary" {
  story_start
  as admin "key generate k1 AES-256"
  as admin "key generate k2 AES-256"
  run as admin "backup create" "keys ntp"
  assert_failure 1 # of the other page
  run as admin "backup create" "keys certificates" k1 none "ntp" Manual1 \
    "by hand" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" internal no
  assert_success
  assert_line "Backup Summary"
  assert_line "  Keys: k1"
  refute_line --partial "  Certificates"
  assert_line "  NTP"
  assert_line "  Destination: internal"
  assert_line "No backup was made."
  run as admin "backup create" "keys" "k3" none Manual1 "" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" internal yes
  assert_failure 1
  assert_line --partial "k3"
  run as admin "show keys query [All]"
  assert_line --partial k2
  run as admin "backup create" "keys" "query:[All]" none Manual1 "by hand" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" internal yes
  assert_success
  run as admin "show backups"
  assert_line "  Backup Description: by hand"
  # back, from the second page and from the summary
  run as admin "backup create" "keys" none back certificates none all Manual2 \
    "" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" internal back none ntp Manual3 \
    "" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" internal yes
  assert_success
  assert_equal "$(grep -c "^Backup Summary" <<<"$output")" 2
  assert_equal "$(sed '1,/^Backup Summary/d; /^Backup Summary/,$d' \
    <<<"$output" | grep -c -e '^  Keys' -e '^  Logging')" 1
  assert_line "Backup Name: Manual3"
  run as admin "show backups"
  refute_line "Backup Name: Manual2"
}

# req: KS-23-014 KS-23-019 KS-23-022 KS-23-023 KS-23-055 KS-23-056 KS-23-088 ESKM-127 ESKM-227
@test "A download is encrypted, and needs a name for its file" {
  story_start
  key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  as admin "key import veryspecialname AES" "$key"
  run as admin "backup create down destination download" "$BACKUP_PASSWORD" \
    "$BACKUP_PASSWORD" ""
  assert_failure 1
  assert_line --partial "File Name"
  as admin "backup create down destination download file saved" \
    "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" >"$BATS_TEST_TMPDIR/said"
  decode "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/got"
  run ls "$BATS_TEST_TMPDIR/got"
  assert_output saved
  file=$BATS_TEST_TMPDIR/got/saved
  [ "$(head -c 8 "$file")" = TSBACKUP ]
  run ! grep -q veryspecialname "$file"
  run ! grep -qaP '\x00\x01\x02\x03\x04\x05\x06\x07' "$file"
  run ! tar -tf "$file"
  run ! unzip -l "$file"
  # nothing of it stays here
  run as admin "show backups"
  refute_line --partial "Backup Name"
  # an internal one is downloaded as it lies there
  backup kept
  as admin "backup download kept 0" >"$BATS_TEST_TMPDIR/said"
  decode "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/kept"
  [ "$(head -c 8 "$BATS_TEST_TMPDIR/kept/kept_0_bkp")" = TSBACKUP ]
  run as admin "backup download kept 1"
  assert_failure 1
}

# req: KS-23-014 KS-23-025 KS-23-026 KS-23-027 ESKM-228 ESKM-232 ESKM-233
@test "A backup is sent by SCP, and by FTP" {
  remote_host_make
  remote_ssh_start
  remote_ftp_start
  remote_directory backups
  remote_directory closed 555
  story_start
  # send NAME WORD VALUE...: with the password of the remote account
  send() {
    run as admin "backup create $* host 127.0.0.1" "$BACKUP_PASSWORD" \
      "$BACKUP_PASSWORD" "${password-$REMOTE_PASSWORD}"
  }
  scp="destination scp port $REMOTE_SSH_PORT user $REMOTE_USER"
  ftp="destination ftp port $REMOTE_FTP_PORT user $REMOTE_FTP_USER"
  send foo "$scp" directory "$REMOTE_DIR/home/backups"
  assert_success
  [ "$(head -c 8 "$REMOTE_DIR/home/backups/foo_0_bkp")" = TSBACKUP ]
  send bar "$ftp" directory backups
  assert_success
  [ "$(head -c 8 "$REMOTE_DIR/home/backups/bar_0_bkp")" = TSBACKUP ]
  # refused there: an error here, in the log too, and no file
  send shut "$scp" directory "$REMOTE_DIR/home/closed"
  assert_failure 1
  assert_line --partial "Error: "
  password=wrong send wrong "$scp" directory "$REMOTE_DIR/home/backups"
  assert_failure 1
  run find "$REMOTE_DIR/home" -name 'shut*' -o -name 'wrong*'
  refute_output
  run audit
  assert_line --partial "backup shut (scp) failed"
  assert_line --partial "backup foo (scp): 1 file,"
  # without a host or a user there is nowhere to go
  run as admin "backup create none destination scp user x"
  assert_failure 1
  assert_line --partial "Host: it is missing"
  run as admin "backup create none destination ftp host x"
  assert_failure 1
  assert_line --partial "Username: it is missing"
}

# req: KS-23-015
@test "A large backup is several files" {
  story_start
  as admin "edit backup settings file-size 1"
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" users 300
  "$TOP/harness/appliance" fill "$ADAPTER_DIR" keys 1500 300
  run backup large
  assert_success
  assert_line "  File: large_0_bkp"
  assert_line "  File: large_1_bkp"
  find "$ADAPTER_DIR" -name 'large_*_bkp' -size +2048 | run ! grep .
}

# req: KS-23-033
@test "What one backup was made with is not kept for the next" {
  story_start
  backup first items ntp description one
  run as admin "backup create second" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD"
  assert_success
  assert_line "  Backup Description: "
  sizes=$(as admin "show backups" | sed -n 's/^  Size: //p')
  [ "$(sed -n 2p <<<"$sizes")" -gt "$(sed -n 1p <<<"$sizes")" ]
}

# read_backup FILE...: as docs/backup-format.md has it
read_backup() {
  "$TOP/spec-tests/backup_read.py" "$@" <<<"$BACKUP_PASSWORD"
}

# req: KS-23-007 KS-23-011 ESKM-127 ESKM-128
@test "Who has the page about the format and the password reads a backup" {
  story_start
  key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  as admin "key import k1 AES" "$key"
  as admin "backup create whole description all-of-it destination download \
file whole" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" >"$BATS_TEST_TMPDIR/said"
  decode "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/got"
  file=$BATS_TEST_TMPDIR/got/whole
  run read_backup "$file"
  assert_success
  assert_line --partial "backup whole files=1 octets=$(stat -c %s "$file")"
  assert_line --partial "all-of-it"
  assert_line --partial "$key" # in its secret
  assert_line --regexp "^keys object "
  assert_line "network item - -"
  assert_line --regexp "^administrators admin admin "
  refute_line --partial "log-certificate"
  as admin "backup create logs items all,log-certificate destination download \
file logs" "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" >"$BATS_TEST_TMPDIR/said"
  decode "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/got"
  run read_backup "$BATS_TEST_TMPDIR/got/logs"
  assert_success
  assert_line --regexp "^log-certificate log.signer current "
  assert_line --regexp "^keys object "
  # only keys; only configuration
  for part in keys ntp; do
    as admin "backup create $part items $part destination download file $part" \
      "$BACKUP_PASSWORD" "$BACKUP_PASSWORD" >"$BATS_TEST_TMPDIR/said"
    decode "$BATS_TEST_TMPDIR/said" "$BATS_TEST_TMPDIR/got"
    run read_backup "$BATS_TEST_TMPDIR/got/$part"
    assert_success
    assert_line "$part item - -"
    [ "$(grep -c ' item - -$' <<<"$output")" -eq 1 ]
  done
  # and nobody else
  BACKUP_PASSWORD=other run read_backup "$file"
  assert_failure
  printf 'x' | dd of="$file" bs=1 seek=500 conv=notrunc status=none
  run read_backup "$file"
  assert_failure
}
