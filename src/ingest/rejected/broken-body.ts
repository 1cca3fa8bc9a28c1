import type { Problem } from '../../event/problems';

/** The body of a request with one event that broke off, or could not be decoded. */
export class BrokenBody {
  /** @param decodedBytes what was decoded of it before, which counts towards the limit of its tenant */
  constructor(
    readonly problem: Problem,
    readonly decodedBytes: number,
  ) {}
}
