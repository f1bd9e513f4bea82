# shellcheck shell=bash
# Stories about keys, groups and policies; told on what an adapter offers. Load
# after story.

# stage USER...: an appliance with these users, and alice, who has the key k;
# none of them is in the group staff yet
stage() {
  local user
  story_start
  for user in alice "$@"; do
    as admin "user $user administration no" "$OWN" "$OWN"
  done
  as admin "group create staff"
  adapter_nae alice "$OWN" KeyGen KeyName=k Algorithm=AES KeySize=256 \
    Exportable Deletable
}

# join GROUP USER...
join() { as admin "group add $*"; }

# policy NAME [OPERATIONS]: a new one
policy() {
  as admin "authorization policy create $1"
  [ $# -eq 1 ] || limit "$1" "$2"
}

# limit NAME OPERATIONS
limit() { as admin "edit authorization policy $1 $2"; }

# period NAME START-DAY START-TIME END-DAY END-TIME
period() { as admin "authorization policy period add $*"; }

# permit GROUP USE GRANT...: on the key k
permit() { as admin "key permission set k $*"; }

# it_is DATE TIME: at the appliance
it_is() { as admin "clock set $1 $2"; }

# requests COUNT: so many encryptions with the key k, as one file
requests() {
  local file n
  file=$(mktemp "$BATS_TEST_TMPDIR/requests.XXXXXX")
  for ((n = 1; n <= $1; n++)); do
    printf '<CryptoRequest><ID>%d</ID><Action>ENCRYPT</Action>' "$n"
    printf '<KeyName>k</KeyName><Algorithm>AES/ECB/NoPadding</Algorithm>'
    printf '</CryptoRequest><Data><Size>16</Size>0123456789abcdef</Data>'
  done >"$file"
  echo "$file"
}

# asks COUNT USER: that many, over one connection, one sent behind the other;
# $answers is a file of what came back
asks() {
  answers=$(mktemp "$BATS_TEST_TMPDIR/answers.XXXXXX")
  adapter_nae "$2" "$OWN" "$(requests "$1")" --xml >"$answers"
}

# answered TEXT COUNT: so many answers have it
answered() {
  assert_equal "$1: $(grep -a -o "$1" "$answers" | wc -l)" "$1: $2"
}

# encrypts COUNT USER: all of them
encrypts() {
  asks "$@" || true
  answered '<Success>true</Success>' "$1"
}

# refuses ERROR USER: the next one; and the connection ends with it, so that
# what is sent behind is not answered
refuses() {
  local status=0
  asks 3 "$2" || status=$?
  assert_equal "$status" 1
  answered '<Success>' 1
  answered '<FatalError>true</FatalError>' 1
  answered "<ErrorID>$1</ErrorID>" 1
}

# The table of errors: docs/nae-xml.md.
NO_RIGHT=10105 NO_KEY=10201 RATE=10308 HOURS=10309
export NO_RIGHT NO_KEY RATE HOURS
