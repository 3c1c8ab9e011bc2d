"""Operations that az's own SDK is too old for, asked by its own pipeline: the same sign-in, the same retries, the same words for an error."""

from urllib.parse import quote

from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat

VERSION = "2026-04-01-preview"


def get(cmd, group, cluster, *path):
    return _send(cmd, "GET", group, cluster, path)


def post(cmd, group, cluster, action, body):
    return _send(cmd, "POST", group, cluster, (action,), body)


def _send(cmd, method, group, cluster, path, body=None):
    from azure.cli.command_modules.cosmosdb._client_factory import cf_cosmosdb
    from azure.cli.core.commands.client_factory import get_subscription_id

    names = ("subscriptions", get_subscription_id(cmd.cli_ctx), "resourceGroups", group, "providers")
    names += ("Microsoft.DocumentDB", "cassandraClusters", cluster, *path)
    endpoint = cmd.cli_ctx.cloud.endpoints.resource_manager.rstrip("/")
    url = "/".join([endpoint, *(quote(name, safe="") for name in names)])
    request = HttpRequest(method, url, params={"api-version": VERSION}, json=body)
    response = cf_cosmosdb(cmd.cli_ctx).send_request(request)
    if response.status_code >= 400:
        raise HttpResponseError(response=response, error_format=ARMErrorFormat)
    return response.json()
