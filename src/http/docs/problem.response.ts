import { ApiSchema } from '@nestjs/swagger';
import { PROBLEM_CODES, type ProblemCode } from '../../event/problems';
import { ApiCount, ApiEnum, ApiFlag, ApiList, ApiObject, ApiText } from './api-fields';

class ProblemDetail {
  @ApiText('/subject', { description: 'JSON Pointer (RFC 6901) to the invalid value' }) pointer!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES) code!: ProblemCode;
  @ApiText('subject must be a string') message!: string;
}

/** Counts of the records of a stream, by result: records = accepted + duplicates + rejected. */
export class StreamCounts {
  @ApiCount(3) records!: number;
  @ApiCount(1) accepted!: number;
  @ApiCount(1) duplicates!: number;
  @ApiCount(1) rejected!: number;
  @ApiCount(812, { description: 'Decompressed bytes of the stream' }) bytes!: number;
  @ApiFlag(false, {
    required: false,
    description: 'False, and present, when a rejected record is not known to be kept as a rejection',
  })
  kept?: boolean;
}

/** The body of every error response (RFC 9457). */
@ApiSchema({ name: 'Problem' })
export class ProblemResponse {
  @ApiText('urn:streamforge:problem:invalid-request') type!: string;
  @ApiText('The request is invalid') title!: string;
  @ApiCount(400, { minimum: 400, maximum: 599 }) status!: number;
  @ApiText() detail!: string;
  @ApiEnum('ProblemCode', PROBLEM_CODES, { description: 'Stable code; branch on this field' }) code!: ProblemCode;
  @ApiFlag(false, { description: 'True when the same request may succeed later' }) retryable!: boolean;
  @ApiText('c-1') correlationId!: string;
  @ApiList(ProblemDetail, { required: false, description: 'The invalid places' }) errors?: ProblemDetail[];
  @ApiObject(StreamCounts, { required: false, description: 'Counts of a stream that broke off' })
  summary?: StreamCounts;
  @ApiCount(2, {
    required: false,
    description: 'Number of the last record whose result is final, of a stream that broke off',
  })
  lastCommittedRecord?: number;
  @ApiFlag(false, {
    required: false,
    description: 'False, and present, when what was refused is not known to be kept as a rejection',
  })
  kept?: boolean;
}
