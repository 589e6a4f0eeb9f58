#!/usr/bin/env bash
# Writes the manual page of causeway-cli to standard output, from what the program says of itself.
#   packaging/linux/manpage.sh PATH-OF-CAUSEWAY-CLI
set -euo pipefail
program=$1
version=$("$program" --version)
summary=$("$program" --help)

# Help texts of QCommandLineParser as macros of man: an option stands two spaces in, its text in a
# column of its own, and lines that begin further in go on with that text.
to_man() {
    sed 's/\\/\\e/g; s/-/\\-/g' | awk '
        function flush() { if (item != "") { print ".TP"; print ".B " item; print text }; item = "" }
        function safe(s) { return substr(s, 1, 1) == "." || substr(s, 1, 1) == "\047" ? "\\&" s : s }
        /^Usage: / { sub(/^Usage: /, ""); print ".B " $0; next }
        /^(Options|Arguments):$/ { flush(); inside = 1; if ($1 == "Arguments:") print ".PP"; next }
        inside && /^  [^ ]/ {
            flush()
            line = substr($0, 3)
            at = match(line, /  +/)
            item = at ? substr(line, 1, at - 1) : line
            text = at ? substr(line, at + RLENGTH) : ""
            next
        }
        inside && /^ / { sub(/^ +/, ""); text = text == "" ? $0 : text "\n" safe($0); next }
        inside { next }
        NF { print ".br"; print safe($0) }
        END { flush() }'
}

cat <<EOF
.TH CAUSEWAY\-CLI 1 "" "${version/-/\\-}" "Causeway"
.SH NAME
causeway\-cli \- move a live MySQL, MariaDB or PostgreSQL database to another server
.SH SYNOPSIS
.B causeway\-cli
.I COMMAND
[options]
.SH DESCRIPTION
Causeway copies a database while the application goes on writing, keeps the new server in step,
switches, keeps the old server in step afterwards, and compares every row. The program can be ended
at any time, also by force: run the same command again, and it goes on.
.PP
A migration has a file, NAME.causeway, that holds settings and the journal and never a password.
.SH COMMANDS
EOF
commands=$(sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' <<<"$summary" | grep -v '^causeway-cli$')
for command in $commands; do
    printf '.SS %s\n' "${command//-/\\-}"
    "$program" "$command" --help | to_man
done
cat <<'EOF'
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
not ready, a decision is needed, or differences were found
.TP
.B 2
the command line is wrong
.TP
.B 3
a server or the network failed; run it again to resume
.TP
.B 4
an error of the program itself
.SH ENVIRONMENT
.TP
.B CAUSEWAY_SOURCE_PASSWORD, CAUSEWAY_TARGET_PASSWORD
passwords of the two accounts, where the URLs have none
.TP
.B CAUSEWAY_LOG
where it is set, log lines go to standard error; with the value debug all of them
.SH FILES
.TP
.B ~/.my.cnf, ~/.pgpass
read for passwords that neither URL nor environment nor the desktop's keychain have
.SH EXAMPLE
.nf
causeway\-cli check \-\-source mysql://mover@db\-old/shop \-\-target mysql://mover@db\-new/shop
causeway\-cli new shop.causeway \-\-source mysql://mover@db\-old/shop \-\-target mysql://mover@db\-new/shop
causeway\-cli run shop.causeway \-\-to replica \-\-follow
causeway\-cli verify shop.causeway
causeway\-cli run shop.causeway \-\-to primary
causeway\-cli run shop.causeway \-\-to finished
.fi
.SH SEE ALSO
.BR causeway (1)
EOF
