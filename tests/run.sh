#!/usr/bin/env bash
# Builds everything and runs the tests, from a clean clone and without any preparation.
#   tests/run.sh            what every change must pass (under 40 minutes on two cores)
#   tests/run.sh --long     also: Clang, thread sanitizer, the real libmysqlclient, the long tests
# Environment: CAUSEWAY_BASE  the commit whose changes clang-tidy looks at (default: where this branch
#                             left origin/main or main, else the commit before)
#              CAUSEWAY_JOBS  tests at a time (default 2)
# The last lines are ctest's own summary. Exit status 0 only if everything passed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export QT_QPA_PLATFORM=offscreen LC_ALL=C.UTF-8
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
# die_after_fork: QProcess forks from a program that has threads, which is fine: the child only execs.
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:second_deadlock_stack=1:die_after_fork=0

long=no
case ${1:-} in
--long) long=yes ;;
'') ;;
*)
    echo "usage: $0 [--long]" >&2
    exit 2
    ;;
esac

jobs=${CAUSEWAY_JOBS:-2}
timeout=900 # seconds a test program may take
failed=()
times=()
launcher=()

# Runs a stage; a failed one is remembered, and the others still run unless they need it.
stage() {
    local name=$1 begin=$SECONDS
    shift
    echo
    echo "== $name"
    if "$@"; then
        times+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$name")")
    else
        times+=("$(printf '%5d s  %s: FAILED' $((SECONDS - begin)) "$name")")
        failed+=("$name")
        return 1
    fi
}

give_up() {
    echo
    printf '%s\n' "${times[@]}"
    echo "FAILED: ${failed[*]}"
    exit 1
}

# PRESET "TARGETS" [OPTIONS OF CMAKE]
configure_and_build() {
    local preset=$1 targets
    read -ra targets <<<"$2"
    shift 2
    cmake --preset "$preset" "${launcher[@]}" "$@" >"build/$preset.log" 2>&1 || {
        cat "build/$preset.log"
        return 1
    }
    # Every failing file is shown, and a passing build is quiet.
    cmake --build --preset "$preset" --target "${targets[@]}" -- -k 0 >"build/$preset.log" 2>&1 || {
        grep -v '^\[[0-9]*/[0-9]*\] \(Building\|Linking\|Automatic\|Generating\)' \
            "build/$preset.log" | head -n 400
        return 1
    }
}

run_ctest() {
    local preset=$1
    shift
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout "$timeout" "$@"
}

check_format() {
    git ls-files -z '*.cpp' '*.h' | xargs -0 -r clang-format --dry-run --Werror
}

base_commit() {
    local base
    if [ -n "${CAUSEWAY_BASE:-}" ]; then
        git rev-parse --verify --quiet "$CAUSEWAY_BASE^{commit}"
        return
    fi
    for base in origin/main main; do
        if base=$(git merge-base HEAD "$base" 2>/dev/null) && [ "$base" != "$(git rev-parse HEAD)" ]; then
            echo "$base"
            return
        fi
    done
    git rev-parse --verify --quiet 'HEAD~1^{commit}'
}

# Changed since the base commit, or not committed yet. Bounded, because clang-tidy takes some 15 s a
# file: the biggest changes are looked at first.
check_tidy() {
    local base files limit=40
    if base=$(base_commit); then
        files=$(git diff --numstat --diff-filter=d "$base" -- '*.cpp' | sort -rn | cut -f3)
    else
        files=$(git ls-files '*.cpp')
    fi
    files=$(printf '%s\n' "$files" | while read -r file; do
        [ -n "$file" ] && grep -qF "/$file\"" build/dev/compile_commands.json && echo "$file"
    done)
    [ -n "$files" ] || {
        echo "no file to look at"
        return 0
    }
    local count
    count=$(printf '%s\n' "$files" | wc -l)
    [ "$count" -le "$limit" ] || echo "$count files changed; looking at $limit"
    printf '%s\n' "$files" | head -n "$limit" |
        xargs -P 2 -n 1 clang-tidy --quiet -p build/dev 2>"build/tidy.err" |
        tee build/tidy.log
    local status=("${PIPESTATUS[@]}")
    if [ "${status[2]}" -ne 0 ]; then
        # What is no finding, such as a file that it could not parse
        grep -v 'warnings generated\|Suppressed\|Use -header-filter' build/tidy.err | head -n 50
        return 1
    fi
}

# Those that do more with CAUSEWAY_LONG or CAUSEWAY_HISTORIES, and those for the long run alone.
long_tests() {
    grep -rlE --include='*Test.cpp' 'CAUSEWAY_LONG|CAUSEWAY_HISTORIES|long-run only' tests |
        sed 's#.*/##; s#\.cpp$##' | sort -u | paste -sd '|'
}

stage "packages" packaging/install-deps.sh test || give_up
mkdir -p build
if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
mysql_root=
get_mysql() {
    mysql_root=$(tests/servers/get-mysql.sh) && echo "$mysql_root"
}
stage "MySQL" get_mysql || give_up

stage "build (dev)" configure_and_build dev all || give_up
stage "clang-format" check_format
stage "clang-tidy" check_tidy

# Under the sanitizers: all unit tests, and the engine tests that say in their source "asan-core",
# which are those that pass through the most code.
sanitized_sources() {
    find tests/unit -name '*Test.cpp'
    grep -rlw --include='*Test.cpp' 'asan-core' tests/engine
}
mapfile -t sanitized < <(sanitized_sources | sed 's#.*/##; s#\.cpp$##' | sort -u)
build_asan() {
    configure_and_build asan "${sanitized[*]}" -DCAUSEWAY_WIZARD=OFF
}
test_asan() {
    local names
    names=$(printf '|%s' "${sanitized[@]}")
    run_ctest asan -R "^(unit|engine)\.(${names:1})\$" -j"$jobs"
}
if stage "build (asan)" build_asan; then
    stage "address and undefined behaviour sanitizers" test_asan
fi

if [ "$long" = yes ]; then
    stage "build (clang)" configure_and_build clang all
    if stage "build (tsan)" configure_and_build tsan all -DCAUSEWAY_WIZARD=OFF; then
        stage "thread sanitizer" run_ctest tsan -L '^(unit|engine)$'
    fi
    export CAUSEWAY_MYSQL_ROOT=$mysql_root
    if stage "build (libmysqlclient)" configure_and_build mysqlclient all -DCAUSEWAY_WIZARD=OFF; then
        stage "real libmysqlclient" run_ctest mysqlclient -R 'Fixture|Session|Connect' -j"$jobs"
    fi
    # The same tests with more of what they do: kills at every mark, many random histories.
    export CAUSEWAY_LONG=1 CAUSEWAY_HISTORIES=${CAUSEWAY_HISTORIES:-5000}
    timeout=14400
    stage "long tests" run_ctest dev -R "\.($(long_tests))\$"
    timeout=900
    unset CAUSEWAY_LONG CAUSEWAY_HISTORIES
fi

echo
printf '%s\n' "${times[@]}"
printf '%5d s  so far\n' "$SECONDS"
[ ${#failed[@]} -eq 0 ] || printf 'FAILED: %s\n' "${failed[@]}"
echo
echo "== unit, engine and gui tests"
# Last, so that what is seen last is the summary of all tests. The fixture initialises each product
# once; the tests then run side by side on copies.
run_ctest dev -j"$jobs" -LE long || exit 1
[ ${#failed[@]} -eq 0 ] || exit 1
