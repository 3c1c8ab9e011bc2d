"""How options with more than one word become what the API takes. A wrong word is said here, with the form that is right."""

import argparse
import json

from azure.cli.core.azclierror import InvalidArgumentValueError

from ._words import MARK

SCHEDULE = "--backup-schedules name=Daily cron='0 2 * * *' hours=48"

# The short names, and those of the API.
SCHEDULE_KEYS = {
    "name": "scheduleName",
    "schedulename": "scheduleName",
    "cron": "cronExpression",
    "cronexpression": "cronExpression",
    "hours": "retentionInHours",
    "retentioninhours": "retentionInHours",
}


class CommandArguments(argparse.Action):
    """`"compact"="" "-st"="65678794"`, in the order given; given twice, the second adds to the first."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = dict(getattr(namespace, self.dest, None) or {})
        for word in values:
            name, equals, value = word.removeprefix(MARK).partition("=")
            if not equals or not name:
                raise InvalidArgumentValueError(
                    f"{option_string}: '{word.strip()}' is not NAME=VALUE.",
                    '--arguments "compact"="" "-st"="65678794"; an argument without a value is NAME= alone.',
                )
            given[name] = value
        setattr(namespace, self.dest, given)


class BackupSchedules(argparse.Action):
    """One schedule a time it is given: `name=… cron=… hours=…`. Or all of them as JSON. Or '' for none."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = list(getattr(namespace, self.dest, None) or [])
        text = " ".join(values).strip()
        if text.startswith(("[", "{")):
            given += self.from_json(text, option_string)
        elif text:
            given.append(self.from_words(values, option_string))
        setattr(namespace, self.dest, given)

    @staticmethod
    def from_json(text, option):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidArgumentValueError(f"{option}: this is not JSON: {error}", SCHEDULE) from error
        return value if isinstance(value, list) else [value]

    @staticmethod
    def from_words(words, option):
        schedule = {}
        for word in words:
            name, equals, value = word.partition("=")
            key = SCHEDULE_KEYS.get(name.replace("-", "").replace("_", "").lower())
            if not equals or key is None:
                raise InvalidArgumentValueError(f"{option}: '{word}' is not name=, cron= or hours=.", SCHEDULE)
            schedule[key] = value
        if "retentionInHours" in schedule:
            try:
                schedule["retentionInHours"] = int(schedule["retentionInHours"])
            except ValueError as error:
                raise InvalidArgumentValueError(f"{option}: hours= is a whole number.", SCHEDULE) from error
        return schedule


def words(values):
    """A list that replaces what there is; '' alone empties it. None: it was not given."""
    return None if values is None else [value for value in values if value != ""]


def pems(values):
    """Certificates by file name, or as text. None: not given."""
    given = words(values)
    return None if given is None else [{"pem": pem(value)} for value in given]


def pem(value):
    if value.lstrip().startswith("-----BEGIN"):
        return value
    try:
        with open(value, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise InvalidArgumentValueError(
            f"'{value[:100]}' is no certificate, nor a file that can be read: {error.strerror}.",
            "Give the path of a PEM file, or the PEM itself.",
        ) from error


def addresses(values):
    given = words(values)
    return None if given is None else [{"ipAddress": value} for value in given]
