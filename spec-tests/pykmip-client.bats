#!/usr/bin/env bats
# A foreign client, PyKMIP's, at our server: what it asks for in its own words
# it gets, value by value, and what it must not have it is refused. The steps
# are those of pykmip_client.py; docs/pykmip.md lists what PyKMIP cannot do.
# bats file_tags=witness, pykmip
bats_require_minimum_version 1.5.0

setup() {
  load helper
  /usr/bin/python3 -W ignore -c 'import kmip.pie.client' 2>/dev/null ||
    skip "witness pykmip: python3-pykmip is not installed"
  server_start --real-time
}

teardown() {
  server_stop
}

# client VERSION: all its steps, each told when it was done
client() {
  run /usr/bin/python3 "$TOP/spec-tests/pykmip_client.py" "$1" \
    "$SERVER_PORT" "$SERVER_DIR/pki"
  assert_success
  assert_output - <<'END'
query
discover_versions
create
get_attributes
get_attribute_list
locate
life_cycle
check
create_key_pair
register
END
}

@test "PyKMIP's client is served at 1.0" { client 1.0; }
@test "PyKMIP's client is served at 1.1" { client 1.1; }
@test "PyKMIP's client is served at 1.2" { client 1.2; }
@test "PyKMIP's client is served at 1.3" { client 1.3; }
@test "PyKMIP's client is served at 1.4" { client 1.4; }
@test "PyKMIP's client is served at 2.0" { client 2.0; }
