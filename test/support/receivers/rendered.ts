import type { ExpressionProcess } from '../../../src/expressions/expression-process';
import { type TransformProcess } from '../../../src/destinations/render/transform-process';
import { Renderer, type RenderedDelivery, type RenderOptions } from '../../../src/destinations/render/renderer';

/** An evaluator for expressions that need none. */
export const NO_EVALUATION: Pick<TransformProcess, 'evaluate' | 'mostBytes'> = {
  mostBytes: 262_144,
  evaluate: (): ReturnType<ExpressionProcess['evaluate']> => Promise.reject(new Error('evaluated')),
};

/** Renders an event that is given as JSON text. */
export async function render(
  event: string,
  options: Partial<RenderOptions>,
  evaluator = NO_EVALUATION,
): Promise<RenderedDelivery> {
  return new Renderer({ filter: null, transform: null, format: 'event', ...options }, evaluator).render(
    Buffer.from(event),
  );
}

/** @throws Error unless a body was made */
export async function bodyOf(...of: Parameters<typeof render>): Promise<{ body: string; type: string | undefined }> {
  const made = await render(...of);
  if (made.kind !== 'rendered') throw new Error(made.message);
  return { body: made.body.toString(), type: made.headers['content-type'] };
}
