/**
 * The catalogue of what ARM answers when it says no. Codes are ARM's where it has one. A test holds it against
 * docs/reference/errors.md.
 */
export const armErrors = {
  AuthorizationFailed: { status: 403, next: 'Ask the owner of the scope for a role that has this action.' },
  AnotherOperationInProgress: {
    status: 409,
    next: 'Wait until the running operation ends, then send the request again.',
  },
  AuthenticationFailed: { status: 401, next: 'Sign in again and send the new token.' },
  BackupNotFound: { status: 400, next: 'List the backups that there are: GET …/backups.' },
  BadRequest: { status: 400, next: 'Correct what the message names.' },
  CommandNotAllowed: {
    status: 400,
    next: 'Leave it to the service: docs/reference/cassandra-command.md lists what can be run.',
  },
  Conflict: { status: 409, next: 'Remove what the message names, then send the request again.' },
  DeploymentActive: { status: 409, next: 'Wait until the deployment ends, or cancel it.' },
  DeploymentFailed: { status: 409, next: 'Correct what the details name, then deploy again.' },
  DeploymentNotFound: { status: 404, next: 'List what is there, and check name and group.' },
  InUse: { status: 409, next: 'Delete or detach what the message names first.' },
  InvalidApiVersionParameter: { status: 400, next: 'Use api-version=2026-03-15.' },
  InvalidAuthenticationToken: { status: 401, next: 'Sign in again and send the new token.' },
  InvalidParameter: { status: 400, next: 'Correct the property the message names.' },
  InvalidRequestContent: {
    status: 400,
    next: 'Send one JSON object as the docs/reference page of the kind shows it.',
  },
  InvalidResourceName: { status: 400, next: 'Choose a name the rule allows.' },
  InsufficientStorage: {
    status: 507,
    next: 'Free space on the disk of control, then send the request again.',
  },
  InternalServerError: {
    status: 500,
    next: 'Look up the request id in `sallyport logs control`, and file an issue.',
  },
  InvalidTemplate: { status: 400, next: 'Correct the template where the message says, then deploy again.' },
  MethodNotAllowed: { status: 405, next: 'See docs/reference for what can be done with this resource.' },
  MissingApiVersionParameter: { status: 400, next: 'Add ?api-version=2026-03-15.' },
  NotFound: { status: 404, next: 'Check the path against docs/reference.' },
  NotYetSupported: { status: 400, next: 'See docs/guide for what works in this version.' },
  ParentResourceNotFound: { status: 404, next: 'Create the parent first.' },
  PreconditionFailed: { status: 412, next: 'Read the resource again and send its current etag.' },
  PrincipalNotFound: { status: 400, next: 'Take the application id or object id of a principal known here.' },
  PropertyChangeNotAllowed: { status: 400, next: 'Leave the property as it is, or create a new resource.' },
  QuotaExceeded: { status: 409, next: 'Delete what is no longer needed, or ask the provider for more.' },
  RequestHeadersTooLarge: { status: 431, next: 'Send headers of at most 16 KiB.' },
  RequestTimeout: { status: 408, next: 'Send the request again, whole.' },
  RequestTooLarge: { status: 413, next: 'Send at most 4 MiB.' },
  ResourceGroupBeingDeleted: { status: 409, next: 'Wait until it is gone, or choose another group.' },
  ResourceGroupNotFound: { status: 404, next: 'Create it: sallyport group create -n NAME -l LOCATION.' },
  ResourceNotFound: { status: 404, next: 'List what is there, and check name and group.' },
  RoleAssignmentExists: { status: 409, next: 'Leave it: the role is given already.' },
  RoleDefinitionDoesNotExist: { status: 400, next: 'List what there is: az role definition list.' },
  SubscriptionNotFound: { status: 404, next: 'sallyport env shows the subscription you may use.' },
  TooManyRequests: { status: 429, next: 'Wait as long as Retry-After says.' },
} as const satisfies Record<string, { readonly status: number; readonly next: string }>;

export type ArmErrorCode = keyof typeof armErrors;

/** A refusal that goes to the caller as it is. `message` says what and why, and ends with what to do where that isn't plain. */
export class ArmError extends Error {
  override readonly name = 'ArmError';
  readonly code: ArmErrorCode;
  readonly target: string | undefined;
  readonly details: readonly { readonly code: string; readonly message: string; readonly target?: string }[];
  /** Sent with it: `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ArmErrorCode,
    message: string,
    more: {
      readonly target?: string;
      readonly details?: ArmError['details'];
      readonly headers?: ArmError['headers'];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.target = more.target;
    this.details = more.details ?? [];
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return armErrors[this.code].status;
  }
}
