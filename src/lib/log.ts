import { writeSync } from 'node:fs';

/**
 * JSON lines on stderr. A logger of our own because the agent lives within 90 MB beside its tunnel, and a line is all
 * that is needed. What must not be logged is never handed in: there is no redaction to rely on.
 */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Whether lines of this level are written at all, where making one up costs something. */
  writes(level: LogLevel): boolean;
  /** A logger whose every line carries `fields` as well. */
  with(fields: LogFields): Log;
}

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export function createLog(
  fields: LogFields = {},
  options: { readonly level?: LogLevel; readonly write?: (line: string) => void } = {},
): Log {
  const floor = ORDER[options.level ?? 'info'];
  const write = options.write ?? writeLine;
  const at = (level: LogLevel) => (message: string, more?: LogFields) => {
    if (ORDER[level] < floor) return;
    write(
      `${JSON.stringify({ time: new Date().toISOString(), level, ...fields, message, ...plain(more) })}\n`,
    );
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    writes: (level) => ORDER[level] >= floor,
    with: (more) => createLog({ ...fields, ...more }, options),
  };
}

/**
 * Straight to the descriptor: `process.stderr` over a file ends the process with the first line that the disk has no room for,
 * and a role that only can't be heard has to go on. A line that finds no room is lost; the next one is tried again.
 */
function writeLine(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // There is nowhere else to say it.
  }
}

/** Errors don't serialise by themselves: their message and stack do. */
function plain(fields: LogFields | undefined): LogFields | undefined {
  if (!fields || !(fields['error'] instanceof Error)) return fields;
  return { ...fields, error: fields['error'].message, stack: fields['error'].stack };
}
