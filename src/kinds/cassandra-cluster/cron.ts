/** The five fields of a cron expression, as backup schedules have them. UTC. */
const fieldsOfCron = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of the month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  // 7 is Sunday once more.
  { name: 'day of the week', min: 0, max: 7, words: 'sun mon tue wed thu fri sat'.split(' ') },
] as const;

type CronField = (typeof fieldsOfCron)[number];

/** What is wrong with a cron expression, to stand after its name; undefined where nothing is. */
export function cronFlaw(text: string): string | undefined {
  const parts = text.trim().split(/\s+/);
  if (text.trim() === '' || parts.length !== fieldsOfCron.length) {
    return `has ${text.trim() === '' ? 0 : parts.length} fields; a cron expression has five: minute, hour, day of the month, month, day of the week, as in '0 2 * * *'.`;
  }
  for (const [index, field] of fieldsOfCron.entries()) {
    if (parts[index]!.split(',').some((item) => !isItem(item, field))) {
      return `says '${parts[index]!}' for the ${field.name}: it takes *, numbers from ${field.min} to ${field.max}, ranges a-b, steps /n and lists of them.`;
    }
  }
  return undefined;
}

function isItem(text: string, field: CronField): boolean {
  const [range = '', step, ...more] = text.split('/');
  if (more.length > 0) return false;
  if (step !== undefined && !(/^\d{1,2}$/.test(step) && Number(step) > 0)) return false;
  if (range === '*') return true;
  const [from, to, ...rest] = range.split('-').map((word) => valueOf(word, field));
  if (rest.length > 0 || from === undefined) return false;
  return range.includes('-') ? to !== undefined && from <= to : true;
}

function valueOf(word: string, field: CronField): number | undefined {
  const named = (field.words as readonly string[]).indexOf(word.toLowerCase());
  if (named !== -1) return named + field.min;
  if (!/^\d{1,2}$/.test(word)) return undefined;
  const value = Number(word);
  return value >= field.min && value <= field.max ? value : undefined;
}
