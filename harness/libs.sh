#!/bin/sh
# libs.sh: print build/libs.mk, what pkg-config knows about our libraries.
#
# The server's side is REF_, the suite's tool TOOL_. Their headers count as
# system headers: our warnings are about our code.
set -eu

cflags() { pkg-config --cflags "$@" | sed 's/-I */-isystem /g'; }
libs() { pkg-config --libs "$@"; }

ref="openssl sqlite3 libevent_core libevent_extra libxml-2.0 libssh libcurl"
tool="openssl libxml-2.0 jansson"

# A program gets the libraries that it calls, and no others.
#
# Of p11-kit only the headers: a PKCS#11 module is loaded, not linked. cracklib
# has no .pc file.
# shellcheck disable=SC2086  # words are wanted
cat <<END
REF_CFLAGS := $(cflags $ref p11-kit-1)
REF_LIBS := -Wl,--as-needed $(libs $ref) -lcrack -ldl -lpthread
P11_CFLAGS := $(cflags p11-kit-1)
TOOL_CFLAGS := $(cflags $tool)
TOOL_LIBS := $(libs $tool) -lm -lpthread
TEST_LIBS := $(libs cmocka)
END
