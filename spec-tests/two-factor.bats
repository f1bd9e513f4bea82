#!/usr/bin/env bats
# Chapter 3, and ESKM: who is let in at a key server, and as whom. Told on what
# an adapter offers, with openssl s_client as the client.
# bats file_tags=nae, auth, keyserver
# shellcheck disable=SC2030,SC2031,SC2154  # variables of servers.bash, in tests
bats_require_minimum_version 1.5.0

setup() {
  load helper
  load story
  load servers
  cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
  adapter_stop
}

# ---------------------------------------------------------------------------
# Global sessions, and passwords

# req: ESKM-002 KS-03-020 KS-03-023 KS-03-024 KS-03-031 KS-03-032 KS-03-060 KS-28-017
# req: KS-28-021 KS-28-023 KS-28-024 KS-28-026
@test "Without a login there are global keys, with one those and the user's own" {
  servers_start alice bob
  key_server nae-xml allow-config yes allow-export yes
  run plain "$(keygen world)$(on world KeyExport)"
  answered KeyGen g
  answered KeyExport k
  run plain "$(login alice "$OWN")$(keygen hers)$(on hers KeyExport)$(on world KeyExport)"
  answered Auth a
  answered KeyGen g
  assert_equal "$(grep -o '<KeyExportResponse><ID>k</ID><Success>true' <<<"$output" | wc -l)" 2
  run plain "$(login alice "$OWN")$(on hers KeyExport)"
  answered KeyExport k
  run plain "$(on hers KeyExport)"
  refused KeyExport k 10201
  run plain "$(login bob "$OWN")$(on hers KeyExport)"
  refused KeyExport k 10201
  run plain "<KeyNamesRequest><ID>n</ID></KeyNamesRequest>"
  assert_output --partial "<KeyName>world</KeyName>"
  refute_output --partial "hers"
}

# req: KS-03-033 KS-03-022 ESKM-092
@test "With Password Authentication required nobody is served without the right one" {
  servers_start alice
  key_server nae-xml password Required allow-config yes
  run plain "$random"
  refused RandGen r 10101
  run plain "$(keygen k1)"
  refused KeyGen g 10101
  run plain "$(login alice "$WRONG")$random"
  refused Auth a 10102
  refute_output --partial RandGen
  run plain "$(login nobody "$OWN")$random"
  refused Auth a 10102
  run plain "$(login alice "$OWN")$random"
  answered Auth a
  answered RandGen r
}

# ---------------------------------------------------------------------------
# Client certificates

# req: KS-03-034 KS-03-035 KS-03-036 KS-03-154 KS-03-163 ESKM-096 ESKM-097
@test "Used for SSL session only: a trusted certificate, whatever name it carries" {
  servers_start alice bob
  trust
  client alice /CN=alice
  servers_ca others
  servers_crt others mallory client /CN=alice
  key_server nae-xml ssl yes certificate front allow-config yes
  run secure "$random"
  answered RandGen r
  # the field is set, and has no effect
  edit client-certificate session username-field CN
  run secure "$random"
  silent
  run secure_as mallory "$random"
  silent
  run secure_as alice "$random"
  answered RandGen r
  # it is nobody's session: what is made is global
  run secure_as alice "$(keygen global)"
  answered KeyGen g
  run secure_as alice "$(on global KeyInfo)"
  answered KeyInfo k
  refute_output --partial "<Owner>"
  run secure_as alice "$(login bob "$OWN")$(keygen his)$(on his KeyInfo)"
  answered Auth a
  assert_output --partial "<Owner>bob</Owner>"
}

# req: KS-03-037 KS-03-155 KS-03-156 KS-03-157
@test "Used for SSL session and username: the certificate alone is enough" {
  servers_start alice bob
  trust
  client alice /CN=alice
  client bob /CN=bob
  client eve /CN=eve
  key_server nae-xml ssl yes certificate front allow-config yes
  run as admin "edit key server $number client-certificate session-and-username"
  assert_failure
  assert_output --partial "Username Field in Client Certificate: [None]: "
  edit client-certificate session-and-username username-field CN
  run secure_as alice "$(keygen hers)$(on hers KeyInfo)"
  answered KeyGen g
  assert_output --partial "<Owner>alice</Owner>"
  run secure_as bob "$(on hers KeyInfo)"
  refused KeyInfo k 10201
  # no user of the appliance
  run secure_as eve "$random"
  silent
  run secure "$random"
  silent
}

