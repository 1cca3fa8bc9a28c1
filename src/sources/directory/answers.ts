/** What becomes of a request, as its producer is told. */
export type Outcome = 'accepted' | 'duplicate' | 'rejected';

/** The response to a request, instead of the default one. */
export interface SourceAnswer {
  status: number;
  body?: string;
  contentType?: string;
}

export type Answers = Readonly<Partial<Record<Outcome, SourceAnswer>>>;

/** One response whatever became of the request, for providers that want a certain one. */
export const always = (answer: SourceAnswer): Answers => ({ accepted: answer, duplicate: answer, rejected: answer });
