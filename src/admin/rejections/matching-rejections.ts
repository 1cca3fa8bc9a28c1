import type { ActingOperator } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import type { Rejection } from '../../rejections/rejection';
import { rejectionCriteriaOf, type RejectionSelection } from './rejection-criteria';
import { findRejections } from './rejection-search.queries';

const REJECTIONS_PER_SEARCH = 500;

/** Finds the newest `limit` rejections that match the filter of an operator. Returns them oldest first. */
export async function findMatchingRejections(
  db: Db,
  filter: RejectionSelection,
  acting: ActingOperator,
  limit: number,
): Promise<Rejection[]> {
  const found: Rejection[] = [];
  let below: string | undefined;
  do {
    const wanted = Math.min(REJECTIONS_PER_SEARCH, limit - found.length);
    const page = await findRejections(db, rejectionCriteriaOf(filter, acting, below), wanted);
    found.push(...page.rejections);
    below = page.lookedDownTo ?? undefined;
  } while (below !== undefined && found.length < limit);
  return found.reverse();
}
