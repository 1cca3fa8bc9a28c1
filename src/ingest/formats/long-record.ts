import { createHash } from 'node:crypto';

/** Size and SHA-256 of a whole record. */
export interface WholeRecord {
  sizeBytes: number;
  digest: Buffer;
}

/** Bounds what is held back. Beyond it, white space at the end counts as part of the record. */
const MAX_HELD_BACK = 65_536;
const NOTHING = Buffer.alloc(0);

/** Measures a record that is too long to be held. */
export class LongRecord {
  private readonly hash = createHash('sha256');
  private sizeBytes = 0;
  /** The end of what was added, while it may be outside of the record. */
  private heldBack = NOTHING;

  /** @param outside returns how many bytes at the end do not belong to the record if nothing follows */
  constructor(private readonly outside: (bytes: Buffer) => number) {}

  add(part: Buffer): void {
    const bytes = this.heldBack.length > 0 ? Buffer.concat([this.heldBack, part]) : part;
    const end = bytes.length - Math.min(this.outside(bytes), MAX_HELD_BACK);
    this.hash.update(bytes.subarray(0, end));
    this.sizeBytes += end;
    this.heldBack = end === bytes.length ? NOTHING : Buffer.from(bytes.subarray(end));
  }

  /** Call it once, after the last part. */
  end(): WholeRecord {
    return { sizeBytes: this.sizeBytes, digest: this.hash.digest() };
  }
}
