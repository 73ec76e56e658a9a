/** What things are called while they are removed, so that nobody goes on with what is left of them. */
export const REMOVED = 'removed';

/** How folders with the outputs of frozen layers are called: by SHA-256 of what they depend on, or for one run only. */
export const PREFIX_KEY = /^([0-9a-f]{64}|unnamed-[0-9a-f-]{36})$/;
