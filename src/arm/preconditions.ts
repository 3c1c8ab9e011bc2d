import type { Resource } from '../store/resource.ts';
import { ArmError } from './errors.ts';
import type { ArmRequest } from './wire.ts';

/** `If-Match` and `If-None-Match` of a write. */
export function checkPreconditions(
  request: Pick<ArmRequest, 'header'>,
  existing: Pick<Resource, 'etag' | 'id'> | undefined,
): void {
  const match = request.header('if-match');
  if (match !== undefined && !(existing && names(match, existing.etag))) {
    throw new ArmError(
      'PreconditionFailed',
      existing
        ? `The resource '${existing.id}' has changed: its etag is not the one in If-Match. Read it again and send its current etag.`
        : 'If-Match names an etag, and there is no such resource.',
    );
  }
  const noneMatch = request.header('if-none-match');
  if (noneMatch !== undefined && existing && names(noneMatch, existing.etag)) {
    throw new ArmError(
      'PreconditionFailed',
      `The resource '${existing.id}' exists already, and If-None-Match forbids that.`,
    );
  }
}

/** Weakly: `W/"x"` and `"x"` are one. */
function names(header: string, etag: string): boolean {
  const bare = (tag: string): string => tag.trim().replace(/^W\//i, '').replace(/^"|"$/g, '');
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag));
}