# req: KS-03-038 KS-03-039 KS-03-040 KS-03-041 ESKM-092 ESKM-099
@test "Two factors: the certificate's user, and that user's password" {
  servers_start alice bob
  trust
  client alice /CN=alice
  key_server nae-xml ssl yes certificate front password Required \
    client-certificate session-and-username username-field CN
  run secure_as alice "$(login alice "$OWN")$random"
  answered Auth a
  answered RandGen r
  run secure_as alice "$random"
  refused RandGen r 10101
  run secure_as alice "$(login alice "$WRONG")$random"
  refused Auth a 10102
  refute_output --partial RandGen
  run secure_as alice "$(login bob "$OWN")$random"
  refused Auth a 10103
  refute_output --partial RandGen
  # without the password required it must still be the same user
  edit password Optional
  run secure_as alice "$(login bob "$OWN")$random"
  refused Auth a 10103
  run secure_as alice "$(login alice "$WRONG")$random"
  refused Auth a 10102
  run secure_as alice "$(login alice "$OWN")$random"
  answered RandGen r
}

# req: KS-03-164 KS-03-165 KS-03-166 KS-03-167 KS-03-168 KS-03-169 ESKM-098
# req: ESKM-101
@test "The user name is in the field that was chosen, and in no other" {
  local field other
  servers_start user1
  trust
  client UID /UID=user1
  client CN /CN=user1
  client SN /SN=user1/serialNumber=7
  client OU /OU=user1
  client E_ND /emailAddress=user1@company.com
  client E /emailAddress=user1
  key_server nae-xml ssl yes certificate front \
    client-certificate session-and-username username-field CN
  for field in UID CN SN E E_ND OU; do
    edit username-field "$field"
    for other in UID CN SN E E_ND OU; do
      run secure_as "$other" "<UserInfoRequest><ID>u</ID></UserInfoRequest>"
      if [ "$field" = "$other" ]; then
        answered UserInfo u
        assert_output --partial "<User>user1</User>"
      else
        silent
      fi
    done
  done
  # serialNumber is not the surname; several are nobody's
  client serial /serialNumber=user1
  client two /OU=user1/OU=user1
  edit username-field SN
  run secure_as serial "$random"
  silent
  edit username-field OU
  run secure_as two "$random"
  silent
}

# req: KS-03-158 KS-03-160 ESKM-083
@test "Only those are let in whose CA is in the chosen list" {
  servers_start
  client ours /CN=ours
  servers_ca others
  servers_crt others theirs client /CN=theirs
  lines others.crt
  as admin 'ca install others' "${lines[@]}"
  as admin 'ca profile create Others'
  as admin 'ca profile add Others others'
  key_server nae-xml ssl yes certificate front client-certificate session
  # as delivered it is empty
  run secure_as ours "$random"
  silent
  trust
  run secure_as ours "$random"
  answered RandGen r
  run secure_as theirs "$random"
  silent
  edit trusted-ca Others
  run secure_as ours "$random"
  silent
  run secure_as theirs "$random"
  answered RandGen r
  as admin 'ca profile remove Others others'
  run secure_as theirs "$random"
  silent
}

# req: KS-03-042 KS-03-043 KS-03-044 KS-03-170 KS-03-171 ESKM-102
@test "The address that a client comes from has to be in its certificate" {
  servers_start alice bob
  trust
  client alice /CN=alice 127.0.0.2
  client bare /CN=alice
  key_server nae-xml ssl yes certificate front client-certificate session \
    source-ip yes
  run secure_as alice "$random" -bind 127.0.0.2:0
  answered RandGen r
  run secure_as alice "$random" -bind 127.0.0.3:0
  silent
  run secure_as bare "$random" -bind 127.0.0.2:0
  silent
  # and all three together
  edit password Required client-certificate session-and-username \
    username-field CN
  run secure_as alice "$(login alice "$OWN")$random" -bind 127.0.0.2:0
  answered RandGen r
  run secure_as alice "$(login alice "$OWN")$random" -bind 127.0.0.3:0
  silent
  run secure_as alice "$(login bob "$OWN")$random" -bind 127.0.0.2:0
  refused Auth a 10103
  run secure_as alice "$(login alice "$WRONG")$random" -bind 127.0.0.2:0
  refused Auth a 10102
}
