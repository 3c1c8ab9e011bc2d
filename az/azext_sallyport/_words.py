"""Words after `--arguments` that begin with a hyphen, as the documentation writes them: `"-st"="65678794"`."""

#: Before a word, it keeps argparse from taking the word for an option: what has a space in it is none.
MARK = " "


def protect_argument_words(_cli_ctx, args=None, **_):
    """Marks such words in place. Those that name an option of the command (`--host=…`) are left alone."""
    if not args or "invoke-command" not in " ".join(args[:3]):
        return
    within = False
    for index, word in enumerate(args):
        if word == "--arguments" or word.startswith("--arguments="):
            within = True
        elif within and is_flag(word):
            args[index] = MARK + word
        elif word.startswith("-"):
            within = False


def is_flag(word):
    """`-st=65678794` and `--full=`, but no option of the command's own."""
    name, equals, _ = word.partition("=")
    return bool(equals) and name.startswith("-") and name not in OPTIONS


OPTIONS = frozenset(
    """-c --cluster-name -g --resource-group --command-name --host --cassandra-stop-start --readwrite --no-wait
    --subscription --query -o --output --ids --debug --verbose --only-show-errors -h --help""".split()
)
