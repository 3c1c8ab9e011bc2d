"""The commands of Azure Managed Instance for Apache Cassandra that the public az lacks, for Sallyport.

It takes over what az's own `managed-cassandra` can't say, and adds what it does not have; all else stays az's own. It must
never hold a rule that control has: what is wrong is refused there.
"""

from azure.cli.core import AzCommandsLoader

from ._words import protect_argument_words
from . import _help  # noqa: F401  the texts register themselves


class SallyportCommandsLoader(AzCommandsLoader):
    """What az asks for the extension's commands and their options."""

    def __init__(self, cli_ctx=None):
        from azure.cli.core.commands import CliCommandType
        from knack.events import EVENT_INVOKER_PRE_PARSE_ARGS

        custom = CliCommandType(operations_tmpl="azext_sallyport.custom#{}")
        super().__init__(cli_ctx=cli_ctx, custom_command_type=custom)
        if cli_ctx is not None:
            cli_ctx.register_event(EVENT_INVOKER_PRE_PARSE_ARGS, protect_argument_words)

    def load_command_table(self, args):
        from .commands import load_command_table

        load_command_table(self, args)
        return self.command_table

    def load_arguments(self, command):
        from ._params import load_arguments

        load_arguments(self, command)


COMMAND_LOADER_CLS = SallyportCommandsLoader
