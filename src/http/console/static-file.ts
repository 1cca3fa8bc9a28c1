import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file that never changes while the process runs. */
export interface StaticFile {
  type: string;
  etag: string;
  body: Buffer;
  gzipped: Buffer;
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Returns a function that reads the file at its first call, and returns the same buffers to all its callers. */
export function staticFile(file: string): () => StaticFile {
  let read: StaticFile | undefined;
  return () => (read ??= readStatic(file));
}

function readStatic(file: string): StaticFile {
  const body = readFileSync(file);
  return {
    type: TYPES[path.extname(file)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(body).digest('base64url')}"`,
    body,
    gzipped: gzipSync(body, { level: 9 }),
  };
}
