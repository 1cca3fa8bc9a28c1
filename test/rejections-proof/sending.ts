/** One request of the proof. */
export interface Sending {
  name: string;
  path: string;
  /** Some of the hostile requests repeat a header. */
  headers: Record<string, string | string[]>;
  /** The body as it is sent. */
  body: Buffer;
  /** The body without its Content-Encoding; undefined if it cannot be decoded. Default: the body. */
  decoded?: Buffer | undefined;
  /** The records of the body in their order, where they are known. */
  records?: SentRecord[];
}

export interface SentRecord {
  bytes: Buffer;
  /** True for a record that has to be rejected. Undefined where either is possible. */
  isBroken?: boolean;
}

/** What became of a request. */
export interface Outcome {
  status: number;
  correlationId: string;
  accepted: number;
  duplicates: number;
  rejected: RejectedRecord[];
  /** Records of the request as its response counts them. */
  records: number;
  /** The code of a request that was refused as a whole, or that broke off. */
  code?: string | undefined;
  /** True when a request broke off or was refused, and its response says that what is left is not kept. */
  restIsNotKept: boolean;
}

export interface RejectedRecord {
  /** Null for a whole request. */
  record: number | null;
  code: string;
  kept: boolean;
}

/** A rejection as GET /v1/admin/rejections/{id} shows it. */
export interface ShownRejection {
  id: string;
  code: string;
  recordNumber: number | null;
  sizeBytes: number;
  digest: string;
  truncated: boolean;
  rawText: string | null;
  rawBase64: string | null;
}

export const bytesOf = ({ rawText, rawBase64 }: ShownRejection): Buffer =>
  rawBase64 === null ? Buffer.from(rawText ?? '') : Buffer.from(rawBase64, 'base64');
