# shellcheck shell=bash
# What every suite loads: where the project is, and the assertions.

TOP=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
export TOP

bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file
