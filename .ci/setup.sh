# Set-up shared by ./demo and ./check; sourced by both, from the project root.
# Installs what is missing with apt (as root or through sudo), makes .venv and
# installs the project into it.  Where it cannot go on it prints a plain list of
# what is missing and stops.

here=$(pwd)
venv=$here/.venv
python=

say() { printf '%s\n' "$*" >&2; }

# A Python that can make a venv and compile an extension, the system's first.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3 python3.13 python3.12 python3.11 \
        python3.10; do
        if "$candidate" - >/dev/null 2>&1 <<'PROBE'
import ensurepip, os, sys, sysconfig, venv
assert sys.version_info >= (3, 10)
assert os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
PROBE
        then
            python=$candidate
            return 0
        fi
    done
    return 1
}

# missing PROBE... : the Debian packages whose probe fails, one a line
missing_packages() {
    find_python || printf '%s\n' python3 python3-venv python3-dev
    compiles || printf '%s\n' gcc libc6-dev
    local pair
    for pair in "$@"; do # PROGRAM=PACKAGE or /FILE=PACKAGE
        command -v "${pair%%=*}" >/dev/null 2>&1 || [ -e "${pair%%=*}" ] ||
            printf '%s\n' "${pair#*=}"
    done
}

compiles() {
    echo '#include <stdio.h>' | cc -fsyntax-only -x c - >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null 2>&1 || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

install_packages() { # PROGRAM=PACKAGE...
    local wanted
    wanted=$(missing_packages "$@" | sort -u | tr '\n' ' ')
    [ -n "$wanted" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1 || ! can_be_root; then
        say "personae: this machine lacks these Debian packages (or their like):"
        say "    $wanted"
        say "Install them, then run $0 again: apt-get install $wanted"
        exit 1
    fi
    say "installing with apt: $wanted"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 ||
        say "apt-get update failed; going on with the lists as they are"
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o Dpkg::Use-Pty=0 --no-install-recommends install $wanted >&2 || {
        say "personae: apt-get could not install: $wanted"
        exit 1
    }
    wanted=$(missing_packages "$@" | sort -u | tr '\n' ' ')
    [ -z "$wanted" ] || {
        say "personae: installed, but still not usable: $wanted"
        exit 1
    }
}

make_venv() { # EXTRAS, such as "" or "[test,lint]"
    local stamp=$venv/.personae-stamp state
    find_python || { say "personae: no usable Python 3.10 or newer"; exit 1; }
    "$venv/bin/python" -c 'import pip' >/dev/null 2>&1 || {
        say "making .venv"
        rm -rf "$venv"
        "$python" -m venv "$venv" || { say "personae: cannot make $venv"; exit 1; }
    }
    state="$1 $here $(cat pyproject.toml setup.py | cksum)"
    if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
        say "installing personae$1 into .venv"
        "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
            'setuptools>=77' 'cffi>=2' >&2 &&
            "$venv/bin/python" -m pip install -qq --disable-pip-version-check \
                --no-build-isolation -e ".$1" >&2 || {
            say "personae: pip could not install the project; the message above says why"
            exit 1
        }
        printf '%s' "$state" >"$stamp"
    fi
    build_c
    # Cheap too; a start takes half the time even where Python may not write.
    "$venv/bin/python" -m compileall -q core brands plugins hw >/dev/null || :
}

# Cheap when nothing changed; without it an edited C file would not be seen.
# The Python files are compiled too: pip does it for what it copies, not for a
# checkout, and where the environment forbids Python to write them itself each
# start would compile them all.
build_c() {
    "$venv/bin/python" setup.py -q build_ext --inplace >&2 || {
        say "personae: the C layer does not compile; the message above says where"
        exit 1
    }
    "$venv/bin/python" -m compileall -q core brands hw plugins >&2
}
