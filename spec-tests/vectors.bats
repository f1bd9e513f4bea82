#!/usr/bin/env bats
# shellcheck disable=SC2016  # awk's own $1
# The project's own vectors: what a glance at one file does not show.
# bats file_tags=vectors

bats_require_minimum_version 1.5.0

setup() {
  load helper
  cd "$TOP/vectors" || return
}

# cases PROGRAM: an awk program over all cases
cases() { find kmip -name '*.xml' -print0 | sort -z | xargs -0 awk "$1"; }

@test "A vector's id is its path, so none is there twice" {
  run -0 bash -c "find kmip ttlv -name '*.xml' -o -name '*.ttlv' |
    xargs awk '
      /^ *id:/ {
        path = FILENAME
        sub(/\.(xml|ttlv)\$/, \"\", path)
        if (\$2 != path) print FILENAME \": \" \$2
        seen[FILENAME]++
      }
      END { for (f in ARGV) if (f > 0 && seen[ARGV[f]] != 1) print ARGV[f] }'"
  assert_output ""
}

@test "A case says what it shows, and by which clause; its name ends with its version" {
  run -0 cases '
    function verdict() {
      if (file == "") return
      if (title == "" || clause == "") print file ": title, clause"
      if (!named) print file ": no request of that version"
    }
    FNR == 1 { verdict(); file = FILENAME; title = clause = ""; named = 0 }
    END { verdict() }
    /^ *title:/ { title = $2 }
    /^ *clause: kmip-/ { clause = $3 }
    /<ProtocolVersionMajor/ { split($0, m, "\""); major = m[4] }
    /<ProtocolVersionMinor/ {
      split($0, m, "\"")
      if (FILENAME ~ "-" major "\\." m[4] "\\.xml$") named = 1
    }'
  assert_output ""
}

@test "Every operation of the server has an accepted and a refused case" {
  cases '
    /<Operation / { split($0, m, "\""); operation = m[4] }
    /<ResultStatus / { split($0, m, "\""); print operation, m[4] }' |
    sort -u >"$BATS_TEST_TMPDIR/seen"
  # CREATE_KEY_PAIR -> CreateKeyPair
  sed -n 's/^OP(\([A-Z_]*\),.*/\1/p' "$TOP/ref/kmip/op.def" |
    sed 's/_/ /g; s/\([A-Z]\)\([A-Z]*\)/\1\L\2/g; s/ //g' \
      >"$BATS_TEST_TMPDIR/operations"
  run wc -l <"$BATS_TEST_TMPDIR/operations"
  assert [ "$output" -ge 18 ]
  while read -r operation; do
    for status in Success OperationFailed; do
      echo "$operation $status"
    done
  done <"$BATS_TEST_TMPDIR/operations" >"$BATS_TEST_TMPDIR/wanted"
  run grep -v -x -F -f "$BATS_TEST_TMPDIR/seen" "$BATS_TEST_TMPDIR/wanted"
  assert_output ""
}

@test "Every accepted case names a twin that is refused, and every refused one a case" {
  cases '
    /^ *id:/ { id = $2; print "case", id }
    /^ *twin:/ { print "twin", id, $2 }
    /value="OperationFailed"/ { print "refused", id }' |
    awk '
    $1 == "case" { is[$2] }
    $1 == "twin" { twin[$2] = $3 }
    $1 == "refused" { refused[$2] }
    END {
      for (id in is)
        if (!(twin[id] in is))
          print id ": no such twin: " twin[id]
        else if (!(id in refused) && !(twin[id] in refused))
          print id ": its twin " twin[id] " is accepted as well"
    }' >"$BATS_TEST_TMPDIR/lonely"
  run cat "$BATS_TEST_TMPDIR/lonely"
  assert_output ""
}

@test "There are cases of every version and encodings of both kinds" {
  run -0 bash -c "find kmip -name '*.xml' | sed 's/.*-//' | sort | uniq -c |
    awk '\$1 >= 10 { print \$2 }'"
  assert_output "$(printf '%s.xml\n' 1.0 1.1 1.2 1.3 1.4 2.0 2.1)"
  run -0 bash -c "grep -h '^expect:' ttlv/*.ttlv | sort | uniq -c |
    awk '\$3 == \"accept\" { a = \$1 } \$3 != \"accept\" { r += \$1 }
      END { exit !(a >= 20 && r >= 40) }'"
}
