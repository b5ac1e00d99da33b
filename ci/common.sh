# Sourced by the scripts beside it: the root of the repository, and what to do without a tool.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# needs WHAT COMMAND..: ends the script unless the command works. That is a failure, except where CI_SKIP_MISSING=1 says that a machine
# without the tool is known to check less.
needs() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1 && return
    echo "MISSING: $what. $(basename "$0") has checked NOTHING." >&2
    [ "${CI_SKIP_MISSING:-}" = 1 ] && exit 0
    exit 1
}

# The machine's own target. Named to cargo, it keeps the flags of a sanitizer away from build scripts and procedural macros.
host() {
    rustc -vV | sed -n 's/^host: //p'
}
