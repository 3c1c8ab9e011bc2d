/** Makes a part, or has it from before: as long as nothing that it was read off has changed. */
export type Remember = <T>(part: string, make: () => T) => T;

export const anew: Remember = (_, make) => make();
