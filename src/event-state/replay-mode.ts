export const REPLAY_MODES = ['reprocess', 'republish'] as const;
export type ReplayMode = (typeof REPLAY_MODES)[number];
