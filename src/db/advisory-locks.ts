/** Keys of PostgreSQL advisory locks. One place, so that no two uses share a key by accident. */
export const ADVISORY_LOCKS = {
  migrations: 7_305_001,
  partitions: 7_305_002,
  reconciler: 7_305_003,
  dueRetries: 7_305_004,
} as const;
