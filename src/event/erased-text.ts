/** What an erasure leaves in place of a text that may quote the content of an event. */
export const ERASED_TEXT = '[erased]';
