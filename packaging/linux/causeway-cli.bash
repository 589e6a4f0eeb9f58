# bash completion for causeway-cli. Commands and options are asked of the program itself, so that
# they are those of the version that is installed.

_causeway_cli() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "--help --version $("$program" --help 2>/dev/null |
            sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')" -- "$cur")
        return
    fi
    case $prev in
    --to) mapfile -t COMPREPLY < <(compgen -W "copied replica primary finished" -- "$cur") ;;
    --mode) mapfile -t COMPREPLY < <(compgen -W "live once" -- "$cur") ;;
    --route) mapfile -t COMPREPLY < <(compgen -W "auto relay native" -- "$cur") ;;
    --on-ddl) mapfile -t COMPREPLY < <(compgen -W "stop recopy apply" -- "$cur") ;;
    --fence | --target-fence)
        mapfile -t COMPREPLY < <(compgen -W "auto read_only triggers" -- "$cur")
        ;;
    --old-source) mapfile -t COMPREPLY < <(compgen -W "sealed open" -- "$cur") ;;
    --html | --json-file | --output) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" --help 2>/dev/null |
                grep -oE -- '--[a-z][a-z-]*')" -- "$cur")
        else
            mapfile -t COMPREPLY < <(compgen -f -X '!*.causeway' -- "$cur"; compgen -d -- "$cur")
        fi
        ;;
    esac
}
complete -o filenames -F _causeway_cli causeway-cli
