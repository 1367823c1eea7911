# Sourced by what needs a throw-away PostgreSQL server: `open_postgres` finds one (or installs it on Debian), starts it in
# a temporary folder on a free port and sets `postgres_url`; `close_postgres` removes it. Needs `say` and `fail`.
# shellcheck shell=bash

# --- finding PostgreSQL -----------------------------------------------------------------------------

# The folder that holds the server's programs: PATH first, then where Debian and Homebrew hide them.
find_postgres() {
    local candidates=() folder initdb
    if initdb=$(command -v initdb); then
        # A link in the PATH may stand without its siblings.
        candidates+=("$(dirname "$initdb")" "$(dirname "$(readlink -f "$initdb" 2>/dev/null || echo "$initdb")")")
    fi
    while IFS= read -r folder; do candidates+=("$folder"); done < <(
        for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do echo "$folder"; done | sort -rV
        for folder in {/opt/homebrew,/usr/local,/home/linuxbrew/.linuxbrew}/opt/postgresql*/bin; do echo "$folder"; done | sort -r
    )
    for folder in "${candidates[@]}"; do
        if [[ -x $folder/initdb && -x $folder/pg_ctl && -x $folder/postgres ]]; then
            echo "$folder"
            return
        fi
    done
    return 1
}

install_postgres() {
    local root=env
    command -v apt-get >/dev/null ||
        fail "PostgreSQL is needed and not found: install its server (macOS: brew install postgresql; Fedora: dnf install postgresql-server)"
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "PostgreSQL is needed and not found: sudo apt-get install postgresql"
        root='sudo -n'
    fi
    say "installing PostgreSQL with apt-get"
    # Debian makes a cluster of its own on port 5432 and starts it, unless its settings say otherwise before the server is installed.
    # shellcheck disable=SC2016 # the inner shell expands them
    $root bash -euc '
        export DEBIAN_FRONTEND=noninteractive
        conf=/etc/postgresql-common/createcluster.conf
        apt_get() { apt-get -qq -o DPkg::Lock::Timeout=120 "$@"; }
        apt_get update
        apt_get install -y --no-install-recommends postgresql-common
        cp -p "$conf" "$conf.before"
        trap "mv $conf.before $conf" EXIT
        echo "create_main_cluster = false" >>"$conf"
        apt_get install -y --no-install-recommends postgresql
    ' </dev/null >&2 || fail "apt-get could not install PostgreSQL (its own words stand above)"
}

# --- the throw-away server --------------------------------------------------------------------------

home=

# PostgreSQL refuses to run as root, so root runs it as another account.
as_server() (
    cd /
    export LC_ALL=C
    if ((EUID != 0)); then
        "$@"
    elif setpriv --reuid="$account" --regid="$account" --clear-groups true 2>/dev/null; then
        setpriv --reuid="$account" --regid="$account" --clear-groups "$@"
    elif runuser -u "$account" -- true 2>/dev/null; then
        runuser -u "$account" -- "$@"
    else
        su -s /bin/sh -c "$(printf '%q ' "$@")" "$account"
    fi
)

start_postgres() {
    local locale attempt
    account=postgres
    id -u postgres >/dev/null 2>&1 || account=nobody
    # Not under TMPDIR: the server's account may have no way into root's.
    home=$(mktemp -d /tmp/broadsheet-postgres.XXXXXX)
    ((EUID != 0)) || chown "$account" "$home"

    for locale in C.UTF-8 C none; do
        [[ $locale != none ]] || fail "initdb failed: $(tail -n 3 "$home/initdb.log" | tr '\n' ' ')"
        rm -rf "$home/data"
        as_server "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale="$locale" --no-sync >"$home/initdb.log" 2>&1 && break
    done
    # Nothing here outlives the run, so nothing needs to reach the disk. Tests run in parallel, each with pools of its own.
    cat >>"$home/data/postgresql.conf" <<-'CONF'
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		max_connections = 1000
		fsync = off
		full_page_writes = off
		synchronous_commit = on
	CONF
    # Below the range that systems give out for outgoing connections. Another process may still take the port first: the server says so, and the next one is tried.
    for attempt in 1 2 3 4 5 6 7 8; do
        port=$((20000 + RANDOM % 12000))
        as_server "$bin/pg_ctl" -D "$home/data" -w -t 60 -s -l "$home/log" -o "-p $port" start >/dev/null 2>&1 && return
        grep -q 'could not bind' "$home/log" 2>/dev/null || break
        rm -f "$home/log"
    done
    fail "PostgreSQL did not start after $attempt attempt(s): $(tail -n 3 "$home/log" 2>/dev/null | tr '\n' ' ')"
}

open_postgres() {
    bin=$(find_postgres) || {
        install_postgres
        bin=$(find_postgres) || fail "PostgreSQL was installed, but initdb, pg_ctl and postgres are not found"
    }
    start_postgres
    # shellcheck disable=SC2034 # for whoever sources this
    postgres_url="postgres://postgres@127.0.0.1:$port/postgres"
    # shellcheck disable=SC2034 # likewise
    postgres_version="$("$bin/postgres" --version) on 127.0.0.1:$port"
}

# Runs a statement. Links to the server's programs may stand without psql.
in_postgres() {
    as_server "$(dirname "$(readlink -f "$bin/initdb")")/psql" -qX -h 127.0.0.1 -p "$port" -U postgres -c "$1" >/dev/null
}

close_postgres() {
    [[ -n $home ]] || return 0
    if [[ -f $home/data/postmaster.pid ]]; then
        as_server "$bin/pg_ctl" -D "$home/data" -m immediate -s stop >/dev/null 2>&1 || say "PostgreSQL in $home could not be stopped"
    fi
    rm -rf "$home"
    home=
}
